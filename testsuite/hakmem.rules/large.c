/* Free large blocks: thread caches, the shared pool's shards and bundles, longer
   blocks for shorter requests; and that none of it keeps memory that others want
   or the budget forbids.  */
#include "inside.h"
#include "large.h"
#include "large/run.h"

#include <sched.h>


enum { KIB = 1 << 10, MIB = 1 << 20, SLOT = 64 * KIB, ROOMY = 64 * MIB };

/* ---- where threads run is the test's ---- */

static __thread unsigned my_cpu, my_node;
static bool cpu_known = true;

static bool
injected (unsigned *cpu, unsigned *node)
{
  if (cpu_known)
    {
      *cpu = my_cpu;
      *node = my_node;
    }
  return cpu_known;
}

/* Nothing idle anywhere; a policy of so many blocks.  */
static void
begin (uint32_t cap, uint32_t bundle, uint32_t wmax)
{
  hkm_policy p = policy_now ();
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    p.run_most[k] = cap >> k != 0 || cap == 0 ? cap >> k : 1;
  p.run_bundle = bundle;
  p.run_wmax = wmax;
  CHECK (hkm_policy_publish (&p));
  hkm_retain_init (ROOMY);
  malloc_trim (0);
  CHECK (shared_slots () == 0);
  CHECKF (hkm_retain_idle () == 0, "%zu bytes are idle", hkm_retain_idle ());
  several_nodes = 0;
}

static void
end (void)
{
  my_cpu = my_node = 0;
  cpu_known = true;
  begin (16, 8, 200);
}

#ifdef HKM_WITH_STATS
static uint64_t
counter (enum hkm_counter which)
{
  return hkm_load_relaxed (&hkm_heap_counts (hkm_heap_mine ())->value[which]);
}
#endif

static hkm_run_cache *
my_cache (void)
{
  return &hkm_heap_mine ()->runs;
}

static void
alloc_many (void **p, size_t n, size_t size)
{
  for (size_t i = 0; i < n; i++)
    if (!CHECK ((p[i] = malloc (size)) != NULL))
      abort ();
}

static void
free_many (void **p, size_t n)
{
  for (size_t i = 0; i < n; i++)
    free (p[i]);
}

/* ---- caps ---- */

TEST (caps_hold)
{
  enum { N = 40 };
  static const struct { unsigned slots, cap; size_t most; } row[] = {
    { 1, 8, 8 },   { 2, 8, 4 },   { 4, 8, 2 },   { 3, 8, 2 },  { 8, 8, 1 },
    { 16, 8, 1 },  { 16, 16, 1 }, { 8, 16, 2 },  { 5, 16, 2 }, { 16, 1, 1 },
    { 1, 3, 3 },   { 1, 64, 64 }, { 16, 64, 4 }, { 1, 0, 0 },  { 16, 0, 0 },
    { 17, 64, 0 }, { 32, 64, 0 },
  };
  void *p[N];
  for (size_t r = 0; r < sizeof row / sizeof *row; r++)
    {
      begin (row[r].cap, 8, 200);
      alloc_many (p, N, row[r].slots * SLOT);
      for (size_t i = 0; i < N; i++)
        {
          free (p[i]);
          size_t runs = cached_slots (my_cache ()) / row[r].slots;
          CHECKF (runs <= row[r].most && (row[r].most == 0 || runs > 0),
                  "%zu runs of %u slots with a cap of %u", runs, row[r].slots,
                  row[r].cap);
        }
    }
  end ();
}

/* Of several lengths of a class, the one longest unused makes room.  */
TEST (the_oldest_length_goes)
{
  void *a, *b, *c;
  begin (16, 8, 100);
  alloc_many (&a, 1, 5 * SLOT);
  alloc_many (&b, 1, 6 * SLOT);
  alloc_many (&c, 1, 7 * SLOT);
  free (b);
  free (a);
  free (c);
  CHECK (my_cache ()->xlist[5 - 1] != NULL && my_cache ()->xlist[7 - 1] != NULL);
  CHECK (my_cache ()->xlist[6 - 1] == NULL && shard_runs (0, 6) == 1);
  end ();
}

/* ---- bundles ---- */

static int
by_address (const void *a, const void *b)
{
  uintptr_t x = (uintptr_t) *(void *const *) a, y = (uintptr_t) *(void *const *) b;
  return x < y ? -1 : x > y;
}

TEST (bundles_move_whole)
{
#if !defined HKM_WITH_STATS || !defined HKM_WITH_BUNDLE
  SKIP ("built without statistics or bundles");
#else
  enum { MOST = 300 };
  static const struct { uint32_t bundle, cap, n; } row[]
      = { { 1, 16, 44 }, { 3, 16, 44 }, { 8, 16, 44 }, { 64, 128, MOST } };
  static void *p[MOST], *q[MOST];
  for (size_t r = 0; r < sizeof row / sizeof *row; r++)
    {
      uint32_t bundle = row[r].bundle, n = row[r].n;
      begin (row[r].cap, bundle, 100);
      alloc_many (p, n, SLOT);
      for (size_t i = 0; i < n; i++)
        memset (p[i], 1, 16);
      uint64_t moves = counter (HKM_COUNT_RUN_BUNDLE),
               blocks = counter (HKM_COUNT_RUN_BUNDLE_BLOCKS);
      free_many (p, n);
      moves = counter (HKM_COUNT_RUN_BUNDLE) - moves;
      blocks = counter (HKM_COUNT_RUN_BUNDLE_BLOCKS) - blocks;
      CHECKF (moves > 0 && blocks == moves * bundle,
              "%llu blocks in %llu bundles of %u", (unsigned long long) blocks,
              (unsigned long long) moves, bundle);
      size_t held = cached_slots (my_cache ()) + shared_slots ();
      CHECKF (held <= row[r].cap + HKM_RUN_ROWS * bundle
              && held > row[r].cap,
              "%zu runs are kept", held);
      /* What was kept comes back, each once, before new memory.  */
      uint64_t fresh = counter (HKM_COUNT_RUN_NEW);
      alloc_many (q, held, SLOT);
      CHECK (counter (HKM_COUNT_RUN_NEW) == fresh);
      CHECK (cached_slots (my_cache ()) + shared_slots () == 0);
      CHECK (counter (HKM_COUNT_RUN_SHARED_HIT) > 0);
      qsort (q, held, sizeof *q, by_address);
      for (size_t i = 1; i < held; i++)
        CHECKF (q[i] != q[i - 1], "%p twice", q[i]);
      free_many (q, held);
    }
  end ();
#endif
}

/* ---- shards ---- */

/* A thread on ARG's CPU frees its batch.  */
typedef struct on_cpu
{
  unsigned cpu, node;
  batch blocks;
} on_cpu;

static void
job_free_there (void *arg)
{
  on_cpu *o = arg;
  my_cpu = o->cpu;
  my_node = o->node;
  job_free (&o->blocks);
}

static void
job_malloc_there (void *arg)
{
  on_cpu *o = arg;
  my_cpu = o->cpu;
  my_node = o->node;
  job_malloc (&o->blocks);
}

TEST (a_shard_for_each_cpu)
{
  enum { N = 3 };
  void *p[N];
  static actor a[2];
  actor_start (&a[0]), actor_start (&a[1]);
  for (unsigned cpu = 0; cpu < 10; cpu++)
    {
      on_cpu there = { cpu, 0, { p, N, SLOT } };
      unsigned number = cpu % shard_limit ();
      begin (2, 8, 100);
      alloc_many (p, N, SLOT);
      act (&a[0], job_free_there, &there); /* the third sends one to the pool */
      CHECKF (shard_runs (number, 1) == 1 && shared_slots () == 1,
              "CPU %u: %zu runs in shard %u of %zu", cpu,
              shard_runs (number, 1), number, shared_slots ());
    }
  /* From two shards each takes its own first, and then the other's.  */
  begin (2, 8, 100);
  void *r[2][N];
  alloc_many (r[0], N, SLOT), alloc_many (r[1], N, SLOT);
  for (unsigned i = 0; i < 2; i++)
    {
      on_cpu there = { i, 0, { r[i], N, SLOT } };
      act (&a[i], job_free_there, &there);
    }
  unsigned second = 1 % shard_limit ();
  size_t in_second = shard_runs (second, 1);
  CHECK (shared_slots () == 2 && in_second > 0);
  on_cpu there = { 1, 0, { p, 3, SLOT } };
  act (&a[1], job_malloc_there, &there); /* two of its cache's */
  CHECK (shard_runs (second, 1) == in_second - 1 && shared_slots () == 1);
  there.blocks = (batch) { r[0], 1, SLOT };
  act (&a[1], job_malloc_there, &there);
  CHECK (shared_slots () == 0);
  there.blocks = (batch) { p, 3, SLOT };
  act (&a[1], job_free_there, &there);
  there.blocks = (batch) { r[0], 1, SLOT };
  act (&a[1], job_free_there, &there);
  actor_end (&a[0]), actor_end (&a[1]);
  end ();
}

TEST (a_shard_for_each_node_if_there_are_several)
{
  enum { N = 3 };
  void *p[N];
  static const struct { unsigned cpu, node, number; } row[]
      = { { 5, 0, 5 }, { 5, 3, 3 }, { 6, 3, 3 }, { 5, 0, 0 }, { 7, 9, 9 } };
  static actor a;
  actor_start (&a);
  begin (2, 8, 100);
  for (size_t i = 0; i < sizeof row / sizeof *row; i++)
    {
      on_cpu there = { row[i].cpu, row[i].node, { p, N, SLOT } };
      unsigned number = row[i].number % shard_limit ();
      malloc_trim (0);
      alloc_many (p, N, SLOT);
      act (&a, job_free_there, &there);
      CHECKF (shard_runs (number, 1) == 1,
              "CPU %u, node %u: none in shard %u", row[i].cpu, row[i].node,
              number);
    }
  actor_end (&a);
  end ();
}

TEST (without_getcpu_one_shard_serves_all)
{
  void *p[3];
  begin (2, 8, 100);
  cpu_known = false;
  my_cpu = 3;
  alloc_many (p, 3, SLOT);
  free_many (p, 3);
  CHECK (shard_runs (0, 1) == 1);
  end ();
}

/* The vDSO's answer, where it has one: this thread on each CPU it may use.  */
TEST (the_real_cpu)
{
  cpu_set_t all, one;
  unsigned cpu, node;
  hkm_os_cpu_override = NULL;
  bool known = hkm_os_cpu (&cpu, &node);
  int have = sched_getaffinity (0, sizeof all, &all);
#ifdef __x86_64__
  CHECK (known);
#endif
  for (int i = 0; known && have == 0 && i < CPU_SETSIZE; i++)
    if (CPU_ISSET (i, &all))
      {
        CPU_ZERO (&one);
        CPU_SET (i, &one);
        if (sched_setaffinity (0, sizeof one, &one) != 0)
          continue;
        CHECK (hkm_os_cpu (&cpu, &node));
        CHECKF (cpu == (unsigned) i, "CPU %u instead of %d", cpu, i);
      }
  if (have == 0)
    sched_setaffinity (0, sizeof all, &all);
  hkm_os_cpu_override = injected;
  if (!known)
    SKIP ("the vDSO has no getcpu");
}

/* ---- W_MAX ---- */

/* With a free run of every length, and of WMAX percent: what a request gets.  */
TEST (waste_is_bounded)
{
#ifndef HKM_WITH_WMAX
  SKIP ("built without it");
#endif
  static const uint32_t wmax[] = { 100, 125, 150, 200 };
  for (size_t w = 0; w < sizeof wmax / sizeof *wmax; w++)
    for (unsigned kept = 1; kept <= HKM_RUN_LONGEST; kept++)
      for (size_t size = 32 * KIB + 1; size <= kept * SLOT; size += 4093)
        {
          begin (8, 8, wmax[w]);
          free (malloc (kept * SLOT));
          CHECK (cached_slots (my_cache ()) == kept);
          void *p = malloc (size);
          size_t usable = malloc_usable_size (p);
          size_t exact = (size + SLOT - 1) / SLOT * SLOT;
          bool may = kept * SLOT == exact
                     || kept * SLOT <= size * wmax[w] / 100;
          CHECKF (usable == (may ? kept * SLOT : exact),
                  "%zu bytes got %zu, %u slots were free, %u percent", size,
                  usable, kept, wmax[w]);
          free (p);
        }
  end ();
}

TEST (the_shortest_that_serves)
{
#ifndef HKM_WITH_WMAX
  SKIP ("built without it");
#endif
  void *p[4];
  begin (64, 8, 200);
  alloc_many (&p[0], 1, 8 * SLOT), alloc_many (&p[1], 1, 6 * SLOT);
  alloc_many (&p[2], 1, 7 * SLOT), alloc_many (&p[3], 1, 4 * SLOT);
  free_many (p, 4);
  static const size_t want[] = { 6, 7, 8, 5 };
  for (int i = 0; i < 4; i++)
    {
      p[i] = malloc (5 * SLOT);
      CHECKF (malloc_usable_size (p[i]) == want[i] * SLOT, "number %d: %zu", i,
              malloc_usable_size (p[i]));
    }
  free_many (p, 4);
  end ();
}

/* realloc keeps to the same bound, and leaves the block where it can.  */
TEST (realloc_keeps_the_bound)
{
  begin (8, 8, 200);
  char *p = malloc (4 * SLOT), *q;
  CHECK (p != NULL);
  q = realloc (p, 3 * SLOT);
  CHECK (q == p);
  q = realloc (p, 2 * SLOT - 1);
  CHECK (q == p);
  CHECKF (malloc_usable_size (q) == 2 * SLOT, "%zu bytes for %d",
          malloc_usable_size (q), 2 * SLOT - 1);
  CHECK (realloc (q, 2 * SLOT) == q);
  free (q);
  end ();
}

/* ---- nobody keeps what others want ---- */

TEST (unused_classes_are_forgotten)
{
  void *p[3];
  begin (16, 8, 100);
  alloc_many (p, 3, 8 * SLOT);
  free_many (p, 3);
  CHECK (cached_slots (my_cache ()) == 16 && shared_slots () == 8);
  for (int i = 0; i < 50; i++)
    free (malloc (SLOT));
  CHECKF (cached_slots (my_cache ()) + shared_slots () == 1,
          "%zu and %zu slots", cached_slots (my_cache ()), shared_slots ());
  end ();
}

static void
job_nothing (void *unused UNUSED)
{
}

/* A thread that sleeps has its cache full; it counts, and it goes.  */
TEST (the_budget_reaches_every_cache)
{
  enum { N = 6 };
  void *p[N], *q[N];
  static actor a;
  actor_start (&a);
  begin (16, 8, 100);
  alloc_many (p, N, SLOT);
  alloc_many (q, N, 4 * SLOT);
  on_cpu there = { 1, 0, { p, N, SLOT } };
  act (&a, job_free_there, &there);
  there.blocks = (batch) { q, N, 4 * SLOT };
  act (&a, job_free_there, &there);
  CHECK (cached_slots (&a.heap->runs) == 6 + 16 && shared_slots () > 0);
  hkm_retain_init (0);
  /* What takes as much as it brings looks at the budget now and then.  */
  for (int i = 0; i < 16; i++)
    free (malloc (SLOT));
  CHECKF (hkm_retain_idle () <= hkm_retain_budget (),
          "%zu idle bytes, a budget of %zu", hkm_retain_idle (),
          hkm_retain_budget ());
  CHECK (shared_slots () == 0 && cached_slots (&a.heap->runs) <= 1);
  /* Its thread goes on as if nothing was.  */
  hkm_retain_init (ROOMY);
  batch again = { p, N, SLOT };
  for (int i = 0; i < 3; i++)
    {
      act (&a, job_malloc, &again);
      act (&a, job_free, &again);
      CHECK (cached_slots (&a.heap->runs) == N);
    }
  actor_end (&a);
  end ();
}

/* N blocks P are made here and freed by A, which starts, on CPU: some are in its
   cache then, some in the shared pool.  */
static void
begin_with_both (actor *a, void **p, int n, unsigned cpu)
{
  actor_start (a);
  begin (8, 8, 100);
  alloc_many (p, n, SLOT);
  on_cpu there = { cpu, 0, { p, n, SLOT } };
  act (a, job_free_there, &there);
  CHECK (cached_slots (&a->heap->runs) > 0 && shared_slots () > 0);
}

TEST (trim_empties_all)
{
  enum { N = 20 };
  void *p[N];
  static actor a;
  begin_with_both (&a, p, N, 2);
  malloc_trim (0);
  CHECK (cached_slots (&a.heap->runs) == 0 && shared_slots () == 0);
  CHECKF (hkm_retain_idle () == 0, "%zu bytes", hkm_retain_idle ());
  actor_end (&a);
  end ();
}

static bool
no_map (enum hkm_os_call which)
{
  return which == HKM_OS_MMAP;
}

/* All memory is in pieces that caches hold, and the OS has no more.  */
TEST (no_memory_empties_all)
{
  enum { N = 64 };
  static void *p[N], *q[N];
  size_t got = 0;
  static actor a;
  actor_start (&a);
  act (&a, job_nothing, NULL);
  begin (16, 8, 100);
  hkm_os_fault = no_map;
  while (got < N && (p[got] = malloc (SLOT)) != NULL)
    got++;
  if (got < N) /* what was mapped is less: take some more */
    {
      hkm_os_fault = NULL;
      while (got < N && (p[got] = malloc (SLOT)) != NULL)
        got++;
      hkm_os_fault = no_map;
    }
  size_t extra = 0; /* whatever else is mapped is taken too */
  while (extra < N && (q[extra] = malloc (SLOT)) != NULL)
    extra++;
  on_cpu there = { 1, 0, { p, got, SLOT } };
  act (&a, job_free_there, &there);
  CHECK (cached_slots (&a.heap->runs) > 0 && shared_slots () > 0);
  void *longest = malloc (HKM_LARGE_MAX);
  CHECKF (longest != NULL, "%zu runs were free", got);
  CHECK (cached_slots (&a.heap->runs) == 0 && shared_slots () == 0);
  hkm_os_fault = NULL;
  free (longest);
  free_many (q, extra);
  actor_end (&a);
  end ();
}

/* ---- threads and processes ---- */

TEST (a_cache_stays_with_the_parked_heap)
{
  enum { N = 4 };
  void *p[N], *q[N];
  static actor a;
  batch first = { p, N, 3 * SLOT }, second = { q, N, 3 * SLOT };
  begin (16, 8, 100);
  actor_start (&a);
  act (&a, job_malloc, &first);
  act (&a, job_free, &first);
  actor_end (&a);
  actor_start (&a);
  act (&a, job_malloc, &second); /* the heap parked last is taken first */
  for (int i = 0; i < N; i++)
    CHECKF (q[i] == p[N - 1 - i], "block %d is another", i);
  act (&a, job_free, &second);
  actor_end (&a);
  end ();
}

TEST (a_child_finds_all)
{
  enum { N = 20 };
  void *p[N];
  static actor a;
  begin_with_both (&a, p, N, 1);
  size_t held = cached_slots (&a.heap->runs), boxed = shared_slots ();
  pid_t child = fork ();
  if (child == 0)
    {
      void *q[N];
      if (shared_slots () != boxed || cached_slots (&a.heap->runs) != held)
        _exit (1);
      for (size_t i = 0; i < boxed; i++)
        if ((q[i] = malloc (SLOT)) == NULL)
          _exit (2);
      if (shared_slots () != 0)
        _exit (3);
      for (size_t i = 0; i < boxed; i++)
        free (q[i]);
      malloc_trim (0);
      _exit (hkm_retain_idle () == 0 ? 0 : 4);
    }
  int status = -1;
  CHECK (child > 0 && waitpid (child, &status, 0) == child);
  CHECKF (status == 0, "the child ended with %x", (unsigned) status);
  actor_end (&a);
  end ();
}

/* A run that waits in the pool is free: it is told of, and it is not zero.  */
TEST (what_waits_is_free)
{
  void *p[3];
  begin (2, 8, 100);
  alloc_many (p, 3, SLOT);
  for (int i = 0; i < 3; i++)
    memset (p[i], 0x55, SLOT);
  free_many (p, 3);
  CHECK (shared_slots () == 1);
  for (int i = 0; i < 3; i++)
    CHECK (hkm_run_usable (slab_of (p[i]), p[i]) == 0);
  for (int i = 0; i < 3; i++)
    {
      char *q = calloc (1, SLOT);
      size_t sum = 0;
      for (size_t k = 0; k < SLOT; k++)
        sum += q[k] != 0;
      CHECKF (sum == 0, "%zu bytes are not zero", sum);
      p[i] = q;
    }
  free_many (p, 3);
  end ();
}

/* What the program has, whatever waits beside it.  */
TEST (live_runs_are_counted)
{
  enum { N = 20 };
  void *p[N];
  uint64_t runs[3], slots[3];
  static actor a;
  actor_start (&a);
  begin (8, 8, 100);
  hkm_run_pool_live (&runs[0], &slots[0]);
  alloc_many (p, N, 2 * SLOT);
  p[0] = realloc (p[0], 5 * SLOT);
  hkm_run_pool_live (&runs[1], &slots[1]);
  CHECK (runs[1] - runs[0] == N && slots[1] - slots[0] == 2 * N + 3);
  on_cpu there = { 1, 0, { p, N, 0 } };
  act (&a, job_free_there, &there);
  hkm_run_pool_live (&runs[2], &slots[2]);
  CHECK (runs[2] == runs[0] && slots[2] == slots[0]);
  actor_end (&a);
  end ();
}

int
main (void)
{
  hkm_os_cpu_override = injected;
  free (malloc (1));
  free (malloc (SLOT));
  RUN (caps_hold);
  RUN (the_oldest_length_goes);
  RUN (bundles_move_whole);
  RUN (a_shard_for_each_cpu);
  RUN (a_shard_for_each_node_if_there_are_several);
  RUN (without_getcpu_one_shard_serves_all);
  RUN (the_real_cpu);
  RUN (waste_is_bounded);
  RUN (the_shortest_that_serves);
  RUN (realloc_keeps_the_bound);
  RUN (unused_classes_are_forgotten);
  RUN (the_budget_reaches_every_cache);
  RUN (trim_empties_all);
  RUN (no_memory_empties_all);
  RUN (a_cache_stays_with_the_parked_heap);
  RUN (a_child_finds_all);
  RUN (what_waits_is_free);
  RUN (live_runs_are_counted);
  return check_done ();
}
