/* Notices in flight: a thread stops between its push to a slab's remote list
   and the notice to the owner, and meanwhile the slab is emptied but for that
   block, or its heap is left, or it is adopted.  No slab goes while a notice is
   out, and no notice is lost.  */
#include "inside.h"
#include "stalls.h"

enum { SIZE = 2048, MANY = 400 };

static actor owner, pusher, other;
static void *block[MANY], *more[MANY];
static batch blocks = { block, MANY, SIZE }, others = { more, MANY, SIZE };
static hkm_slab *slab;  /* of the block that is pushed */
static void *pushed;

/* OWNER allocates many blocks, and SLAB, full, is one in the middle.  */
static void
begin (void)
{
  actor_start (&owner);
  actor_start (&pusher);
  actor_start (&other);
  void *one[2];
  batch two = { one, 2, 64 };
  act (&pusher, job_malloc, &two); /* so that each has a heap of its own */
  act (&other, job_malloc, &two);
  act (&owner, job_malloc, &blocks);
  pushed = block[MANY / 2];
  slab = slab_of (pushed);
  CHECK (owner_of (slab) == owner.heap && slab->state == HKM_SLAB_FULL);
}

static void
end (actor *first, actor *second, actor *third)
{
  if (first != NULL)
    actor_end (first);
  if (second != NULL)
    actor_end (second);
  if (third != NULL)
    actor_end (third);
  malloc_trim (0);
}

/* All blocks of SLAB but the pushed one.  */
static size_t
rest_of_slab (void **rest)
{
  size_t n = 0;
  for (int i = 0; i < MANY; i++)
    if (block[i] != pushed && slab_of (block[i]) == slab)
      rest[n++] = block[i];
  return n;
}

static void
free_elsewhere (void) /* the blocks that are in no slab under test */
{
  for (int i = 0; i < MANY; i++)
    if (block[i] != NULL)
      free (block[i]);
}

static void
forget (void **gone, size_t n)
{
  for (size_t k = 0; k < n; k++)
    for (int i = 0; i < MANY; i++)
      if (block[i] == gone[k])
        block[i] = NULL;
}

/* ---- emptied but for the block in flight ---- */

static void
owner_frees_the_rest (void)
{
  void *rest[MANY];
  batch b = { rest, rest_of_slab (rest), 0 };
  act (&owner, job_free, &b);
  act (&owner, job_collect, NULL);
  CHECK (owner_of (slab) == owner.heap);
  CHECK (slab->state == HKM_SLAB_PARTIAL && slab->own.room == 1);
  CHECK (remote_count (slab) == 1);
}

static void
not_released (enum stall where)
{
  begin ();
  hook (where, owner_frees_the_rest);
  act (&pusher, job_free_one, pushed);
  CHECK (!never_came (where));
  void *rest[MANY + 1];
  size_t n = rest_of_slab (rest);
  rest[n++] = pushed;
  forget (rest, n);
  CHECK (owner_of (slab) == owner.heap);
  CHECK (hkm_load_acquire (&owner.heap->xnotify) == slab);
  act (&owner, job_collect, NULL);
  CHECK (remote_count (slab) == 0);
  CHECKF (given_up (slab) || slab->state == HKM_SLAB_WARM, "state %d",
          slab->state);
  free_elsewhere ();
  end (&owner, &pusher, &other);
}

TEST (a_slab_with_a_push_in_flight_is_not_released)
{
  not_released (STALL_PUSHED);
}

TEST (a_slab_with_a_notice_in_flight_is_not_released)
{
  not_released (STALL_NOTICE);
}

/* ---- another chain before the notice ---- */

static void *pushed_too;

static void
other_pushes_too (void)
{
  act (&other, job_free_one, pushed_too);
}

static void
both_come_home (enum stall where)
{
  void *rest[MANY];
  begin ();
  CHECK (rest_of_slab (rest) > 0);
  pushed_too = rest[0];
  hook (where, other_pushes_too);
  act (&pusher, job_free_one, pushed);
  CHECK (!never_came (where));
  forget (&pushed, 1), forget (&pushed_too, 1);
  CHECK (remote_count (slab) == 2);
  act (&owner, job_collect, NULL);
  hkm_block *last;
  uint32_t n = hkm_blocks_count (slab, hkm_slot_first (&slab->own), &last);
  CHECKF (n == 2 && hkm_slab_home (slab) == 2, "%u on the list, %u home", n,
          hkm_slab_home (slab));
  CHECK (last == pushed);
  free_elsewhere ();
  end (&owner, &pusher, &other);
}

TEST (two_chains_and_one_push_in_flight)
{
  both_come_home (STALL_PUSHED);
}

TEST (two_chains_and_one_notice_in_flight)
{
  both_come_home (STALL_NOTICE);
}

/* ---- adopted meanwhile ---- */

/* OWNER ends with SLAB partial; OTHER, which has nothing of that size, takes
   slabs of its parked heap until SLAB is among them.  */
static void
other_adopts (void)
{
  void *rest[MANY];
  batch b = { rest, rest_of_slab (rest), 0 };
  b.n /= 2;
  act (&owner, job_free, &b);
  forget (rest, b.n);
  actor_end (&owner);
  for (others.n = 0; others.n < MANY && owner_of (slab) != other.heap;
       others.n++)
    {
      batch one = { &more[others.n], 1, SIZE };
      act (&other, job_malloc, &one);
    }
  CHECK (owner_of (slab) == other.heap);
}

static void
adopted (enum stall where)
{
  begin ();
  hkm_heap *old = owner.heap;
  hook (where, other_adopts);
  act (&pusher, job_free_one, pushed);
  CHECK (!never_came (where));
  forget (&pushed, 1);
  CHECK (hkm_load_acquire (&old->xnotify) == NULL);
  CHECKF (hkm_load_acquire (&other.heap->xnotify) == slab
              && remote_count (slab) == 1,
          "the new owner was not told: %u blocks wait", remote_count (slab));
  act (&other, job_collect, NULL);
  CHECK (remote_count (slab) == 0);
  CHECK (hkm_load_acquire (&other.heap->xnotify) == NULL);
  /* All blocks go; each slab must notice.  */
  act (&other, job_free, &others);
  free_elsewhere ();
  act (&other, job_collect, NULL);
  end (&pusher, &other, NULL);
  CHECK (given_up (slab) || slab->state == HKM_SLAB_WARM
         || slab->state == HKM_SLAB_CURRENT);
}

TEST (a_slab_adopted_before_the_owner_is_read)
{
  adopted (STALL_PUSHED);
}

TEST (a_slab_adopted_after_the_owner_was_read)
{
  adopted (STALL_NOTICE);
}

/* ---- the owner leaves meanwhile ---- */

static void
owner_ends (void)
{
  actor_end (&owner);
}

static void
left (enum stall where)
{
  begin ();
  hkm_heap *old = owner.heap;
  hook (where, owner_ends);
  act (&pusher, job_free_one, pushed);
  CHECK (!never_came (where));
  forget (&pushed, 1);
  CHECK (old->state == HKM_HEAP_PARKED);
  CHECKF (hkm_load_acquire (&old->xnotify) == NULL && remote_count (slab) == 0,
          "%u blocks wait for a thread that ended", remote_count (slab));
  CHECK (old->lock.word == 0);
  free_elsewhere ();
  end (&pusher, &other, NULL);
}

TEST (the_owner_leaves_before_it_is_read)
{
  left (STALL_PUSHED);
}

TEST (the_owner_leaves_before_the_notice)
{
  left (STALL_NOTICE);
}

TEST (the_owner_leaves_after_the_notice)
{
  left (STALL_STATE);
}

/* ---- a parked heap whose lock is held ---- */

TEST (the_holder_of_a_parked_heap_looks_before_it_goes)
{
  begin ();
  hkm_heap *old = owner.heap;
  actor_end (&owner);
  hkm_lock_take (&old->lock);
  act (&pusher, job_free_one, pushed);
  forget (&pushed, 1);
  CHECK (hkm_load_acquire (&old->xnotify) == slab);
  hkm_heap_unlock (old);
  CHECKF (hkm_load_acquire (&old->xnotify) == NULL && remote_count (slab) == 0,
          "%u blocks wait though the lock is free", remote_count (slab));
  free_elsewhere ();
  end (&pusher, &other, NULL);
}

/* PUSHER collects for the parked heap and holds its lock.  */
TEST (who_collects_for_a_parked_heap_looks_again)
{
  begin ();
  hkm_heap *old = owner.heap;
  pushed_too = block[MANY / 4];
  hkm_slab *second = slab_of (pushed_too);
  CHECK (second != slab && owner_of (second) == old);
  actor_end (&owner);
  hook (STALL_COLLECT, other_pushes_too);
  act (&pusher, job_free_one, pushed);
  CHECK (!never_came (STALL_COLLECT));
  forget (&pushed, 1), forget (&pushed_too, 1);
  CHECKF (hkm_load_acquire (&old->xnotify) == NULL
              && remote_count (second) == 0,
          "%u blocks wait though the lock is free", remote_count (second));
  free_elsewhere ();
  end (&pusher, &other, NULL);
}

int
main (void)
{
  /* Each free of another thread's block is pushed at once.  */
  setenv ("HAKMEM_TINY_REMOTE_DRAIN_THRESH", "1,1,1,1,1,1,1,1", 1);
  free (malloc (1));
  RUN (a_slab_with_a_push_in_flight_is_not_released);
  RUN (a_slab_with_a_notice_in_flight_is_not_released);
  RUN (two_chains_and_one_push_in_flight);
  RUN (two_chains_and_one_notice_in_flight);
  RUN (a_slab_adopted_before_the_owner_is_read);
  RUN (a_slab_adopted_after_the_owner_was_read);
  RUN (the_owner_leaves_before_it_is_read);
  RUN (the_owner_leaves_before_the_notice);
  RUN (the_owner_leaves_after_the_notice);
  RUN (the_holder_of_a_parked_heap_looks_before_it_goes);
  RUN (who_collects_for_a_parked_heap_looks_again);
  return check_done ();
}
