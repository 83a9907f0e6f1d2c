/* One budget for all idle memory: what is counted is what is there, in whatever
   room, and it never exceeds the budget when a call returns; current slabs that
   hold nothing are found; and a program that grows and shrinks is not made to
   fault the same pages in again and again.  */
#include "inside.h"
#include "big/big.h"
#include "blocks.h"
#include "large.h"

/* The clock that regret runs by is the test's.  */
static uint64_t clock_ms = 1000000;
#define hkm_os_clock_ms() (clock_ms)
#include "superslab/retain.c"
#undef hkm_os_clock_ms

enum { MIB = 1 << 20, FLOOR = 2 * MIB };

/* Idle memory where it lies: EMPTY slots, warm slabs and free pages of sparse
   ones, cached runs, cached big mappings.  */
static size_t
idle_found (size_t *warm_bytes, size_t *run_bytes, size_t *big_bytes)
{
  hkm_superslab_facts facts;
  hkm_big_facts big;
  hkm_counts counts = { { 0 } };
  hkm_heap *heap = hkm_heap_mine ();
  hkm_superslab_facts_get (&facts, &counts);
  hkm_big_facts_get (&big, &counts);
  *warm_bytes = *run_bytes = 0;
  *big_bytes = big.idle_bytes;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    for (hkm_link *l = heap->bin[c].warm.next; l != &heap->bin[c].warm;
         l = l->next)
      {
        hkm_slab *slab = hkm_container_of (l, hkm_slab, link);
        *warm_bytes += slab->carved * hkm_class[slab->cls].size;
      }
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    for (hkm_link *l = heap->bin[c].partial.next; l != &heap->bin[c].partial;
         l = l->next)
      *warm_bytes += hkm_container_of (l, hkm_slab, link)->sparse;
  *run_bytes = (cached_slots (&heap->runs) + shared_slots ()) * HKM_GRANULE;
  return facts.empty_bytes + *warm_bytes + *run_bytes + *big_bytes;
}

static bool
account_is_exact (void)
{
  size_t warm, runs, big, found = idle_found (&warm, &runs, &big);
  return CHECKF (hkm_retain_idle () == found,
                 "%zu bytes count as idle, there are %zu (%zu warm, %zu in "
                 "runs, %zu big)", hkm_retain_idle (), found, warm, runs, big)
         && CHECKF (found <= hkm_retain_budget (),
                    "%zu idle bytes over a budget of %zu", found,
                    hkm_retain_budget ());
}

static size_t
draw_size (uint64_t *rng)
{
  uint64_t r = rng_next (rng);
  switch (r % 5)
    {
    case 0: return 16 + r / 5 % 2033;
    case 1: return 2049 + r / 5 % 30000;
    case 2: return 32769 + r / 5 % 400000;
    case 3: return 32769 + r / 5 % (2 * MIB - 32769);
    default: return 2 * MIB + 1 + r / 5 % (1 * MIB);
    }
}

/* Nothing idle, nothing regretted.  */
static void
begin (size_t floor)
{
  hkm_retain_init (0);
  malloc_trim (0);
  for (int i = 0; i < 60; i++)
    {
      clock_ms += 10000;
      void *q = malloc (70 * MIB);
      CHECK (q != NULL);
      free (q);
      malloc_trim (0);
    }
  clock_ms += 10000;
  hkm_retain_init (floor);
  CHECKF (hkm_retain_budget () <= floor + MIB, "a budget of %zu is left",
          hkm_retain_budget ());
}

/* Large and small, on and off; the floor is more than an eighth of all.  */
TEST (every_room_counts)
{
  enum { N = 300, SMALL = 1000 };
  static void *p[N], *s[SMALL];
  uint64_t rng = rng_seed (3);
  size_t most_warm = 0, most_runs = 0, most_big = 0;
  begin (32 * MIB);
  for (int round = 0; round < 4; round++)
    {
      for (int i = 0; i < N; i++)
        CHECK ((p[i] = malloc (draw_size (&rng))) != NULL);
      for (int i = 0; i < SMALL; i++) /* some slabs empty, one is kept */
        s[i] = malloc (200);
      for (int i = 0; i < SMALL; i++)
        free (s[i]);
      for (int i = 0; i < N; i++)
        {
          int k = (i * 67 + round) % N;
          free (p[k]);
          p[k] = NULL;
          size_t warm, runs, big;
          idle_found (&warm, &runs, &big);
          most_warm = warm > most_warm ? warm : most_warm;
          most_runs = runs > most_runs ? runs : most_runs;
          most_big = big > most_big ? big : most_big;
          if (!account_is_exact ())
            return;
        }
    }
  /* It is no test if a room had nothing.  */
#ifdef HKM_WITH_BIGCACHE
  CHECK (most_big > 0);
#endif
  CHECK (most_runs > 0);
  CHECKF (most_warm > 0, "no slab was warm");
}

/* Runs a thread keeps are idle memory like any other.  */
TEST (cached_runs_stay_within_the_budget)
{
  enum { RUNS = 8 };
  void *p[RUNS];
  begin (FLOOR);
  for (int i = 0; i < RUNS; i++)
    CHECK ((p[i] = malloc (1 * MIB)) != NULL);
  for (int i = 0; i < RUNS; i++)
    {
      free (p[i]);
      account_is_exact ();
    }
  CHECK (cached_slots (&hkm_heap_mine ()->runs) > 0);
}

/* Whole current slabs, of all classes: 7 MiB and more that no list shows.  Each
   slab that empties pays for a look at another class.  */
TEST (current_slabs_are_audited)
{
  enum { MOST = 40, MANY = 200 };
  static void *p[MANY * 64];
  hkm_heap *heap = hkm_heap_mine ();
  begin (FLOOR);
  for (unsigned c = 0; c < HKM_CLASS_STATIC; c++)
    {
      uint32_t n = hkm_class[c].slots * HKM_GRANULE / hkm_class[c].size / 4 * 3;
      for (uint32_t i = 0; i < n && i < MANY * 64; i++)
        p[i] = malloc (hkm_class[c].size);
      for (uint32_t i = 0; i < n && i < MANY * 64; i++)
        free (p[i]);
    }
  hkm_retain_init (0); /* any idle memory is too much */
  size_t before = 0, after = 0;
  for (unsigned c = 0; c < HKM_CLASS_STATIC; c++)
    if (heap->bin[c].current != NULL)
      before += hkm_slab_resident (heap->bin[c].current);
  /* One class goes on.  */
  for (int round = 0; round < 8; round++)
    {
      for (int i = 0; i < MANY * 64; i++)
        p[i] = malloc (1024);
      for (int i = 0; i < MANY * 64; i++)
        free (p[i]);
      clock_ms += 5000; /* what is purged is not wanted again soon */
    }
  for (unsigned c = 0; c < HKM_CLASS_STATIC; c++)
    if (heap->bin[c].current != NULL)
      after += hkm_slab_resident (heap->bin[c].current);
  CHECKF (before > 3 * MIB, "%zu bytes in current slabs at first", before);
  CHECKF (after < 512 << 10, "%zu bytes in current slabs, %zu left after other "
          "slabs emptied", before, after);
  hkm_retain_init (FLOOR);
  malloc_trim (0);
}

static uint64_t
counter (enum hkm_counter which)
{
  hkm_superslab_facts facts;
  hkm_counts counts = { { 0 } };
  hkm_superslab_facts_get (&facts, &counts);
  return counts.value[which];
}

/* 48 MiB, up and down ten times within a second.  */
TEST (an_oscillating_program_is_not_punished)
{
#ifndef HKM_WITH_STATS
  SKIP ("built without statistics");
#endif
  enum { N = 48 * 1024 };
  static void *p[N];
  begin (FLOOR);
  uint64_t first = 0, last = 0;
  for (int round = 0; round < 10; round++)
    {
      uint64_t before = counter (HKM_COUNT_PURGE_BYTES);
      for (int i = 0; i < N; i++)
        p[i] = malloc (1024);
      for (int i = 0; i < N; i++)
        free (p[i]);
      clock_ms += 100;
      uint64_t bytes = counter (HKM_COUNT_PURGE_BYTES) - before;
      first = round == 0 ? bytes : first;
      last = round >= 5 ? last + bytes : last;
    }
  CHECKF (first > 40u * MIB, "%llu bytes purged at first",
          (unsigned long long) first);
  CHECKF (last < first / 10, "%llu bytes purged in five later rounds, %llu in "
          "the first", (unsigned long long) last, (unsigned long long) first);
  CHECK (hkm_retain_budget () > 30u * MIB);
}

/* 0 to 256 MiB of big blocks, over and over: after ten cycles nothing is faulted
   in again, and no mapping made.  Once the program does other work, small, what
   the cycles earned goes.  */
TEST (what_cycles_earned_goes_with_other_work)
{
#ifndef HKM_WITH_BIGCACHE
  SKIP ("built without the BigCache");
#endif
  enum { N = 16, EACH = 16 * MIB, SMALL = 3000, PAUSE = 300 };
  static void *p[N];
  uint64_t calls[2] = { 0, 0 };
  begin (FLOOR);
  for (int cycle = 0; cycle < 30; cycle++)
    {
      if (cycle == 10)
        for (int i = 0; i < 2; i++)
          calls[i] = hkm_os_calls (i ? HKM_OS_MADVISE : HKM_OS_MMAP);
      for (int i = 0; i < N; i++)
        CHECK ((p[i] = malloc (EACH)) != NULL);
      for (int i = 0; i < N; i++)
        free (p[i]);
      clock_ms += 100;
    }
  for (int i = 0; i < 2; i++)
    calls[i] = hkm_os_calls (i ? HKM_OS_MADVISE : HKM_OS_MMAP) - calls[i];
  CHECKF (calls[0] == 0 && calls[1] == 0, "%llu mmap and %llu madvise calls in "
          "twenty cycles", (unsigned long long) calls[0],
          (unsigned long long) calls[1]);
  size_t earned = hkm_retain_idle ();
  CHECKF (earned == (size_t) N * EACH, "%zu bytes idle after the cycles", earned);
  for (int i = 0; i < 200; i++) /* a minute */
    {
      for (int k = 0; k < SMALL; k++)
        free (malloc (100)); /* no refill after the first */
      clock_ms += PAUSE;
    }
  CHECKF (hkm_retain_idle () <= FLOOR + MIB, "%zu bytes idle after other work",
          hkm_retain_idle ());
}

/* The share of live memory goes with it: what was within the budget is over it
   when other memory is freed, in whatever room that lay.  */
/* HAKMEM_RETAIN_STRATEGY changed while the program runs: nobody has to ask for
   memory first.  */
TEST (a_strategy_acts_at_once)
{
  enum { REGRET, SHARE, LEAST };
  unsigned knob = hkm_policy_knob_of (HKM_OPT_RETAIN_STRATEGY);
  hkm_retain_init (FLOOR);
  size_t before = hkm_retain_budget ();
  hkm_retain_purged (64 * MIB);
  hkm_retain_wanted (64 * MIB);
  CHECK (hkm_retain_budget () > before);
  CHECK (hkm_policy_set (knob, SHARE) && hkm_retain_budget () == before);
  CHECK (hkm_policy_set (knob, LEAST) && hkm_retain_budget () == FLOOR);
  CHECK (hkm_policy_set (knob, REGRET) && hkm_retain_budget () > before);
  hkm_retain_init (FLOOR);
}

TEST (idle_memory_follows_live_memory)
{
#ifndef HKM_WITH_SS_LRU
  SKIP ("built without the list of empty superslabs");
#endif
  enum { N = 40 * 1024, BIG = 10 };
  static void *p[N];
  void *big[BIG];
  begin (FLOOR);
  for (int i = 0; i < BIG; i++)
    CHECK ((big[i] = malloc (70 * MIB)) != NULL); /* too big for the cache */
  for (int i = 0; i < N; i++)
    p[i] = malloc (1024);
  for (int i = 0; i < N; i++)
    free (p[i]);
  CHECKF (hkm_retain_idle () > 30u * MIB, "%zu idle beside 700 MiB",
          hkm_retain_idle ());
  for (int i = 0; i < BIG; i++)
    free (big[i]);
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
          "slots: %zu idle bytes over a budget of %zu when all is freed",
          hkm_retain_idle (), hkm_retain_budget ());
}

TEST (cached_big_blocks_follow_live_memory)
{
#ifndef HKM_WITH_BIGCACHE
  SKIP ("built without the BigCache");
#endif
  enum { N = 300 * 1024, BIG = 10 };
  static void *p[N];
  void *big[BIG];
  begin (FLOOR);
  for (int i = 0; i < N; i++)
    p[i] = malloc (1024);
  for (int i = 0; i < BIG; i++)
    CHECK ((big[i] = malloc (3 * MIB)) != NULL);
  for (int i = 0; i < BIG; i++)
    free (big[i]);
  CHECKF (hkm_retain_idle () > 25u * MIB, "%zu idle beside 300 MiB",
          hkm_retain_idle ());
  for (int i = 0; i < N; i++)
    free (p[i]);
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
          "big: %zu idle bytes over a budget of %zu when all is freed",
          hkm_retain_idle (), hkm_retain_budget ());
}

int
main (void)
{
  char text[20];
  snprintf (text, sizeof text, "%d", FLOOR);
  setenv ("HAKMEM_RETAIN", text, 1);
  free (malloc (1));
  RUN (every_room_counts);
  RUN (cached_runs_stay_within_the_budget);
  RUN (current_slabs_are_audited);
  RUN (a_strategy_acts_at_once);
  RUN (idle_memory_follows_live_memory);
  RUN (cached_big_blocks_follow_live_memory);
  RUN (an_oscillating_program_is_not_punished);
  RUN (what_cycles_earned_goes_with_other_work);
  return check_done ();
}
