/* Remote frees to an owner that sleeps: whoever frees a slab's last block gives
   its pages back, whatever the owner does at that very moment; and nobody does
   so while the owner may still hand blocks out of it.  */
#include "inside.h"
#include "stalls.h"

enum { SIZE = 2048, MANY = 300 }; /* three slabs */

static actor owner, pusher;
static void *block[MANY];
static hkm_slab *slab;      /* full, somewhere in the middle */
static void *in_slab[MANY]; /* its blocks */
static batch rest, last;    /* all but one of them, and that one */
static uint64_t purges;

static bool
purged (void)
{
  return (hkm_load_acquire (&slab->xword) & HKM_X_PURGED) != 0;
}

static void
begin (void)
{
  batch all = { block, MANY, SIZE };
  void *one;
  batch small = { &one, 1, 64 };
  actor_start (&owner);
  actor_start (&pusher);
  act (&pusher, job_malloc, &small);
  act (&owner, job_malloc, &all);
  slab = slab_of (block[MANY / 2]);
  CHECK (slab->state == HKM_SLAB_FULL && owner_of (slab) == owner.heap);
  size_t n = 0;
  for (int i = 0; i < MANY; i++)
    if (slab_of (block[i]) == slab)
      {
        in_slab[n++] = block[i];
        block[i] = NULL;
      }
  rest = (batch){ in_slab, n - 1, SIZE };
  last = (batch){ in_slab + n - 1, 1, SIZE };
}

static void
end (void)
{
  act (&owner, job_collect, NULL);
  for (int i = 0; i < MANY; i++)
    free (block[i]);
  act (&owner, job_collect, NULL);
  actor_end (&owner);
  actor_end (&pusher);
  malloc_trim (0);
  CHECKF (hkm_retain_idle () == 0, "%zu bytes count as idle after a trim",
          hkm_retain_idle ());
}

static bool
page_is_resident (void *p)
{
  unsigned char there = 0;
  size_t page = hkm_os_page_size ();
  mincore ((void *) ((uintptr_t) p & ~(page - 1)), page, &there);
  return there & 1;
}

TEST (the_last_free_gives_the_pages_back)
{
  begin ();
  char *p = hkm_slab_address (slab);
  act (&pusher, job_free, &rest);
  CHECK (!purged () && page_is_resident (p));
  act (&pusher, job_free, &last);
  CHECK (purged () && slab->carved == 0 && !page_is_resident (p));
  CHECK (owner_of (slab) == owner.heap);
  act (&owner, job_collect, NULL);
  CHECK (given_up (slab) && slab->kind == HKM_KIND_NONE);
  end ();
}

/* Half at home: the owner published how many those are.  */
TEST (blocks_at_home_count)
{
  begin ();
  batch half = { in_slab, rest.n / 2, SIZE };
  act (&owner, job_free, &half);
  CHECK (slab->state == HKM_SLAB_PARTIAL);
  batch others = { in_slab + half.n, rest.n - half.n + 1, SIZE };
  uint32_t home = hkm_x_home (slab->xword), really = hkm_slab_home (slab);
  CHECKF (home <= really, "%u published, %u at home", home, really);
  act (&pusher, job_free, &others);
  if (home == really)
    CHECK (purged ());
  act (&owner, job_collect, NULL);
  CHECK (given_up (slab) || slab->state == HKM_SLAB_WARM);
  end ();
}

/* An eighth at home is what brings a full slab back to its heap, so just then
   what is published is exact.  */
TEST (an_eighth_at_home_is_published)
{
  begin ();
  batch part = { in_slab, slab->capacity / 8, SIZE };
  act (&owner, job_free, &part);
  CHECK (slab->state == HKM_SLAB_PARTIAL
         && hkm_x_home (slab->xword) == part.n);
  batch others = { in_slab + part.n, rest.n + 1 - part.n, SIZE };
  act (&pusher, job_free, &others);
  CHECK (purged ());
  act (&owner, job_collect, NULL);
  CHECK (given_up (slab));
  end ();
}

/* ---- the slab it hands out from ---- */

TEST (the_current_slab_is_left_alone)
{
  begin ();
  slab = owner.heap->bin[hkm_size_to_class (SIZE)].current;
  CHECK (slab != NULL && slab->state == HKM_SLAB_CURRENT);
  void *mine[MANY];
  batch b = { mine, 0, SIZE };
  for (int i = 0; i < MANY; i++)
    if (block[i] != NULL && slab_of (block[i]) == slab)
      {
        mine[b.n++] = block[i];
        block[i] = NULL;
      }
  uintptr_t carved = slab->carved;
  act (&pusher, job_free, &b);
  CHECK (!purged () && slab->carved == carved && carved != 0);
  void *again[MANY];
  batch more = { again, b.n, SIZE };
  act (&owner, job_malloc, &more);
  for (size_t i = 0; i < more.n; i++)
    memset (again[i], (int) i, SIZE);
  act (&owner, job_free, &more);
  act (&pusher, job_free, &rest);
  act (&pusher, job_free, &last);
  end ();
}

/* ---- at that very moment ---- */

static void (*while_purging) (void);

/* Asked before each system call: in the middle of the purge.  */
static bool
in_the_purge (enum hkm_os_call which)
{
  if (which == HKM_OS_MADVISE && while_purging != NULL)
    {
      void (*what) (void) = while_purging;
      while_purging = NULL;
      purges++;
      what ();
    }
  return false;
}

static void
owner_pops (void)
{
  CHECK (hkm_load_acquire (&slab->xword) & HKM_X_PURGING);
  act (&owner, job_collect, NULL);
  CHECK (hkm_load_acquire (&owner.heap->xnotify) == NULL);
  CHECK (owner_of (slab) == owner.heap);
}

TEST (a_notice_popped_while_purging_comes_again)
{
  begin ();
  purges = 0;
  act (&pusher, job_free, &rest);
  while_purging = owner_pops;
  hkm_os_fault = in_the_purge;
  act (&pusher, job_free, &last);
  hkm_os_fault = NULL;
  CHECK (purges == 1 && purged ());
  CHECKF (hkm_load_acquire (&owner.heap->xnotify) == slab,
          "nobody will give the purged slab up");
  act (&owner, job_collect, NULL);
  CHECK (given_up (slab) && slab->kind == HKM_KIND_NONE);
  end ();
}

static void *taken[MANY];
static size_t taken_n;

/* The owner wants blocks; the slab is first on its partial list.  */
static void
owner_allocates (void)
{
  unsigned cls = hkm_size_to_class (SIZE);
  hkm_bin *bin = &owner.heap->bin[cls];
  CHECK (slab->state == HKM_SLAB_PARTIAL
         && bin->partial.next == &slab->link);
  /* More than the current one has left: the next must come from a list.  */
  hkm_slab *current = bin->current;
  for (taken_n = 0; taken_n < MANY && bin->current == current; taken_n++)
    {
      batch one = { &taken[taken_n], 1, SIZE };
      act (&owner, job_malloc, &one);
      CHECKF (slab_of (taken[taken_n]) != slab,
              "a block of a slab that is being purged was handed out");
    }
  CHECK (bin->current != current && bin->current != slab);
}

TEST (a_slab_is_not_taken_while_purging)
{
  begin ();
  batch part = { in_slab, slab->capacity / 8, SIZE };
  act (&owner, job_free, &part);
  batch others = { in_slab + part.n, rest.n + 1 - part.n, SIZE };
  while_purging = owner_allocates;
  purges = 0;
  hkm_os_fault = in_the_purge;
  act (&pusher, job_free, &others);
  hkm_os_fault = NULL;
  CHECK (purges == 1 && taken_n > 0);
  act (&owner, job_collect, NULL);
  CHECK (given_up (slab));
  batch back = { taken, taken_n, SIZE };
  act (&owner, job_free, &back);
  end ();
}

/* The OS refuses: the slab stays what it was, and its owner gets the blocks.  */
static bool
refuse_purges (enum hkm_os_call which)
{
  return which == HKM_OS_MADVISE;
}

TEST (a_refused_purge_changes_nothing)
{
  begin ();
  uintptr_t carved = slab->carved;
  hkm_os_fault = refuse_purges;
  act (&pusher, job_free, &rest);
  act (&pusher, job_free, &last);
  CHECK (!purged () && slab->carved == carved);
  CHECK (!(slab->xword & HKM_X_PURGING));
  hkm_os_fault = NULL;
  CHECK (remote_count (slab) == slab->capacity);
  end ();
}

/* ---- blocks on their way home ---- */

static void
pusher_frees_the_last (void)
{
  act (&pusher, job_free, &last);
}

/* The owner took a list of all blocks but one, which are not home yet, when the
   last one is freed: the slab is in its hands, and stays.  */
TEST (blocks_on_their_way_home_are_not_home)
{
  begin ();
  act (&pusher, job_free, &rest);
  hook (STALL_COLLECT, pusher_frees_the_last);
  act (&owner, job_collect, NULL);
  CHECK (!never_came (STALL_COLLECT));
  CHECK (!purged ());
  act (&owner, job_collect, NULL);
  CHECK (given_up (slab) || slab->state == HKM_SLAB_WARM);
  end ();
}

int
main (void)
{
  /* Each free is pushed at once, and no idle memory may stay.  */
  setenv ("HAKMEM_TINY_REMOTE_DRAIN_THRESH", "1,1,1,1,1,1,1,1", 1);
  setenv ("HAKMEM_RETAIN", "0", 1);
  setenv ("HAKMEM_TINY_WARM_CAP", "0", 1);
  free (malloc (1));
  RUN (the_last_free_gives_the_pages_back);
  RUN (blocks_at_home_count);
  RUN (an_eighth_at_home_is_published);
  RUN (the_current_slab_is_left_alone);
  RUN (a_notice_popped_while_purging_comes_again);
  RUN (a_slab_is_not_taken_while_purging);
  RUN (a_refused_purge_changes_nothing);
  RUN (blocks_on_their_way_home_are_not_home);
  return check_done ();
}
