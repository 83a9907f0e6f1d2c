/* The pools of superslabs: steady work locks none; threads in each other's way
   part; what one pool has serves the others before anything is mapped; and
   while pages are purged, every pool is free.  */
#include "inside.h"
#include "blocks.h"
#include "lock_stalls.h"

enum { MIB = 1 << 20, WHOLE = HKM_SUPERSLAB_SLOTS };

static hkm_superslab_facts facts;

static uint64_t
counter (enum hkm_counter which)
{
  hkm_counts counts = { { 0 } };
  hkm_superslab_facts_get (&facts, &counts);
  return counts.value[which];
}

typedef struct run
{
  hkm_slab *slab;
  unsigned slots;
} run;

static void
job_acquire (void *arg)
{
  bool zeroed;
  run *r = arg;
  hkm_store_release (&r->slab, hkm_run_acquire (r->slots, &zeroed));
}

static void
job_release (void *arg)
{
  hkm_run_release (((run *) arg)->slab);
}

static unsigned
pool_of (const run *r)
{
  return r->slab->super->pool->number;
}

/* A acquires R while this thread has the lock of pool N, as one of the pool's
   own threads or as a VISITOR: until A sleeps or is somewhere else.  */
static void
acquire_in_the_way (actor *a, run *r, unsigned n, bool visitor)
{
  hkm_pool *pool = hkm_pool_at (n);
  hkm_lock_take (&pool->lock);
  hkm_store_relaxed (&pool->visited, visitor);
  hkm_store_seq_cst (&sleeps_on, HKM_RANKS);
  actor_begin (a, job_acquire, r);
  while (hkm_load_seq_cst (&sleeps_on) != HKM_RANK_SUPERSLAB
         && hkm_load_acquire (&r->slab) == NULL)
    sched_yield ();
  hkm_lock_give (&pool->lock);
  actor_wait (a);
}

/* ---- steady state ---- */

enum { WORKERS = 4, PLACES = 2000, REPLACED = 200000 };

typedef struct worker
{
  actor actor;
  void *place[PLACES];
  uint64_t random;
} worker;

/* Five quarters of a slab at once, of a class of their own, and gone again.  */
static void
burst (void)
{
  enum { SIZE = 1500, MOST = 1024 };
  void *p[MOST];
  unsigned n = hkm_class[hkm_size_to_class (SIZE)].slots * HKM_GRANULE / SIZE
               * 5 / 4;
  for (unsigned i = 0; i < n; i++)
    p[i] = malloc (SIZE);
  for (unsigned i = 0; i < n; i++)
    free (p[i]);
}

/* Blocks of 16 to 1023 bytes, small ones frequent, replaced at random.  */
static void
job_replace (void *arg)
{
  worker *w = arg;
  for (int i = 0; i < REPLACED; i++)
    {
      uint64_t r = rng_next (&w->random);
      void **p = &w->place[r % PLACES];
      size_t least = (size_t) 16 << (r >> 20) % 6;
      free (*p);
      *p = malloc (least + (r >> 32) % least);
      if (i % 1000 == 0)
        burst ();
    }
}

static worker workers[WORKERS];

static void
all_replace (void)
{
  for (int i = 0; i < WORKERS; i++)
    actor_begin (&workers[i].actor, job_replace, &workers[i]);
  for (int i = 0; i < WORKERS; i++)
    actor_wait (&workers[i].actor);
}

TEST (steady_work_locks_no_pool)
{
#ifndef HKM_WITH_STATS
  SKIP ("built without statistics");
#endif
  for (int i = 0; i < WORKERS; i++)
    {
      actor_start (&workers[i].actor);
      workers[i].random = rng_seed (i);
    }
  all_replace ();
  uint64_t before = counter (HKM_COUNT_POOL_LOCK);
  CHECKF (before > 0, "no pool was ever locked");
  for (int round = 0; round < 5; round++)
    all_replace ();
  uint64_t locks = counter (HKM_COUNT_POOL_LOCK) - before;
  printf ("steady: %llu locks in %d replacements\n",
          (unsigned long long) locks, 5 * WORKERS * REPLACED);
  /* A slab's worth of blocks of one class more or less is chance.  */
  CHECKF (locks * 20000 <= 5 * WORKERS * REPLACED,
          "pools locked %llu times in %d replacements",
          (unsigned long long) locks, 5 * WORKERS * REPLACED);
  for (int i = 0; i < WORKERS; i++)
    {
      for (int k = 0; k < PLACES; k++)
        free (workers[i].place[k]);
      actor_end (&workers[i].actor);
    }
  malloc_trim (0);
}

/* ---- who is where ---- */

/* This thread's pool is the first.  */
TEST (threads_in_the_way_part)
{
  actor other;
  run mine = { NULL, 1 }, first = { NULL, 1 }, second = { NULL, 1 };
  job_acquire (&mine);
  actor_start (&other);
  act (&other, job_acquire, &first);
  uint32_t pools = hkm_pool_count;
  CHECKF (pool_of (&mine) == 0 && pool_of (&first) == 0,
          "apart from the start: %u and %u", pool_of (&mine),
          pool_of (&first));
  uint64_t busy = counter (HKM_COUNT_POOL_BUSY);
  acquire_in_the_way (&other, &second, 0, false);
  CHECKF (pool_of (&second) == 1, "still in pool %u", pool_of (&second));
  CHECK (hkm_pool_count == (pools > 2 ? pools : 2));
#ifdef HKM_WITH_STATS
  CHECK (counter (HKM_COUNT_POOL_BUSY) == busy + 1);
#else
  (void) busy;
#endif
  /* Back to where it was got from, whoever gives it.  */
  act (&other, job_release, &first);
  CHECK ((first.slab->super->used >> first.slab->first & 1) == 0);
  job_release (&second);
  CHECK ((second.slab->super->used >> second.slab->first & 1) == 0);
  /* Somebody who only came by drives nobody away.  */
  run third = { NULL, 1 };
  acquire_in_the_way (&other, &third, 1, true);
  CHECKF (pool_of (&third) == 1, "driven to pool %u", pool_of (&third));
  job_release (&third);
  job_release (&mine);
  actor_end (&other);
}

TEST (memory_of_one_pool_serves_another)
{
#ifndef HKM_WITH_SS_LRU
  SKIP ("built without the list of empty superslabs");
#endif
  enum { MOST = 64 };
  actor other;
  run theirs[2] = { { NULL, 1 }, { NULL, WHOLE } }, own[MOST], part;
  unsigned n = 0;
  malloc_trim (0);
  actor_start (&other);
  acquire_in_the_way (&other, &theirs[0], 0, false);
  act (&other, job_acquire, &theirs[1]);
  CHECK (pool_of (&theirs[0]) == 1 && pool_of (&theirs[1]) == 1);
  act (&other, job_release, &theirs[1]);
  counter (HKM_COUNT_SS_MAP);
  uint64_t superslabs = facts.superslabs;
  /* This thread takes whole superslabs until there are none left.  */
  bool got = false;
  do
    {
      own[n].slots = WHOLE;
      job_acquire (&own[n]);
      got = got || own[n].slab == theirs[1].slab;
      counter (HKM_COUNT_SS_MAP);
      CHECKF (got || facts.superslabs == superslabs,
              "mapped, though pool 1 had an empty superslab");
    }
  while (!got && ++n < MOST - 1);
  CHECKF (got && pool_of (&own[n]) == 1, "pool 1's superslab not found");
  /* Then a part of the one that has one slot taken.  */
  superslabs = facts.superslabs;
  part.slots = WHOLE - 1;
  job_acquire (&part);
  counter (HKM_COUNT_SS_MAP);
  CHECKF (facts.superslabs == superslabs,
          "mapped, though a superslab had %u slots free", part.slots);
  job_release (&part);
  job_release (&theirs[0]);
  for (unsigned i = 0; i < n + got; i++)
    job_release (&own[i]);
  actor_end (&other);
  malloc_trim (0);
}

/* ---- purging ---- */

static pthread_t purger;
static actor bystander;
static unsigned purges;
static bool refuse;
static run brought[2] = { { NULL, WHOLE }, { NULL, WHOLE } };

static bool
account_is_exact (void)
{
  counter (HKM_COUNT_PURGE);
  return facts.empty_bytes == hkm_retain_idle ();
}

/* In the middle of a purge: every pool is free, no account is in between, and
   another thread that allocates and frees, over the budget, need not wait.  */
static bool
on_purge (enum hkm_os_call which)
{
  if (which != HKM_OS_MADVISE || !pthread_equal (pthread_self (), purger))
    return false;
  for (uint32_t i = 0; i < hkm_pool_count; i++)
    {
      bool free = hkm_lock_try (&hkm_pool_at (i)->lock);
      CHECKF (free, "pool %u is locked while pages are purged", i);
      if (free)
        hkm_lock_give (&hkm_pool_at (i)->lock);
    }
  CHECK (account_is_exact ());
  if (purges++ == 0 && !refuse)
    {
      run little = { NULL, 1 };
      act (&bystander, job_acquire, &little);
      act (&bystander, job_release, &little);
      act (&bystander, job_release, &brought[0]);
      act (&bystander, job_release, &brought[1]);
      CHECK (account_is_exact ());
      CHECKF (hkm_retain_idle () > hkm_retain_budget (),
              "nobody went over the budget");
    }
  return refuse;
}

TEST (pools_are_free_while_pages_are_purged)
{
  enum { RUNS = 8 };
  run r[RUNS];
  malloc_trim (0);
  hkm_retain_init (3 * MIB);
  actor_start (&bystander);
  for (int i = 0; i < RUNS; i++)
    {
      r[i].slots = 15; /* two to a superslab, and some slots free */
      job_acquire (&r[i]);
    }
  act (&bystander, job_acquire, &brought[0]);
  act (&bystander, job_acquire, &brought[1]);
  purges = 0;
  hkm_os_fault = on_purge;
  for (int i = 0; i < RUNS; i++)
    {
      job_release (&r[i]);
      CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
              "%zu idle bytes over a budget of %zu", hkm_retain_idle (),
              hkm_retain_budget ());
      CHECK (account_is_exact ());
    }
  hkm_os_fault = NULL;
  CHECKF (purges > 1, "%u purges", purges);
  actor_end (&bystander);
  hkm_retain_init (8 * MIB);
  malloc_trim (0);
}

/* What the OS would not have is as it was.  */
TEST (refused_purges)
{
  run r = { NULL, 20 }, fence = { NULL, 1 };
  malloc_trim (0);
  hkm_retain_init (0);
  job_acquire (&fence);
  job_acquire (&r);
  purges = 0;
  refuse = true;
  hkm_os_fault = on_purge;
  job_release (&r);
  CHECKF (purges == 1, "asked %u times", purges);
  CHECK (account_is_exact () && hkm_retain_idle () >= 20 * HKM_GRANULE);
  CHECK (hkm_superslab_trim () == 0 && account_is_exact ());
  hkm_os_fault = NULL;
  refuse = false;
  CHECK (hkm_superslab_trim () >= 20 * HKM_GRANULE && account_is_exact ());
  CHECK (hkm_retain_idle () == 0);
  job_release (&fence);
  hkm_retain_init (8 * MIB);
  malloc_trim (0);
}

int
main (void)
{
  purger = pthread_self ();
  free (malloc (1));
  RUN (steady_work_locks_no_pool);
  RUN (threads_in_the_way_part);
  RUN (memory_of_one_pool_serves_another);
  RUN (pools_are_free_while_pages_are_purged);
  RUN (refused_purges);
  return check_done ();
}
