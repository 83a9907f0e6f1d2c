/* The cache of big blocks: within its address budget at any time, no mapping
   calls once it holds what a program needs, strategies that change while the
   program runs, only written memory cleared for calloc, and right accounts when
   the OS refuses.  */
#include "inside.h"
#include "big.h"
#include "big/front.h"
#include "blocks.h"

/* The clock that regret and the decay strategy run by is the test's.  */
static uint64_t clock_ms = 1000000;
#define hkm_os_clock_ms() (clock_ms)
#include "big/cache.c"
#include "big/idle.c"
#include "superslab/retain.c"
#undef hkm_os_clock_ms

enum { BUDGET = 64 * MIB, FLOOR = 4 * MIB };

/* Nothing cached, nothing regretted, BEST.  */
static void
begin (void)
{
  set_strategy (BEST);
  malloc_trim (0);
  for (int i = 0; i < 40; i++)
    {
      clock_ms += 10000;
      hkm_retain_purged (1);
    }
  clock_ms += 10000;
  hkm_big_facts f = facts ();
  CHECKF (f.cached_bytes == 0 && f.idle_bytes == 0 && hkm_retain_idle () == 0,
          "%llu cached, %llu idle at first, %zu in all",
          (unsigned long long) f.cached_bytes,
          (unsigned long long) f.idle_bytes, hkm_retain_idle ());
}

static size_t
draw (uint64_t *rng, size_t least, size_t most)
{
  return least + rng_next (rng) % (most - least + 1);
}

/* ---- what is cached ---- */

TEST (the_budget_is_never_exceeded)
{
  enum { SLOTS = 12 };
  void *p[SLOTS] = { NULL };
  uint64_t rng = rng_seed (1), most = 0;
  begin ();
  for (int i = 0; i < 2000; i++)
    {
      int k = (int) (rng_next (&rng) % SLOTS);
      free (p[k]);
      hkm_big_facts f = facts ();
      most = f.cached_bytes > most ? f.cached_bytes : most;
      if (!CHECKF (f.cached_bytes <= BUDGET, "%llu bytes cached",
                   (unsigned long long) f.cached_bytes)
          || !CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
                      "%zu idle, budget %zu", hkm_retain_idle (),
                      hkm_retain_budget ()))
        return;
      p[k] = malloc (draw (&rng, 2 * MIB + 1, 30 * MIB));
      CHECK (p[k] != NULL);
    }
  CHECKF (most > BUDGET / 2, "never more than %llu bytes cached",
          (unsigned long long) most);
  for (int k = 0; k < SLOTS; k++)
    free (p[k]);
}

TEST (huge_requests_go_to_the_os)
{
  begin ();
  void *small = malloc (3 * MIB), *p = malloc (BUDGET + MIB);
  free (small);
  uint64_t cached_before = facts ().cached_bytes,
           calls = hkm_os_calls (HKM_OS_MUNMAP);
  free (p);
  CHECK (hkm_os_calls (HKM_OS_MUNMAP) == calls + 1);
  CHECK (facts ().cached_bytes == cached_before && cached_before > 0);
  CHECK (hkm_map_find (p) == NULL);
}

/* Blocks of many sizes replaced over and over, all written.  */
TEST (no_mapping_calls_in_steady_state)
{
  enum { SLOTS = 6, SIZES = 5, WARM = 300, MORE = 3000 };
  static const size_t sizes[SIZES]
      = { 2 * MIB + 1, 3 * MIB, 4 * MIB + 4096, 6 * MIB, 7 * MIB };
  void *p[SLOTS] = { NULL };
  uint64_t maps = 0, unmaps = 0, hits = 0, allocs = 0;
  begin ();
  for (int i = 0; i < WARM + MORE; i++)
    {
      if (i == WARM)
        {
          maps = hkm_os_calls (HKM_OS_MMAP);
          unmaps = hkm_os_calls (HKM_OS_MUNMAP);
          hits = hkm_big_counts.value[HKM_COUNT_BIG_CACHE_HIT];
          allocs = hkm_big_counts.value[HKM_COUNT_BIG_ALLOC];
        }
      void **one = &p[i * 7 % SLOTS];
      size_t size = sizes[i * 3 % SIZES];
      free (*one);
      *one = malloc (size);
      memset (*one, i, size);
    }
  maps = hkm_os_calls (HKM_OS_MMAP) - maps;
  unmaps = hkm_os_calls (HKM_OS_MUNMAP) - unmaps;
  CHECKF (maps == 0 && unmaps == 0, "%llu mmap and %llu munmap calls",
          (unsigned long long) maps, (unsigned long long) unmaps);
#ifdef HKM_WITH_STATS
  CHECK (hkm_big_counts.value[HKM_COUNT_BIG_CACHE_HIT] - hits == MORE
         && hkm_big_counts.value[HKM_COUNT_BIG_ALLOC] - allocs == MORE);
#else
  (void) hits, (void) allocs;
#endif
  for (int k = 0; k < SLOTS; k++)
    free (p[k]);
}

/* An alignment asked for is met by cached mappings too.  */
TEST (aligned_big_blocks)
{
  begin ();
  for (size_t align = 1 << 16; align <= 32u * MIB; align *= 2)
    for (size_t size = align / 2 + 1; size <= 9u * MIB; size += 3 * MIB)
      {
        char *p = memalign (align, size);
        if (!CHECK (p != NULL && (uintptr_t) p % align == 0))
          return;
        p[0] = p[size - 1] = 1;
        CHECK (malloc_usable_size (p) >= size);
        free (p);
      }
}

/* ---- pieces ---- */

/* Blocks of many sizes are cut from one mapping, with what they hold, and when
   all are freed, in any order, it is one again.  */
TEST (cut_and_joined)
{
  enum { ROUNDS = 40, MOST = 20 };
  char *p[MOST], *whole = NULL;
  size_t size[MOST];
  uint64_t rng = rng_seed (5), calls = 0;
  begin ();
  hkm_retain_init (100 * MIB);
  for (int round = 0; round < ROUNDS; round++)
    {
      char *all = malloc (BUDGET);
      memset (all, round, BUDGET);
      free (all);
      CHECKF (whole == NULL || all == whole, "%p, then %p", whole, all);
      whole = all;
      if (round == 0)
        calls = hkm_os_calls (HKM_OS_MMAP) + hkm_os_calls (HKM_OS_MUNMAP);
      int n = 0;
      for (; n < MOST; n++)
        {
          size[n] = draw (&rng, 2 * MIB + 1, 6 * MIB);
          if (facts ().cached_bytes < 9 * MIB)
            break;
          p[n] = rng_next (&rng) % 2 ? calloc (1, size[n]) : malloc (size[n]);
          if (!CHECKF (p[n] >= all && p[n] + size[n] <= all + BUDGET,
                       "%p lies outside", (void *) p[n]))
            return;
          block_fill (p[n], size[n], (uint64_t) n + 1);
        }
      CHECK (n > 8);
      for (int left = n; left > 0;)
        {
          int k = (int) (rng_next (&rng) % (uint64_t) left--);
          CHECK (block_good (p[k], size[k], (uint64_t) k + 1));
          free (p[k]);
          p[k] = p[left];
          size[k] = size[left];
          if (k < left) /* its content is that of its first place */
            block_fill (p[k], size[k], (uint64_t) k + 1);
        }
      hkm_big_facts f = facts ();
      CHECKF (f.cached_bytes == BUDGET && f.idle_bytes == BUDGET
              && hkm_retain_idle () == BUDGET,
              "%llu bytes cached, %llu idle, %zu in all",
              (unsigned long long) f.cached_bytes,
              (unsigned long long) f.idle_bytes, hkm_retain_idle ());
    }
  calls = hkm_os_calls (HKM_OS_MMAP) + hkm_os_calls (HKM_OS_MUNMAP) - calls;
  CHECKF (calls == 0, "%llu mmap and munmap calls", (unsigned long long) calls);
  hkm_retain_init (FLOOR);
}

/* Blocks that replace others get the next half of a power of two, those of a
   program that only asks for more exactly their granules.  */
TEST (who_grows_gets_no_more)
{
  enum { N = 8 };
  const size_t size = 2 * MIB + 8 * HKM_GRANULE + 1;
  char *p[N];
  begin ();
  hkm_retain_init (100 * MIB);
  free (malloc (BUDGET));
  for (int i = 0; i < N; i++)
    {
      p[i] = malloc (size);
      size_t mapped = big_of (p[i])->mapped;
      CHECKF (i < 2 || mapped == 2 * MIB + 9 * HKM_GRANULE, "%zu bytes for block %d",
              mapped, i);
    }
  for (int i = 0; i < N; i++)
    free (p[i]);
  for (int i = 0; i < N; i++)
    {
      char *q = malloc (size);
      CHECKF (big_of (q)->mapped == 3 * MIB, "%zu bytes for one in place of %d",
              big_of (q)->mapped, i);
      free (q);
    }
  hkm_retain_init (FLOOR);
}

/* Mappings that nobody cut, but that lie side by side, become one, and no live
   block is part of it.  */
TEST (neighbours_become_one)
{
  enum { N = 8 };
  char *p[N];
  begin ();
  hkm_retain_init (100 * MIB);
  for (int i = 0; i < N; i++)
    p[i] = memset (malloc (4 * MIB), i + 1, 4 * MIB);
  int apart = 0; /* where the OS put something between */
  for (int i = 1; i < N; i++)
    apart += p[i] + 4 * MIB != p[i - 1] && p[i - 1] + 4 * MIB != p[i];
  CHECKF (apart < 2, "%d of %d lie apart", apart, N);
  for (int i = 0; i < N; i += 2)
    free (p[i]);
  for (int i = 1; i < N; i += 2)
    CHECK (p[i][0] == i + 1 && p[i][4 * MIB - 1] == i + 1
           && big_of (p[i])->mapped == 4 * MIB);
  for (int i = 1; i < N; i += 2)
    free (p[i]);
  if (apart == 0)
    {
      char *q = malloc (4 * MIB * N);
      CHECKF (q == p[0] || q == p[N - 1], "%p is not of %p to %p", (void *) q,
              (void *) p[0], (void *) p[N - 1]);
      free (q);
    }
  hkm_retain_init (FLOOR);
}

/* The kernel neither moves nor lengthens what it has as several mappings: such a
   block is copied, without a trim and without a reserve that stays.  */
TEST (grown_though_in_parts)
{
  begin ();
  hkm_retain_init (100 * MIB);
  char *other = malloc (20 * MIB), *p = malloc (8 * MIB);
  void *between = malloc (3 * MIB);
  memset (other, 1, 20 * MIB);
  free (other);
  block_fill (p, 8 * MIB, 7);
  CHECK (madvise (p + 4 * MIB, 4 * MIB, MADV_DONTDUMP) == 0);
  uint64_t remaps = hkm_os_calls (HKM_OS_MREMAP);
  uint64_t cached = facts ().cached_bytes, maps = hkm_os_calls (HKM_OS_MMAP);
  errno = 0;
  char *q = realloc (p, 30 * MIB);
  CHECK (q != NULL && q != p && errno == 0);
  CHECK (block_kept (q, 8 * MIB, 8 * MIB, (uintptr_t) p, 7));
  CHECKF (hkm_os_calls (HKM_OS_MREMAP) == remaps + 1
          && hkm_os_calls (HKM_OS_MMAP) == maps + 1,
          "%llu mremap and %llu mmap calls",
          (unsigned long long) (hkm_os_calls (HKM_OS_MREMAP) - remaps),
          (unsigned long long) (hkm_os_calls (HKM_OS_MMAP) - maps));
  CHECK (facts ().cached_bytes == cached + 8 * MIB);
  free (q);
  free (between);
  hkm_retain_init (FLOOR);
}

/* A block that became part of another mapping was freed all the same.  */
TEST (freed_and_joined)
{
  begin ();
  char *whole = malloc (12 * MIB);
  free (whole);
  char *one = malloc (4 * MIB), *other = malloc (4 * MIB);
  CHECK (one == whole && other == whole + 4 * MIB);
  free (one);
  CHECK (!hkm_big_was_freed (other) && !hkm_big_was_freed (other + 64 * 1024));
  free (other);
  CHECK (hkm_map_find (other) == NULL && hkm_big_was_freed (other));
  CHECK (!hkm_big_was_freed (other + 16) && !hkm_big_was_freed (&other));
  malloc_trim (0);
  CHECK (!hkm_big_was_freed (other));
}

/* A block grows into cached memory behind it without a call.  */
TEST (grown_into_what_lies_behind)
{
  begin ();
  hkm_retain_init (100 * MIB);
  char *whole = malloc (60 * MIB), *p;
  memset (whole, 1, 60 * MIB);
  free (whole);
  uint64_t calls = hkm_os_calls (HKM_OS_MREMAP) + hkm_os_calls (HKM_OS_MMAP);
  size_t size = 3 * MIB;
  p = malloc (size);
  CHECK (p == whole);
  for (; size <= 60 * MIB; size += 1 * MIB)
    {
      CHECK ((p = realloc (p, size)) == whole);
      block_fill (p, size, size);
      CHECK (block_good (p, size, size));
      CHECK (malloc_usable_size (p) == size);
      hkm_big_facts f = facts ();
      CHECKF (f.mapped_bytes == 60 * MIB
              && f.idle_bytes == 60 * MIB - size
              && hkm_retain_idle () == f.idle_bytes,
              "%zu bytes: %llu mapped, %llu idle", size,
              (unsigned long long) f.mapped_bytes,
              (unsigned long long) f.idle_bytes);
    }
  CHECK (hkm_os_calls (HKM_OS_MREMAP) + hkm_os_calls (HKM_OS_MMAP) == calls);
  free (p);
  hkm_retain_init (FLOOR);
}

/* Of a mapping that is cached no more goes back than what is over the budget. */
TEST (no_more_is_evicted_than_must)
{
  begin ();
  hkm_retain_init (100 * MIB);
  char *one = malloc (40 * MIB), *between = malloc (3 * MIB),
       *other = malloc (30 * MIB);
  memset (one, 1, 40 * MIB);
  free (one);
  free (other);
  CHECKF (facts ().cached_bytes == BUDGET, "%llu bytes cached",
          (unsigned long long) facts ().cached_bytes);
  CHECK (facts ().idle_bytes == BUDGET && hkm_retain_idle () == BUDGET);
  CHECK (big_of (one) != NULL && big_of (one)->mapped == 34 * MIB);
  char *p = malloc (34 * MIB);
  CHECK (p == one && p[0] == 1 && p[34 * MIB - 1] == 1);
  free (p);
  free (between);
  hkm_retain_init (FLOOR);
}

/* ---- strategies ---- */

/* A 6 MiB block and a 7 MiB one, no neighbours, are freed, in this order: which
   serves 5 MiB?  */
static void *
second_of_two (void **seven, void **six)
{
  *seven = malloc (7 * MIB);
  void *between = malloc (3 * MIB);
  *six = malloc (6 * MIB);
  free (*six);
  free (*seven);
  void *p = malloc (5 * MIB);
  free (between);
  return p;
}

TEST (which_block_serves)
{
  static const struct { uint32_t strategy; bool newest; } cases[]
      = { { LRU, true }, { BEST, false }, { DECAY, false }, { KEEP, false } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
      void *seven, *six;
      begin ();
      hkm_retain_init (100 * MIB);
      set_strategy (cases[i].strategy);
      void *p = second_of_two (&seven, &six);
      CHECKF (p == (cases[i].newest ? seven : six),
              "strategy %u: %p of %p, %p", cases[i].strategy, p, seven, six);
      free (p);
      hkm_retain_init (FLOOR);
    }
}

TEST (decay_gives_pages_back_soon)
{
  begin ();
  hkm_retain_init (100 * MIB);
  set_strategy (DECAY);
  char *p = malloc (20 * MIB);
  memset (p, 1, 20 * MIB);
  free (p);
  CHECK (facts ().idle_bytes == 20 * MIB);
  clock_ms += 50;
  free (malloc (3 * MIB));
  CHECK (facts ().idle_bytes >= 20 * MIB);
  clock_ms += 60;
  uint64_t calls = hkm_os_calls (HKM_OS_MADVISE);
  void *q = malloc (3 * MIB);
  CHECKF (facts ().idle_bytes < 4 * MIB, "%llu bytes idle after 110 ms",
          (unsigned long long) facts ().idle_bytes);
  CHECK (hkm_os_calls (HKM_OS_MADVISE) > calls);
  CHECK (facts ().mapped_bytes == 20 * MIB); /* the mapping stays */
  free (q);
  hkm_retain_init (FLOOR);
}

/* Pages are kept beside the budget of idle memory, and join it when another
   strategy comes into force.  */
TEST (keep_keeps_until_another_comes)
{
  begin ();
  set_strategy (KEEP);
  char *p = malloc (30 * MIB);
  memset (p, 1, 30 * MIB);
  uint64_t calls = hkm_os_calls (HKM_OS_MADVISE);
  free (p);
  CHECK (facts ().idle_bytes == 0 && hkm_retain_idle () == 0);
  CHECK (hkm_os_calls (HKM_OS_MADVISE) == calls);
  p = malloc (30 * MIB);
  CHECK (p[29 * MIB] == 1); /* not purged */
  free (p);
  set_strategy (BEST);
  free (malloc (3 * MIB));
  CHECK (hkm_os_calls (HKM_OS_MADVISE) > calls);
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
          "%zu idle, budget %zu", hkm_retain_idle (), hkm_retain_budget ());
  CHECK (hkm_retain_idle () == facts ().idle_bytes);
}

/* ---- content ---- */

/* Only what was written before is cleared: what was purged stays untouched.  */
TEST (calloc_clears_what_was_touched)
{
  enum { SIZE = 40 * MIB, PAGE = 4096 };
  static unsigned char here[SIZE / PAGE];
  begin ();
  hkm_retain_init (2 * MIB);
  char *p = malloc (SIZE);
  memset (p, 1, SIZE);
  free (p);
  size_t left = big_of (p) != NULL ? big_of (p)->touched : 0;
  CHECKF (left > 0 && left <= 2 * MIB, "%zu bytes left", left);
  char *q = calloc (1, SIZE);
  CHECK (q == p);
  size_t resident = 0;
  CHECK (mincore (q, SIZE, here) == 0);
  for (size_t i = 0; i < SIZE / PAGE; i++)
    resident += (here[i] & 1) * PAGE;
  CHECKF (resident <= left, "%zu bytes resident, %zu were touched", resident,
          left);
  for (size_t i = 0; i < SIZE; i++)
    if (!CHECKF (q[i] == 0, "byte %zu", i))
      break;
  free (q);
  hkm_retain_init (FLOOR);
}

/* A program may write all that malloc_usable_size says.  */
TEST (usable_bytes_are_cleared_too)
{
  begin ();
  hkm_retain_init (100 * MIB);
  free (malloc (8 * MIB));
  char *p = malloc (5 * MIB);
  size_t usable = malloc_usable_size (p);
  CHECK (usable >= 5 * MIB);
  memset (p, 1, usable);
  free (p);
  p = calloc (1, 8 * MIB);
  for (size_t i = 0; i < 8 * MIB; i++)
    if (!CHECKF (p[i] == 0, "byte %zu of what was usable before", i))
      break;
  free (p);
  hkm_retain_init (FLOOR);
}

/* Within its mapping a block grows and shrinks without a call, and what a
   smaller size leaves is idle memory.  */
TEST (resized_within_the_mapping)
{
  begin ();
  hkm_retain_init (100 * MIB);
  free (malloc (8 * MIB));
  char *p = malloc (5 * MIB);
  uint64_t calls = hkm_os_calls (HKM_OS_MREMAP);
  memset (p, 1, 5 * MIB);
  CHECK (realloc (p, 8 * MIB) == p && hkm_retain_idle () == 0);
  memset (p, 2, 8 * MIB);
  CHECK (realloc (p, 6 * MIB) == p && malloc_usable_size (p) == 6 * MIB);
  CHECKF (hkm_retain_idle () == 2 * MIB, "%zu bytes idle", hkm_retain_idle ());
  CHECK (hkm_os_calls (HKM_OS_MREMAP) == calls);
  p = realloc (p, 3 * MIB);
  CHECK (p[3 * MIB - 1] == 2 && hkm_os_calls (HKM_OS_MREMAP) == calls + 1);
  CHECK (hkm_retain_idle () == 0);
  free (p);
  hkm_retain_init (FLOOR);
}

/* ---- when the OS refuses ---- */

static uint32_t refused_calls; /* a bit for each kind */
static uint64_t countdown;     /* calls until one of them fails; 0: all do */

static bool
refuse (enum hkm_os_call which)
{
  if (!(refused_calls >> which & 1))
    return false;
  return countdown == 0 || --countdown == 0;
}

/* The blocks of a script.  */
static size_t shortest = 2 * MIB + 1, longest = 6 * MIB;

static void
take (kept *k, char *p, size_t size, uint64_t seed)
{
  *k = (kept){ p, size, seed };
  if (p != NULL)
    block_fill (p, size, seed);
}

static void
step (kept *k, uint64_t *rng)
{
  uint64_t what = rng_next (rng) % 4, seed = rng_next (rng);
  size_t size = draw (rng, shortest, longest);
  char *p;
  errno = 0;
  if (k->p != NULL && !CHECK (block_good (k->p, k->size, k->seed)))
    return;
  if (what == 0 && k->p != NULL)
    {
      size_t least = size < k->size ? size : k->size;
      uintptr_t old = (uintptr_t) k->p;
      p = realloc (k->p, size);
      if (p == NULL)
        {
          CHECK (errno == ENOMEM);
          CHECK (block_good (k->p, k->size, k->seed));
          return;
        }
      CHECK (block_kept (p, least, k->size, old, k->seed));
    }
  else
    {
      free (k->p);
      CHECK (errno == 0);
      p = what == 1 ? calloc (1, size) : malloc (size);
      CHECK (p != NULL || errno == ENOMEM);
      CHECK (what != 1 || p == NULL || block_zero (p, size));
    }
  take (k, p, size, seed);
}

/* STEPS of one script; the OS refuses as was set.  */
static void
run_script (int steps)
{
  enum { SLOTS = 4 };
  kept k[SLOTS] = { { NULL, 0, 0 } };
  uint64_t rng = rng_seed (17);
  hkm_os_fault = refuse;
  for (int i = 0; i < steps && check_failures == 0; i++)
    {
      step (&k[rng_next (&rng) % SLOTS], &rng);
      if (i % 8 == 7)
        malloc_trim (0);
      accounts_are_right (k, SLOTS);
    }
  hkm_os_fault = NULL;
  for (int i = 0; i < SLOTS; i++)
    {
      CHECK (k[i].p == NULL || block_good (k[i].p, k[i].size, k[i].seed));
      free (k[i].p);
    }
  begin (); /* all goes back once the OS takes it */
}

/* Each call of the script in turn.  */
TEST (any_one_call_fails)
{
  begin ();
  for (uint32_t which = 0; which < HKM_OS_CALLS; which++)
    for (uint64_t n = 1; check_failures == 0; n++)
      {
        refused_calls = 1u << which;
        countdown = n;
        run_script (40);
        if (countdown == 0) /* it failed */
          continue;
        CHECKF (n > 1, "no call of kind %u", which);
        break;
      }
}

/* From some point on all calls of some kinds fail.  */
TEST (calls_fail_for_good)
{
  begin ();
  for (uint32_t kinds = 1; kinds < 1u << HKM_OS_CALLS; kinds++)
    {
      refused_calls = kinds;
      countdown = 0;
      run_script (30);
    }
}

/* TEST of blocks that pass through the front (big/front.h), which is open from
   twice the BUDGET on.  */
static void
with_front (void (*test) (void))
{
  hkm_front_sums before, after;
  shortest = MIB + 1;
  longest = 3 * MIB;
  cache_budget = 8 * BUDGET;
  hkm_front_sum (&before);
  test ();
  hkm_front_sum (&after);
  CHECKF (after.taken > before.taken, "%llu blocks from the front",
          (unsigned long long) (after.taken - before.taken));
}

TEST (any_one_call_fails_with_the_front)
{
  with_front (test_any_one_call_fails);
}

TEST (calls_fail_for_good_with_the_front)
{
  with_front (test_calls_fail_for_good);
}

int
main (void)
{
#ifndef HKM_WITH_BIGCACHE
  puts ("skip all: built without the BigCache");
  return check_done ();
#endif
  setenv ("HAKMEM_BIGCACHE", "64M", 1);
  setenv ("HAKMEM_RETAIN", "4M", 1);
  free (malloc (1));
  RUN (the_budget_is_never_exceeded);
  RUN (huge_requests_go_to_the_os);
  RUN (no_mapping_calls_in_steady_state);
  RUN (aligned_big_blocks);
  RUN (cut_and_joined);
  RUN (who_grows_gets_no_more);
  RUN (neighbours_become_one);
  RUN (grown_though_in_parts);
  RUN (freed_and_joined);
  RUN (grown_into_what_lies_behind);
  RUN (no_more_is_evicted_than_must);
  RUN (which_block_serves);
  RUN (decay_gives_pages_back_soon);
  RUN (keep_keeps_until_another_comes);
  RUN (calloc_clears_what_was_touched);
  RUN (usable_bytes_are_cleared_too);
  RUN (resized_within_the_mapping);
  RUN (any_one_call_fails);
  RUN (calls_fail_for_good);
  RUN (any_one_call_fails_with_the_front);
  RUN (calls_fail_for_good_with_the_front);
  return check_done ();
}
