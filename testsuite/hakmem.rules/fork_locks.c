/* Fork and what is under way in other threads: it waits for whoever holds a lock,
   of every rank, and what a thread has gathered for others but not pushed yet
   reaches its owner in the child.  */
#include "inside.h"
#include "lock_stalls.h"
#include "os/arena.h"

enum { CHILD_SECONDS = 10 };

/* ---- what a thread has gathered for others ---- */

enum { GIFTS = 30, GIFT = 200 };
static actor pusher;

static uint32_t
out_of (const hkm_slab *slab)
{
  return (uint32_t) slab->carved - hkm_slab_home (slab);
}

/* Blocks of the forking thread, freed by one that did not yet say so.  */
TEST (gathered_blocks_reach_their_owner_in_the_child)
{
  enum { N = 4000 };
  static void *p[N];
  hkm_policy was = policy_now (), q = was;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    q.cls[c].remote = 1024;
  CHECK (hkm_policy_publish (&q));
  for (int i = 0; i < N; i++)
    p[i] = malloc (GIFT);
  hkm_slab *slab = slab_of (p[N / 2]);
  void *gift[GIFTS];
  batch gifts = { gift, 0, GIFT };
  for (int i = 0; i < N && gifts.n < GIFTS; i++)
    if (slab_of (p[i]) == slab)
      {
        gift[gifts.n++] = p[i];
        p[i] = NULL;
      }
  CHECK (slab->state == HKM_SLAB_FULL && gifts.n == GIFTS);
  actor_start (&pusher);
  act (&pusher, job_free, &gifts);
  CHECK (remote_count (slab) == 0 && out_of (slab) == slab->capacity);
  int status = -1;
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (CHILD_SECONDS);
      malloc_trim (0); /* looks after every heap without a thread */
      collect_mine ();
      _exit (out_of (slab) == slab->capacity - GIFTS ? 0 : 3);
    }
  CHECKF (waitpid (child, &status, 0) == child && status == 0,
          "the child ends with %#x", status);
  CHECK (hkm_policy_publish (&was));
  actor_end (&pusher);
  for (int i = 0; i < N; i++)
    free (p[i]);
}

/* ---- locks ---- */

static actor forker;
static bool forked;
static int child_status;

static void
job_fork (void *unused UNUSED)
{
  pid_t child = fork ();
  if (child == 0)
    {
      /* Every room works.  */
      alarm (CHILD_SECONDS);
      for (int i = 0; i < 3; i++)
        for (size_t size = 16; size < (size_t) 100 << 20; size *= 2)
          free (malloc (size));
      malloc_trim (0);
      _exit (0);
    }
  __atomic_store_n (&forked, true, __ATOMIC_SEQ_CST);
  while (waitpid (child, &child_status, 0) != child)
    ;
}

/* PUSHER just took a lock of the wanted rank: fork has to wait for it.  */
static void
fork_meanwhile (void)
{
  uint32_t rank = stall_rank;
  actor_begin (&forker, job_fork, NULL);
  while (hkm_load_seq_cst (&sleeps_on) != rank
         && !__atomic_load_n (&forked, __ATOMIC_SEQ_CST))
    sched_yield ();
  CHECKF (!__atomic_load_n (&forked, __ATOMIC_SEQ_CST),
          "fork goes ahead while a lock of rank %u is held", rank);
}

/* Comes by every rank but that of the process's first call.  */
static void
job_all_ranks (void *unused UNUSED)
{
  hkm_policy p = policy_now ();
  hkm_policy_publish (&p);
  /* A pool's lock and no other: trim has the purger's as well.  */
  hkm_superslab_facts facts;
  hkm_counts counts = { { 0 } };
  hkm_superslab_facts_get (&facts, &counts);
  void *q = malloc (3000);
  for (int i = 0; i < 40; i++)
    free (malloc (((size_t) 3 << 20) + (size_t) i * 4096));
  for (size_t i = 0; i < 200; i++)
    hkm_arena_alloc (64, 64);
  /* A place in the map that has no leaf yet.  */
  void *place
      = (void *) (((uintptr_t) 100 + stall_rank) << HKM_MAP_LEAF_SHIFT);
  hkm_map_set (place, 1, slab_of (q));
  hkm_map_set (place, 1, NULL);
  free (q);
  hkm_superslab_trim ();
  hkm_heap_leave (hkm_registry_create ());
}

static bool
lock_taken_by_pusher (void)
{
  return __atomic_exchange_n (&lock_hook, NULL, __ATOMIC_ACQ_REL) == NULL;
}

TEST (fork_waits_for_every_lock)
{
  for (uint32_t rank = HKM_RANK_HEAP; rank < HKM_RANKS; rank++)
    {
      void *q;
      batch one = { &q, 1, 64 };
      actor_start (&forker);
      actor_start (&pusher);
      act (&pusher, job_malloc, &one);
      forked = false;
      child_status = -1;
      hkm_store_seq_cst (&sleeps_on, HKM_RANKS);
      stall_thread = pusher.thread;
      hook_lock (rank, fork_meanwhile);
      act (&pusher, job_all_ranks, NULL);
      if (CHECKF (lock_taken_by_pusher (), "nobody took a lock of rank %u",
                  rank))
        actor_wait (&forker);
      CHECKF (forked && child_status == 0, "rank %u: the child ends with %#x",
              rank, child_status);
      free (q);
      actor_end (&pusher);
      actor_end (&forker);
    }
}

int
main (void)
{
  /* Ended threads' heaps stay whole, so that who takes one over needs no other's
     slab, and comes by the registry's lock with no heap's.  */
  setenv ("HAKMEM_RETAIN", "1G", 1);
  free (malloc (1));
  RUN (gathered_blocks_reach_their_owner_in_the_child);
  RUN (fork_waits_for_every_lock);
  return check_done ();
}
