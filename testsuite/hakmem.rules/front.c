/* Freed mappings of up to 2 MiB that wait in front of the BigCache: no lock is
   waited for, every account is right once nobody calls, and all of it goes when
   it has to.  */
#include "inside.h"
#include "big.h"
#include "big/front.h"
#include "blocks.h"

enum { BUDGET = 512 * MIB, SHARDS = 4, ROW = HKM_FRONT_ROW };

/* The processor this process runs on.  */
static unsigned on_cpu;

static bool
cpu_now (unsigned *cpu, unsigned *node)
{
  *cpu = on_cpu;
  *node = 0;
  return true;
}

static size_t
in_front (void)
{
  return facts ().cached_bytes - hkm_cached_bytes;
}

/* Nothing cached; plenty may be idle; each processor was here before.  */
static void
begin (void)
{
  set_strategy (BEST);
  hkm_retain_init (BUDGET);
  malloc_trim (0);
  for (on_cpu = 0; on_cpu < SHARDS; on_cpu++)
    free (malloc (2 * MIB));
  on_cpu = 0;
  malloc_trim (0);
  hkm_big_facts f = facts ();
  CHECKF (f.count == 0 && f.bytes == 0 && f.cached_bytes == 0
          && f.idle_bytes == 0 && hkm_retain_idle () == 0,
          "%llu live, %llu cached, %llu idle at first",
          (unsigned long long) f.bytes, (unsigned long long) f.cached_bytes,
          (unsigned long long) f.idle_bytes);
}

/* N blocks of SIZE bytes, which are freed.  */
static void
free_so_many (int n, size_t size)
{
  char *p[4 * ROW];
  for (int i = 0; i < n; i++)
    p[i] = memset (malloc (size), i, size);
  for (int i = 0; i < n; i++)
    free (p[i]);
}

/* ---- no lock ---- */

static sem_t held, enough;

static void
job_hold (void *unused UNUSED)
{
  hkm_lock_take (&hkm_big_lock);
  sem_post (&held);
  sem_wait (&enough);
  hkm_lock_give (&hkm_big_lock);
}

/* If one of the calls waited for the lock the test would end by its alarm.  */
TEST (no_lock_is_waited_for)
{
  enum { ROUNDS = 1000 };
  actor a;
  uint64_t rng = rng_seed (3);
  begin ();
  free_so_many (ROW, 2 * MIB);
  void *p = malloc (2 * MIB);
  actor_start (&a);
  sem_init (&held, 0, 0);
  sem_init (&enough, 0, 0);
  actor_begin (&a, job_hold, NULL);
  sem_wait (&held);
  alarm (60);
  for (int i = 0; i < ROUNDS; i++)
    {
      size_t size = 2 * MIB - rng_next (&rng) % (MIB / 5);
      free (p);
      p = i % 2 ? malloc (size) : calloc (1, size);
      block_fill (p, size, (uint64_t) i);
      CHECK (block_good (p, size, (uint64_t) i));
    }
  alarm (0);
  sem_post (&enough);
  actor_wait (&a);
  actor_end (&a);
  hkm_big_facts f = facts ();
  CHECK (f.count == 1 && in_front () == (ROW - 1) * 2 * MIB);
  free (p);
}

/* ---- accounts ---- */

/* Beside the accounts of all big blocks, those of the front's sums: LEFT blocks are
   the program's.  */
static void
sums_are_right (uint64_t left)
{
  hkm_big_facts f = facts ();
#ifdef HKM_WITH_STATS
  CHECKF (counted.value[HKM_COUNT_BIG_ALLOC]
              == counted.value[HKM_COUNT_BIG_FREE] + left,
          "%llu handed out, %llu freed, %llu left",
          (unsigned long long) counted.value[HKM_COUNT_BIG_ALLOC],
          (unsigned long long) counted.value[HKM_COUNT_BIG_FREE],
          (unsigned long long) left);
#else
  (void) left;
#endif
  CHECKF (f.cached_bytes <= BUDGET
          && f.mapped_bytes >= f.bytes + f.cached_bytes,
          "%llu of %llu cached", (unsigned long long) f.cached_bytes,
          (unsigned long long) f.mapped_bytes);
}

/* Blocks of 1 to 3 MiB come and go on many processors: in the front, beside it,
   grown out of it.  */
TEST (accounts)
{
  enum { SLOTS = 60, STEPS = 4000 };
  kept k[SLOTS] = { { NULL, 0, 0 } };
  uint64_t rng = rng_seed (7), left = 0, front = 0;
  begin ();
  for (int i = 0; i < STEPS && check_failures == 0; i++)
    {
      kept *one = &k[rng_next (&rng) % SLOTS];
      size_t size = MIB + 1 + rng_next (&rng) % (2 * MIB);
      uint64_t what = rng_next (&rng) % 8, seed = rng_next (&rng);
      on_cpu = (unsigned) (rng_next (&rng) % SHARDS);
      CHECK (one->p == NULL || block_good (one->p, one->size, one->seed));
      if (what == 0 && one->p != NULL)
        one->p = realloc (one->p, size);
      else
        {
          left -= one->p != NULL;
          free (one->p);
          if (what == 1)
            CHECK (block_zero (one->p = calloc (1, size), size));
          else
            one->p = what == 2 ? NULL : malloc (size);
          left += one->p != NULL;
        }
      one->size = size;
      one->seed = seed;
      if (one->p != NULL)
        block_fill (one->p, size, seed);
      front += in_front () > 0;
      accounts_are_right (k, SLOTS);
      sums_are_right (left);
    }
  CHECKF (front > STEPS / 2, "the front had something in %llu of %d steps",
          (unsigned long long) front, STEPS);
  for (int i = 0; i < SLOTS; i++)
    free (k[i].p);
}

/* ---- what is in it goes ---- */

TEST (trim_empties_it)
{
  begin ();
  free_so_many (ROW, 2 * MIB);
  CHECK (in_front () == ROW * 2 * MIB
         && hkm_retain_idle () == ROW * 2 * MIB);
  malloc_trim (0);
  hkm_big_facts f = facts ();
  CHECK (f.cached_bytes == 0 && f.mapped_bytes == 0 && hkm_retain_idle () == 0);
}

TEST (it_keeps_to_the_budget_of_idle_memory)
{
  begin ();
  hkm_retain_init (4 * MIB);
  for (on_cpu = 0; on_cpu < SHARDS; on_cpu++)
    {
      free_so_many (2 * ROW, 2 * MIB);
      CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
              "%zu idle, budget %zu", hkm_retain_idle (),
              hkm_retain_budget ());
    }
  /* Another room's memory comes, and there is no other to go.  */
  begin ();
  free_so_many (ROW, 2 * MIB);
  hkm_retain_init (4 * MIB);
  hkm_retain_reclaim ();
  CHECKF (hkm_retain_idle () <= 4 * MIB, "%zu idle", hkm_retain_idle ());
}

/* HAKMEM_BIGCACHE is for both.  */
TEST (it_is_part_of_the_cache)
{
  size_t front = (size_t) SHARDS * ROW * 2 * MIB;
  begin ();
  for (on_cpu = 0; on_cpu < SHARDS; on_cpu++)
    free_so_many (ROW, 2 * MIB);
  CHECK (in_front () == front);
  void *one = malloc (BUDGET - front), *other = malloc (BUDGET / 2);
  free (one);
  CHECKF (facts ().cached_bytes == BUDGET, "%llu bytes cached",
          (unsigned long long) facts ().cached_bytes);
  free_so_many (2 * ROW, 2 * MIB);
  free (other);
  CHECKF (facts ().cached_bytes == BUDGET, "%llu bytes cached",
          (unsigned long long) facts ().cached_bytes);
}

/* Who frees a longer block, or shortens one, lowers the budget for what is in
   front, too.  */
TEST (others_lower_its_budget)
{
  begin ();
  hkm_retain_init (4 * MIB);
  void *other = malloc (100 * MIB);
  free_so_many (4, 2 * MIB);
  CHECKF (in_front () == 4 * 2 * MIB, "%zu in front", in_front ());
  free (other);
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (), "%zu idle",
          hkm_retain_idle ());
  other = malloc (100 * MIB);
  free_so_many (4, 2 * MIB);
  other = realloc (other, 3 * MIB);
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
          "%zu idle, the other shortened", hkm_retain_idle ());
  free (other);
}

/* What lies beyond a block's size is idle memory, and can be purged.  */
TEST (the_rest_of_a_block_is_idle)
{
  enum { N = 100 };
  void *p[N];
  begin ();
  for (int i = 0; i < N; i++)
    p[i] = memset (malloc (2 * MIB), 1, 2 * MIB);
  for (int i = 0; i < N; i++)
    {
      free (p[i]);
      p[i] = malloc (3 * MIB / 2);
    }
  CHECKF (hkm_retain_idle () == (size_t) N * MIB / 2, "%zu idle",
          hkm_retain_idle ());
  hkm_retain_init (4 * MIB);
  hkm_retain_reclaim ();
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (), "%zu idle",
          hkm_retain_idle ());
  for (int i = 0; i < N; i++)
    free (p[i]);
}

/* However often blocks came and went, those that are live count for huge pages. */
TEST (huge_pages_are_for_what_is_live)
{
  begin ();
  for (int i = 0; i < 200; i++)
    {
      free (malloc (2 * MIB));
      free (malloc (3 * MIB / 2));
      if (i % 8 == 0)
        malloc_trim (0);
    }
  uint64_t asked = hkm_os_calls (HKM_OS_MADVISE);
  void *p = malloc (40 * MIB);
  CHECK (hkm_os_calls (HKM_OS_MADVISE) == asked && !big_of (p)->asked);
  free (p);
}

/* A strategy that gives pages back after a time has no front; one that keeps
   them does not count them.  */
TEST (strategies)
{
  begin ();
  free_so_many (ROW, 2 * MIB);
  CHECK (in_front () == ROW * 2 * MIB);
  set_strategy (KEEP);
  free_so_many (1, 3 * MIB);
  hkm_big_facts f = facts ();
  CHECKF (in_front () == 0 && f.idle_bytes == 0 && hkm_retain_idle () == 0
          && f.kept_bytes == ROW * 2 * MIB,
          "%llu idle, %llu kept", (unsigned long long) f.idle_bytes,
          (unsigned long long) f.kept_bytes);
  free_so_many (ROW, 2 * MIB);
  f = facts ();
  CHECKF (in_front () == ROW * 2 * MIB && hkm_retain_idle () == 0
          && f.kept_bytes == ROW * 2 * MIB,
          "%zu in front, %zu idle, %llu kept", in_front (), hkm_retain_idle (),
          (unsigned long long) f.kept_bytes);
  set_strategy (DECAY);
  free_so_many (ROW, 2 * MIB);
  f = facts ();
  CHECKF (in_front () == 0 && hkm_retain_idle () == f.idle_bytes
          && f.idle_bytes > 0 && f.kept_bytes == 0,
          "%zu in front, %llu of %zu idle", in_front (),
          (unsigned long long) f.idle_bytes, hkm_retain_idle ());
}

/* ---- which one serves ---- */

/* The shortest that is long enough, none that is half as long again, and what was
   freed here.  */
TEST (which_one_serves)
{
  begin ();
  void *a = malloc (2 * MIB), *b = malloc (3 * MIB / 2);
  free (a);
  free (b);
  CHECK (malloc (3 * MIB / 2 - 100) == b);
  void *c = malloc (MIB + 1); /* A is too long */
  CHECK (c != a && c != b && in_front () == 2 * MIB);
  on_cpu = 1;
  void *d = malloc (2 * MIB);
  CHECK (d != a && in_front () == 2 * MIB);
  on_cpu = 0;
  CHECK (malloc (2 * MIB) == a && in_front () == 0);
  free (a);
  free (b);
  free (c);
  free (d);
}

/* A full row: what was there first goes to the cache.  */
TEST (the_oldest_make_room)
{
  char *p[ROW + 2];
  begin ();
  for (int i = 0; i < ROW + 2; i++)
    p[i] = malloc (2 * MIB);
  for (int i = 0; i < ROW + 2; i++)
    free (p[i]);
  CHECK (in_front () == ROW * 2 * MIB && hkm_cached_bytes == 4 * MIB);
  hkm_big_facts f = facts ();
  CHECK (f.count == 0 && f.bytes == 0
         && f.cached_bytes == (ROW + 2) * 2 * MIB);
}

/* ---- fork ---- */

TEST (a_child_goes_on_with_it)
{
  begin ();
  free_so_many (ROW, 2 * MIB);
  pid_t child = fork ();
  if (child == 0)
    {
      free_so_many (2 * ROW, 3 * MIB / 2 + 1);
      malloc_trim (0);
      hkm_big_facts f = facts ();
      _exit (f.count == 0 && f.bytes == 0 && f.mapped_bytes == 0 ? 0 : 1);
    }
  int status = -1;
  CHECK (child > 0 && waitpid (child, &status, 0) == child && status == 0);
  CHECK (in_front () == ROW * 2 * MIB);
}

int
main (void)
{
#ifndef HKM_WITH_BIGCACHE
  puts ("skip all: built without the BigCache");
  return check_done ();
#endif
  setenv ("HAKMEM_BIGCACHE", "512M", 1);
  hkm_os_cpu_override = cpu_now;
  free (malloc (1));
  RUN (no_lock_is_waited_for);
  RUN (accounts);
  RUN (trim_empties_it);
  RUN (it_keeps_to_the_budget_of_idle_memory);
  RUN (it_is_part_of_the_cache);
  RUN (others_lower_its_budget);
  RUN (the_rest_of_a_block_is_idle);
  RUN (huge_pages_are_for_what_is_live);
  RUN (strategies);
  RUN (which_one_serves);
  RUN (the_oldest_make_room);
  RUN (a_child_goes_on_with_it);
  return check_done ();
}
