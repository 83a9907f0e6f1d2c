/* Counted behaviour over many calls: a mixed run that needs few superslabs and
   few system calls, cycles of growth that map nothing, stages and refills that
   add up.  */
#include "outside.h"

/* The bench's generator: Marsaglia's xorshift of 32 bits.  */
static uint32_t bench_state;
static uint32_t
bench_next (void)
{
  uint32_t x = bench_state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return bench_state = x;
}

static uint64_t
map_calls (void)
{
  return number ("mmap_calls") + number ("munmap_calls");
}

/* random_mixed: 200,000 iterations over 4096 places, 16..1040 bytes.  */
TEST (random_mixed)
{
  enum { PLACES = 4096, ITERATIONS = 200000 };
  static void *p[PLACES];
  uint64_t most = 0;
  bench_state = 1234567;
  for (int i = 0; i < ITERATIONS; i++)
    {
      uint32_t at = bench_next () % PLACES;
      if (p[at] != NULL)
        {
          free (p[at]);
          p[at] = NULL;
        }
      else
        {
          size_t size = 16 + bench_next () % 1025;
          p[at] = malloc (size);
          if (!CHECK (p[at] != NULL))
            return;
          memset (p[at], 1, 16);
        }
      if (i % 1000 == 0)
        {
          uint64_t now = number ("superslabs");
          most = now > most ? now : most;
        }
    }
  /* Since the process began, its start included.  */
  printf ("random_mixed: %llu superslabs, %llu mmap and munmap calls\n",
          (unsigned long long) most, (unsigned long long) map_calls ());
  CHECKF (most <= 4, "%llu superslabs", (unsigned long long) most);
  CHECKF (map_calls () <= 40, "%llu mmap and munmap calls",
          (unsigned long long) map_calls ());
  for (int i = 0; i < PLACES; i++)
    free (p[i]);
}

enum { CYCLE = 24 * 1024 };
static void *cycle[CYCLE];

static void
grow_and_shrink (size_t size)
{
  for (int i = 0; i < CYCLE; i++)
    {
      cycle[i] = malloc (size);
      if (cycle[i] == NULL)
        abort ();
      *(char *) cycle[i] = 1;
    }
  for (int i = 0; i < CYCLE; i++)
    free (cycle[i]);
}

TEST (cycles_map_nothing)
{
  NEED_LRU ();
  if (!counts ())
    SKIP ("built without statistics");
  for (int i = 0; i < 3; i++)
    grow_and_shrink (1024);
  uint64_t maps = number ("mmap_calls"), unmaps = number ("munmap_calls"),
           mapped = number ("SS_MAP"), hits = number ("SS_LRU_HIT");
  for (int i = 0; i < 30; i++)
    grow_and_shrink (i % 2 ? 1024 : 512);
  mapped = number ("SS_MAP") - mapped;
  hits = number ("SS_LRU_HIT") - hits;
  printf ("cycles: %llu superslabs mapped, %llu from the LRU, %llu mmap calls\n",
          (unsigned long long) mapped, (unsigned long long) hits,
          (unsigned long long) (number ("mmap_calls") - maps));
  CHECKF (hits > 0 && hits * 10 > (hits + mapped) * 9,
          "%llu from the LRU, %llu mapped", (unsigned long long) hits,
          (unsigned long long) mapped);
  CHECKF (number ("mmap_calls") == maps && number ("munmap_calls") == unmaps,
          "%llu mmap calls and %llu munmap calls in steady state",
          (unsigned long long) (number ("mmap_calls") - maps),
          (unsigned long long) (number ("munmap_calls") - unmaps));
}

/* Large blocks replaced at random, then all freed, again and again.  Which free
   stretches are left is never the same, so that a superslab more may be wanted
   once in a while.  */
TEST (large_blocks_map_little)
{
  NEED_LRU ();
  NEED_BIGCACHE ();
  enum { PLACES = 64, ITERATIONS = 5000, ROUNDS = 100, FIRST = 40, MOST = 4 };
  static void *p[PLACES];
  uint64_t maps = 0;
  for (int round = 0; round < ROUNDS; round++)
    {
      uint64_t rng = rng_seed (5);
      if (round == FIRST)
        maps = map_calls ();
      for (int i = 0; i < ITERATIONS; i++)
        {
          uint64_t r = rng_next (&rng);
          size_t size = (size_t) (33 * 1024) << r % 5;
          void **one = &p[r / 8 % PLACES];
          free (*one);
          *one = malloc (size + r / 1024 % size);
          if (*one == NULL)
            abort ();
          memset (*one, 1, 4096);
        }
      for (int i = 0; i < PLACES; i++)
        {
          free (p[i]);
          p[i] = NULL;
        }
    }
  maps = map_calls () - maps;
  CHECKF (maps <= MOST, "%llu mmap and munmap calls in %d operations",
          (unsigned long long) maps, (ROUNDS - FIRST) * ITERATIONS);
}

/* The same blocks made and freed in the same order: nothing is mapped.  */
TEST (large_cycles_map_nothing)
{
  NEED_LRU ();
  NEED_BIGCACHE ();
  enum { N = 60, ROUNDS = 500, FIRST = 20 };
  static void *p[N];
  uint64_t maps = 0, purges = 0;
  for (int round = 0; round < ROUNDS; round++)
    {
      if (round == FIRST)
        {
          maps = map_calls ();
          purges = number ("madvise_calls");
        }
      for (int i = 0; i < N; i++)
        {
          p[i] = malloc ((size_t) (33 + i) * 1024 << i % 5);
          if (p[i] == NULL)
            abort ();
          memset (p[i], 1, 4096);
        }
      for (int i = 0; i < N; i++) /* 7 and N have no divisor in common */
        free (p[i * 7 % N]);
    }
  maps = map_calls () - maps;
  purges = number ("madvise_calls") - purges;
  printf ("large: %llu mmap and munmap calls, %llu madvise calls\n",
          (unsigned long long) maps, (unsigned long long) purges);
  CHECKF (maps == 0, "%llu mmap and munmap calls", (unsigned long long) maps);
}

/* Blocks that have a superslab each, 256 MiB on and off: what was given back, the
   mappings too, is missed, so that it is kept in the end.  A block that finds no
   place beside what is kept wants a superslab more now and then.  */
TEST (lonely_blocks_stay)
{
  NEED_LRU ();
  NEED_BIGCACHE ();
  enum { MIB = 1 << 20, ALL = 256, ROUNDS = 60, FIRST = 20, MOST = 120 };
  static void *p[ALL];
  uint64_t calls = 0, rng = rng_seed (11);
  for (int round = 0; round < ROUNDS; round++)
    {
      if (round == FIRST)
        calls = map_calls () + number ("madvise_calls");
      int n = 0;
      for (size_t sum = 0; sum < (size_t) ALL * MIB; n++)
        {
          size_t size = MIB + rng_next (&rng) % MIB;
          p[n] = malloc (size);
          if (p[n] == NULL)
            abort ();
          memset (p[n], 1, 4096);
          sum += size;
        }
      while (n > 0)
        free (p[--n]);
    }
  calls = map_calls () + number ("madvise_calls") - calls;
  printf ("lonely: %llu calls in %d cycles\n", (unsigned long long) calls,
          ROUNDS - FIRST);
  CHECKF (calls <= MOST, "%llu system calls about memory in %d cycles",
          (unsigned long long) calls, ROUNDS - FIRST);
}

/* A phased run: one class after another grows and shrinks, so slabs come and
   go, and many of a class come back while they are still carved.  */
TEST (stages)
{
  if (!counts ())
    SKIP ("built without statistics");
  static void *p[16][3000];
  uint64_t before[3], stage[3], refills = number ("REFILL_ACQUIRE");
  static const char *const names[]
      = { "ACQUIRE_STAGE1", "ACQUIRE_STAGE2", "ACQUIRE_STAGE3" };
  uint64_t rng = rng_seed (7), runs = number ("RUN_ALLOC");
  for (int i = 0; i < 3; i++)
    before[i] = number (names[i]);
  for (int phase = 0; phase < 60; phase++)
    {
      int k = (int) (rng_next (&rng) % 16);
      size_t size = 32 + (size_t) k * 60;
      for (int i = 0; i < 3000; i++)
        {
          free (p[k][i]);
          p[k][i] = malloc (size);
        }
      k = (int) (rng_next (&rng) % 16);
      for (int i = 0; i < 3000; i++)
        {
          free (p[k][i]);
          p[k][i] = NULL;
        }
    }
  uint64_t sum = 0;
  for (int i = 0; i < 3; i++)
    sum += stage[i] = number (names[i]) - before[i];
  printf ("stages: %llu, %llu, %llu\n", (unsigned long long) stage[0],
          (unsigned long long) stage[1], (unsigned long long) stage[2]);
  refills = number ("REFILL_ACQUIRE") - refills;
  CHECKF (sum == refills && number ("RUN_ALLOC") == runs,
          "%llu slabs acquired by %llu refills", (unsigned long long) sum,
          (unsigned long long) refills);
  CHECKF (stage[0] * 100 >= sum * 15, "stage 1 served %llu of %llu",
          (unsigned long long) stage[0], (unsigned long long) sum);
  for (int k = 0; k < 16; k++)
    for (int i = 0; i < 3000; i++)
      free (p[k][i]);
}

/* Each refill was served in exactly one way, each free that counted to zero is
   a retire, and what was carved and freed is what the test did.  */
TEST (counters_add_up)
{
  if (!counts ())
    SKIP ("built without statistics");
  static const char *const ways[]
      = { "REFILL_CARVE", "REFILL_PARTIAL", "REFILL_LENT", "REFILL_REMOTE",
          "REFILL_STUCK", "REFILL_WARM", "REFILL_ADOPT", "REFILL_ACQUIRE",
          "REFILL_FAIL" };
  uint64_t sum = 0;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    sum += number (ways[i]);
  CHECKF (sum == number ("REFILL"), "%llu refills, %llu ways",
          (unsigned long long) number ("REFILL"), (unsigned long long) sum);
  /* A page's worth per refill where slabs are carved.  */
  enum { N = 4096 };
  static void *p[N];
  uint64_t refills = number ("REFILL");
  for (int i = 0; i < N; i++)
    p[i] = malloc (32);
  refills = number ("REFILL") - refills;
  CHECKF (refills <= N / 64 + 8 && refills >= 1,
          "%llu refills for %d blocks of 32, 128 to a page",
          (unsigned long long) refills, N);
  for (int i = 0; i < N; i++)
    free (p[i]);
  uint64_t big = number ("BIG_ALLOC"), big_freed = number ("BIG_FREE"),
           run = number ("RUN_ALLOC"), run_freed = number ("RUN_FREE"),
           hit = number ("RUN_CACHE_HIT");
  for (int i = 0; i < 10; i++)
    {
      free (malloc (5 * MIB));
      free (malloc (200000));
    }
  CHECK (number ("BIG_ALLOC") - big == 10 && number ("BIG_FREE") - big_freed == 10);
  CHECK (number ("RUN_ALLOC") - run == 10 && number ("RUN_FREE") - run_freed == 10);
  CHECK (number ("RUN_CACHE_HIT") - hit >= 9);
  CHECK (number ("BIG_CACHE_HIT") <= number ("BIG_ALLOC"));
}

static void *others[5000];
static void *
free_others (void *arg)
{
  for (int i = 0; i < 5000; i++)
    free (others[i]);
  return arg;
}

TEST (remote_counters)
{
  if (!counts ())
    SKIP ("built without statistics");
  pthread_t thread;
  for (int i = 0; i < 5000; i++)
    others[i] = malloc (100);
  uint64_t freed = number ("REMOTE_FREE"), pushes = number ("REMOTE_PUSH"),
           taken = number ("REMOTE_COLLECT");
  if (pthread_create (&thread, NULL, free_others, NULL) != 0)
    abort ();
  pthread_join (thread, NULL);
  void *p = malloc (3000); /* a cold call takes home what was pushed */
  freed = number ("REMOTE_FREE") - freed;
  pushes = number ("REMOTE_PUSH") - pushes;
  taken = number ("REMOTE_COLLECT") - taken;
  printf ("remote: %llu blocks in %llu pushes\n", (unsigned long long) freed,
          (unsigned long long) pushes);
  /* The thread's own start and end may free a few more.  */
  CHECKF (freed >= 5000 && freed < 5020, "%llu blocks freed",
          (unsigned long long) freed);
  CHECKF (taken >= 5000 && taken <= freed, "%llu taken home of %llu",
          (unsigned long long) taken, (unsigned long long) freed);
  CHECKF (pushes * 20 < freed, "%llu pushes for %llu blocks",
          (unsigned long long) pushes, (unsigned long long) freed);
  free (p);
}

/* Free blocks of a slab that was used are taken before pages that were not: the
   slab being carved waits.  */
TEST (used_before_untouched)
{
  if (!counts ())
    SKIP ("built without statistics");
  enum { SIZE = 112, N = 64 * KIB / SIZE, HALF = N / 2 };
  static void *first[N], *second[HALF], *again[HALF];
  for (int i = 0; i < N; i++)
    first[i] = malloc (SIZE);
  for (int i = 0; i < HALF; i++) /* of another slab, most of which is uncut */
    second[i] = malloc (SIZE);
  for (int i = 0; i < N; i += 2)
    free (first[i]);
  uint64_t carved = number ("BLOCKS_CARVED");
  for (int i = 0; i < HALF; i++)
    again[i] = malloc (SIZE);
  carved = number ("BLOCKS_CARVED") - carved;
  CHECKF (carved < HALF / 4, "%llu blocks cut for %d, with %d free",
          (unsigned long long) carved, HALF, HALF);
  for (int i = 0; i < HALF; i++)
    {
      free (first[2 * i + 1]);
      free (second[i]);
      free (again[i]);
    }
}

/* Each look at a magazine walks its blocks.  Where mid blocks come and go and few
   are ever in it, the looks grow rare: 2 MiB of frees apart.  */
TEST (few_looks_at_magazines)
{
  if (!counts ())
    SKIP ("built without statistics");
  enum { SIZE = 16 * KIB, SLOTS = 64, FREES = 64 * 1024 };
  static void *slot[SLOTS];
  uint64_t rng = rng_seed (11), beats = 0;
  for (int i = 0; i < 2 * FREES; i++)
    {
      if (i == FREES)
        beats = number ("HEARTBEAT");
      void **p = slot + rng_next (&rng) % SLOTS;
      free (*p);
      *p = malloc (SIZE);
    }
  beats = number ("HEARTBEAT") - beats;
  CHECKF (beats >= 1 && beats <= FREES / (MIB / SIZE),
          "%llu looks in %d frees", (unsigned long long) beats, FREES);
  for (int i = 0; i < SLOTS; i++)
    free (slot[i]);
}

/* A thread that only frees takes its heap's lock for one block in four at most: the
   slab of the block takes the others.  It lets slabs go all the same, but for two of
   a class (there are 24), and each free is counted once.  */
TEST (few_cold_calls_where_all_is_freed)
{
  if (!counts ())
    SKIP ("built without statistics");
  enum { BLOCKS = 4096, ROUNDS = 4, HELD = 2 * 24 };
  static void *p[BLOCKS];
  malloc_trim (0); /* magazines are looked at, and their frees counted */
  uint64_t rng = rng_seed (13), cold = 0, counted = number ("FREE_COUNTED"),
           taken = number ("REFILL_ACQUIRE"), gone = number ("SLAB_RELEASED");
  for (int round = 0; round < ROUNDS; round++)
    {
      for (int i = 0; i < BLOCKS; i++)
        p[i] = malloc (4 * KIB + rng_next (&rng) % (28 * KIB));
      uint64_t before = number ("RETIRE");
      for (int i = 0; i < BLOCKS; i++)
        free (p[i]);
      cold += number ("RETIRE") - before;
    }
  taken = number ("REFILL_ACQUIRE") - taken;
  gone = number ("SLAB_RELEASED") - gone;
  malloc_trim (0);
  counted = number ("FREE_COUNTED") - counted;
  printf ("cold: %llu of %d frees; %llu counted; %llu of %llu slabs gone\n",
          (unsigned long long) cold, ROUNDS * BLOCKS,
          (unsigned long long) counted, (unsigned long long) gone,
          (unsigned long long) taken);
  CHECKF (gone + HELD >= taken, "%llu of %llu slabs gone",
          (unsigned long long) gone, (unsigned long long) taken);
  CHECKF (cold <= ROUNDS * BLOCKS / 4, "%llu cold calls in %d frees",
          (unsigned long long) cold, ROUNDS * BLOCKS);
  /* On the other route trim counts no frees of current slabs.  */
  CHECKF (counted == ROUNDS * BLOCKS || !RULES_SLL, "%llu of %d frees counted",
          (unsigned long long) counted, ROUNDS * BLOCKS);
}

int
main (void)
{
  find_stats ();
  RUN (random_mixed);
  RUN (cycles_map_nothing);
  RUN (large_blocks_map_little);
  RUN (large_cycles_map_nothing);
  RUN (lonely_blocks_stay);
  RUN (stages);
  RUN (counters_add_up);
  RUN (remote_counters);
  RUN (used_before_untouched);
  RUN (few_looks_at_magazines);
  RUN (few_cold_calls_where_all_is_freed);
  return check_done ();
}
