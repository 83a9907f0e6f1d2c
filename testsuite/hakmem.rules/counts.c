/* Counts: what is home, what is out and when a slab is looked at, after every
   number of blocks that comes home at once; and what brings back slabs that
   stay just below the share that would.  */
#include "inside.h"
#include "blocks.h"

#include <signal.h>

enum { SIZE = 1024, MANY = 700 }; /* three slabs */

static actor owner, pusher;
static void *block[MANY];
static void *in_slab[4096];
static hkm_slab *slab;
static size_t n_in_slab;

static void
begin (size_t size)
{
  batch all = { block, MANY, size };
  actor_start (&owner);
  actor_start (&pusher);
  act (&owner, job_malloc, &all);
  slab = slab_of (block[MANY / 4]);
  n_in_slab = 0;
  for (int i = 0; i < MANY; i++)
    if (slab_of (block[i]) == slab)
      {
        in_slab[n_in_slab++] = block[i];
        block[i] = NULL;
      }
}

static void
end (void)
{
  act (&owner, job_collect, NULL);
  for (int i = 0; i < MANY; i++)
    free (block[i]);
  actor_end (&owner);
  actor_end (&pusher);
  malloc_trim (0);
}

/* N blocks come home to a full slab at once.  */
TEST (every_number_of_blocks_comes_home)
{
  hkm_policy was = policy_now (), p = was;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    p.cls[c].remote = 1024; /* a chain as long as the slab */
  CHECK (hkm_policy_publish (&p));
  uint32_t capacity = 64;
  for (size_t n = 1; n <= capacity; n++)
    {
      begin (SIZE);
      capacity = slab->capacity;
      if (n > n_in_slab)
        break;
      uint32_t room = slab->own.room;
      CHECK (slab->state == HKM_SLAB_FULL && n_in_slab == capacity
             && room == capacity / 8);
      batch chain = { in_slab, n, SIZE };
      /* One chain: what is gathered is pushed at the last, by a cold call.  */
      act (&pusher, job_free, &chain);
      void *p[200];
      batch cold = { p, 200, 32768 };
      act (&pusher, job_malloc, &cold);
      act (&pusher, job_free, &cold);
      CHECKF (remote_count (slab) == n, "%u of %zu blocks pushed",
              remote_count (slab), n);
      act (&owner, job_collect, NULL);
      bool whole = n == capacity;
      CHECKF (whole == (given_up (slab) || slab->state == HKM_SLAB_WARM),
              "%zu of %u home: state %d", n, capacity, slab->state);
      if (!whole)
        {
          CHECKF (hkm_slab_home (slab) == n, "%u home, not %zu",
                  hkm_slab_home (slab), n);
          CHECKF (slab->state
                      == (n < room ? HKM_SLAB_FULL : HKM_SLAB_PARTIAL),
                  "%zu of %u home, room for %u: state %d", n, capacity, room,
                  slab->state);
          CHECK (slab->own.room > 0
                 && slab->own.room <= capacity - n);
        }
      batch others = { in_slab + n, capacity - n, SIZE };
      act (&owner, job_free, &others);
      CHECK (given_up (slab) || slab->state == HKM_SLAB_WARM);
      end ();
    }
  CHECK (hkm_policy_publish (&was));
}

/* Slabs of few blocks: a share below one is one, and nothing wraps.  */
TEST (a_share_below_one_block_is_one)
{
  hkm_policy was = policy_now (), p = was;
  p.return_fraction = 64;
  CHECK (hkm_policy_publish (&p));
  begin (32768);
  CHECK (slab->capacity < 64 && slab->state == HKM_SLAB_FULL);
  CHECKF (slab->own.room == 1, "room %u", slab->own.room);
  batch all = { in_slab, n_in_slab, 32768 };
  act (&owner, job_free, &all);
  act (&owner, job_collect, NULL);
  CHECK (hkm_policy_publish (&was));
  end ();
}

/* Blocks in a front slot are out for their slabs, until somebody walks it.  */
static uint32_t
out_of (const hkm_slab *s)
{
  return (uint32_t) s->carved - hkm_slab_home (s);
}

static void
job_strip (void *unused UNUSED)
{
  hkm_heap *heap = hkm_heap_mine ();
  hkm_lock_take (&heap->lock);
  hkm_heap_strip_locked (heap);
  hkm_heap_walk_locked (heap);
  hkm_heap_unlock (heap);
}

/* What a program has of each slab is what the slab says is out: after frees in
   an order that mixes slabs, on either route.  */
static void
exact (size_t size)
{
  uint64_t rng = rng_seed (size);
  begin (size);
  for (size_t i = 0; i < n_in_slab; i++)
    for (int k = 0; k < MANY; k++)
      if (block[k] == NULL)
        {
          block[k] = in_slab[i];
          break;
        }
  for (int round = 0; round < 6; round++)
    {
      for (int i = 0; i < MANY; i++)
        if (block[i] != NULL && rng_next (&rng) % 3 == 0)
          {
            act (&owner, job_free_one, block[i]);
            block[i] = NULL;
          }
      for (int i = 0; i < MANY; i++)
        if (block[i] == NULL && rng_next (&rng) % 2 == 0)
          {
            batch one = { &block[i], 1, size };
            act (&owner, job_malloc, &one);
          }
      act (&owner, job_strip, NULL);
      for (int i = 0; i < MANY; i++)
        {
          hkm_slab *s = block[i] ? slab_of (block[i]) : NULL;
          uint32_t have = 0;
          if (s == NULL)
            continue;
          for (int k = 0; k < MANY; k++)
            have += block[k] != NULL && slab_of (block[k]) == s;
          CHECKF (s->state != HKM_SLAB_CURRENT && out_of (s) == have,
                  "blocks of %zu: %u out, the program has %u", size,
                  out_of (s), have);
        }
    }
  end ();
}

TEST (exact_page_local)
{
  CHECK (!policy_now ().cls[hkm_size_to_class (512)].magazine);
  exact (512);
}

TEST (exact_magazine)
{
#ifdef HKM_WITH_TINY_SLL
  CHECK (policy_now ().cls[hkm_size_to_class (6000)].magazine);
#endif
  exact (6000);
}

/* One refill, one batch: what a magazine gets at once is the policy's number,
   in one hop from a slab to the front.  */
static uint64_t
counter (enum hkm_counter which)
{
  return owner.heap->counts.value[which];
}

/* A list of more than four batches is cut; one of so many or less is not walked for
   where a batch ends.  */
static void
refill_with_batch (uint16_t size_of_batch)
{
  unsigned cls = hkm_size_to_class (6000);
  hkm_policy p = policy_now ();
  p.cls[cls].batch = size_of_batch;
  CHECK (hkm_policy_publish (&p));
  begin (6000);
  act (&owner, job_strip, NULL);
  batch most = { in_slab + 1, n_in_slab - 1, 6000 };
  act (&owner, job_free, &most);
  act (&owner, job_strip, NULL); /* they are on their slab's own list now */
  CHECK (slab->state == HKM_SLAB_PARTIAL);
  uint64_t batches = counter (HKM_COUNT_BATCH_BLOCKS),
           refills = counter (HKM_COUNT_REFILL), home = hkm_slab_home (slab);
  uint64_t due = home > 4 * size_of_batch ? size_of_batch : home;
  CHECK (home == n_in_slab - 1);
  void *blocks[4096];
  batch first = { blocks, 1, 6000 };
  act (&owner, job_malloc, &first);
  uint64_t moved = counter (HKM_COUNT_BATCH_BLOCKS) - batches;
  CHECKF (counter (HKM_COUNT_REFILL) == refills + 1 && moved == due,
          "one block took %llu refills and %llu blocks of %llu in batches of %u",
          (unsigned long long) (counter (HKM_COUNT_REFILL) - refills),
          (unsigned long long) moved, (unsigned long long) home, size_of_batch);
  CHECK (hkm_slab_home (slab) == home - moved);
  if (moved == 0)
    return;
  /* The rest of the batch costs no further refill.  */
  batch others = { blocks + 1, (size_t) moved - 1, 6000 };
  act (&owner, job_malloc, &others);
  CHECK (counter (HKM_COUNT_REFILL) == refills + 1);
  batch back = { blocks, (size_t) moved, 6000 };
  act (&owner, job_free, &back);
  act (&owner, job_free_one, in_slab[0]);
  end ();
}

TEST (one_refill_is_one_batch)
{
#if !defined HKM_WITH_TINY_SLL || !defined HKM_WITH_STATS
  SKIP ("built without the magazine or without statistics");
#endif
  hkm_policy p = policy_now ();
  uint16_t shipped = p.cls[hkm_size_to_class (6000)].batch;
  CHECK (shipped > 1);
  refill_with_batch (shipped);
  refill_with_batch (1);
  refill_with_batch (4);
  CHECK (hkm_policy_publish (&p));
}

/* A program that overwrote the link of a block it had freed is told, when the rest of
   the list is missed: it does not go on with NULL.  */
static void
cut_short_and_take (void)
{
  enum { N = 400 };
  static void *p[N];
  unsigned cls = hkm_size_to_class (6000);
  hkm_policy q = policy_now ();
  hkm_heap *heap;
  q.cls[cls].batch = 2;
  if (!hkm_policy_publish (&q))
    _exit (1);
  for (int i = 0; i < N; i++)
    p[i] = malloc (6000);
  for (int i = 0; i < N; i++)
    if (i % 40 != 0)
      free (p[i]);
  heap = hkm_heap_mine ();
  hkm_lock_take (&heap->lock);
  hkm_bin_strip_locked (heap, cls);
  hkm_heap_unlock (heap);
  for (int i = 0; i < N; i += 40)
    {
      hkm_block *first = hkm_slot_first (&slab_of (p[i])->own);
      if (first != NULL)
        first->link = 0;
    }
  for (int i = 0; i < N; i++)
    if (malloc (6000) == NULL)
      _exit (2);
  _exit (3);
}

TEST (a_list_cut_short_is_told)
{
#ifndef HKM_WITH_TINY_SLL
  SKIP ("built without the magazine");
#endif
  int status;
  pid_t pid = fork ();
  if (pid == 0)
    cut_short_and_take ();
  CHECK (pid > 0 && waitpid (pid, &status, 0) == pid);
  CHECKF (WIFSIGNALED (status) && WTERMSIG (status) == SIGABRT, "status %d",
          status);
}

/* ---- slabs that are not worth it ---- */

/* Of a class with many slabs one that is full waits until half is home.  */
TEST (one_of_many_slabs_waits_for_half)
{
  enum { SLABS = 6 };
  static void *p[SLABS * 256], *of_one[256];
  batch all = { p, SLABS * 256, SIZE }, none = { of_one, 0, SIZE };
  actor_start (&owner);
  act (&owner, job_malloc, &all);
  slab = slab_of (p[4 * 256]);
  uint32_t capacity = slab->capacity;
  CHECK (slab->state == HKM_SLAB_FULL && capacity == 256);
  for (size_t i = 0; i < SLABS * 256; i++)
    if (slab_of (p[i]) == slab && none.n < capacity / 2)
      {
        CHECKF (slab->state == HKM_SLAB_FULL, "%zu of %u home, state %u",
                none.n, capacity, slab->state);
        act (&owner, job_free_one, p[i]);
        of_one[none.n++] = p[i];
        p[i] = NULL;
      }
  CHECK (none.n == capacity / 2 && slab->state == HKM_SLAB_PARTIAL);
  for (size_t i = 0; i < SLABS * 256; i++)
    if (p[i] != NULL)
      act (&owner, job_free_one, p[i]);
  actor_end (&owner);
  malloc_trim (0);
}

enum { SLABS = 96, SMALL = 64, IN_SLAB = 1024 };
static void *small[SLABS * IN_SLAB], *hole[SLABS * IN_SLAB];
static hkm_slab *seen[SLABS + 1];

static int
seen_before (const hkm_slab *s, int slabs)
{
  int k = 0;
  while (k < slabs && seen[k] != s)
    k++;
  return k;
}

/* OWNER has SLABS slabs; FREER frees so many HOLES in each full one.  How many
   that are in all.  */
static size_t
make_holes (actor *freer, uint32_t holes)
{
  uint32_t in_hole[SLABS + 1] = { 0 };
  batch all = { hole, 0, SMALL };
  int slabs = 0;
  for (int i = 0; i < SLABS * IN_SLAB; i++)
    {
      hkm_slab *s = slab_of (small[i]);
      int k = seen_before (s, slabs);
      if (k == slabs && slabs < SLABS)
        seen[slabs++] = s;
      if (s->state == HKM_SLAB_FULL && in_hole[k] < holes)
        {
          in_hole[k]++;
          hole[all.n++] = small[i];
          small[i] = NULL;
        }
    }
  act (freer, job_free, &all);
  CHECK (all.n >= (size_t) (SLABS - 2) * holes);
  return all.n;
}

static void
free_small (actor *freer)
{
  batch all = { hole, 0, SMALL };
  for (int i = 0; i < SLABS * IN_SLAB; i++)
    if (small[i] != NULL)
      hole[all.n++] = small[i];
  act (freer, job_free, &all);
}

/* Such holes are filled before a slab is taken.  */
static void
holes_are_filled (uint32_t holes)
{
  batch all = { small, SLABS * IN_SLAB, SMALL };
  actor_start (&owner);
  act (&owner, job_malloc, &all);
  size_t n = make_holes (&owner, holes);
  hkm_bin *bin = &owner.heap->bin[hkm_size_to_class (SMALL)];
  /* The current slab's rest may go first; then the holes.  */
  uint32_t before = bin->slabs;
  batch again = { hole, n, SMALL };
  act (&owner, job_malloc, &again);
  CHECKF (bin->slabs == before, "%zu blocks fit into the holes of %u slabs, "
          "yet %u were taken", n, before, bin->slabs - before);
  act (&owner, job_free, &again);
  free_small (&owner);
  actor_end (&owner);
  malloc_trim (0);
}

TEST (slabs_just_below_an_eighth_are_used_again)
{
  holes_are_filled (IN_SLAB / 8 - 28);
}

TEST (slabs_just_below_half_are_used_again)
{
  holes_are_filled (IN_SLAB / 2 - 12);
}

static hkm_slab *found;

static void
job_search (void *bin)
{
  hkm_lock_take (&owner.heap->lock);
  found = hkm_bin_stuck_locked (bin);
  hkm_heap_unlock (owner.heap);
}

/* One slab of many has holes, the last to be looked at.  A search goes that far
   if the number of those in vain before is a power of two.  */
TEST (a_slab_among_many_full_ones_is_found)
{
  batch all = { small, SLABS * IN_SLAB, SMALL }, few = { hole, 0, SMALL };
  actor_start (&owner);
  act (&owner, job_malloc, &all);
  hkm_bin *bin = &owner.heap->bin[hkm_size_to_class (SMALL)];
  hkm_slab *last = hkm_container_of (bin->full.next, hkm_slab, link);
  for (int i = 0; i < SLABS * IN_SLAB && few.n < IN_SLAB / 16; i++)
    if (slab_of (small[i]) == last)
      {
        hole[few.n++] = small[i];
        small[i] = NULL;
      }
  act (&owner, job_free, &few);
  CHECK (last->state == HKM_SLAB_FULL);
  bin->barren = 3;
  act (&owner, job_search, bin);
  CHECK (found == NULL && bin->barren == 4);
  act (&owner, job_search, bin);
  CHECK (found == last && bin->barren == 0);
  free_small (&owner);
  actor_end (&owner);
  malloc_trim (0);
}

/* The owner is gone: whoever wants such blocks takes over what it has.  */
TEST (a_parked_heaps_full_slabs_are_used_again)
{
  batch all = { small, SLABS * IN_SLAB, SMALL };
  actor_start (&owner);
  actor_start (&pusher);
  act (&owner, job_malloc, &all);
  act (&pusher, job_free_one, malloc (SMALL)); /* a heap of its own */
  actor_end (&owner);
  size_t n = make_holes (&pusher, IN_SLAB / 4), strange = 0;
  batch again = { hole, n / 2, SMALL };
  act (&pusher, job_malloc, &again);
  for (size_t i = 0; i < n / 2; i++)
    strange += seen_before (slab_of (hole[i]), SLABS) == SLABS;
  CHECKF (strange <= 2 * IN_SLAB, "%zu of %zu blocks are of other slabs",
          strange, n / 2);
  act (&pusher, job_free, &again);
  free_small (&pusher);
  actor_end (&pusher);
  malloc_trim (0);
}

int
main (void)
{
  free (malloc (1));
  RUN (every_number_of_blocks_comes_home);
  RUN (a_share_below_one_block_is_one);
  RUN (exact_page_local);
  RUN (exact_magazine);
  RUN (one_refill_is_one_batch);
  RUN (a_list_cut_short_is_told);
  RUN (one_of_many_slabs_waits_for_half);
  RUN (slabs_just_below_an_eighth_are_used_again);
  RUN (slabs_just_below_half_are_used_again);
  RUN (a_slab_among_many_full_ones_is_found);
  RUN (a_parked_heaps_full_slabs_are_used_again);
  return check_done ();
}
