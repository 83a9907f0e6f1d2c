/* What stays resident: grow to many MiB of blocks, free a random 90 % of them,
   free the rest, wait.

     phases [mib [wait_ms [seed [sizes [threads [trim [busy]]]]]]]

   sizes: 0, half of the bytes in blocks of 16 to 2015 bytes and half in blocks
   of 2016 bytes to 32 KiB; 1, all in blocks of 16 to 2015 bytes; 2, in blocks of
   32 KiB to 1 MiB; 3, in blocks of 2 to 8 MiB; 4, a quarter in each of these
   four ranges.  All are written.  Each of the threads has its share, and does
   every phase while the others do it.
   trim 1: malloc_trim (0) when 90 % are freed, by the main thread while the
   others wait; and each of them goes on with a few small blocks.
   busy 1: the wait is spent with 1,000 calls a millisecond instead of asleep.

   Also printed: rss_full_kib, rss_90_kib (90 % freed; trimmed, if so),
   rss_freed_kib (all freed), rss_2s_kib (after wait_ms, with the threads still
   there).  The wait is not in seconds.  The table of blocks, some 5 KiB
   for each MiB of blocks, is in the first two figures.  */
#include "work.h"

#include <malloc.h>

enum { MIB, WAIT_MS, SEED, SIZES, THREADS, TRIM, BUSY };

static struct work_arg args[] = {
  [MIB] = { "mib", 256, 1, 4096 },
  [WAIT_MS] = { "wait_ms", 2000, 0, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
  [SIZES] = { "sizes", 0, 0, 4 },
  [THREADS] = { "threads", 1, 1, WORK_THREADS },
  [TRIM] = { "trim", 0, 0, 1 },
  [BUSY] = { "busy", 0, 0, 1 },
};

enum { RANGES = 4 };
static const struct { size_t least, above; } range[RANGES] = {
  { 16, 2016 }, { 2016, (32 << 10) + 1 }, { (32 << 10) + 1, (1 << 20) + 1 },
  { (2 << 20) + 1, (8 << 20) + 1 },
};
/* By `sizes': the ranges that share the bytes, a bit each.  */
static const unsigned shares[] = { 3, 1, 4, 8, 15 };

static pthread_barrier_t meeting;
static void **slot;
static long per_thread, blocks_made[WORK_THREADS];
static long full, thin, freed, waited;

/* Of the ranges that take part, the one with the fewest bytes so far.  */
static int
next_range (const size_t *bytes)
{
  int best = -1;
  for (int i = 0; i < RANGES; i++)
    if (shares[args[SIZES].value] >> i & 1
        && (best < 0 || bytes[i] < bytes[best]))
      best = i;
  return best;
}

/* Returns how many blocks there are then.  */
static long
grow (void **mine, size_t wanted, uint64_t *random)
{
  size_t bytes[RANGES] = { 0 };
  long blocks = 0;
  for (size_t all = 0; blocks < per_thread && all < wanted; blocks++)
    {
      int i = next_range (bytes);
      size_t size = range[i].least + work_below (work_random (random),
                                                 range[i].above
                                                   - range[i].least);
      bytes[i] += size;
      all += size;
      mine[blocks] = work_new (size);
      memset (mine[blocks], 1, size);
      work_stamp (mine[blocks], size);
    }
  return blocks;
}

static void
thin_out (void **mine, long blocks, uint64_t *random)
{
  for (long i = 0; i < blocks; i++)
    if (work_below (work_random (random), 10) != 0)
      {
        work_drop (mine[i]);
        mine[i] = NULL;
      }
}

/* All threads are here; one does what is to be done then.  */
static void
meet (long index, void (*then) (void))
{
  pthread_barrier_wait (&meeting);
  if (index == 0)
    then ();
  pthread_barrier_wait (&meeting);
}

static void
note_full (void)
{
  work_stop ();
  full = work_rss_kib ();
  work_start ();
}

static void
trim (void)
{
  if (args[TRIM].value)
    malloc_trim (0);
}

static void
note_thin (void)
{
  work_stop ();
  thin = work_rss_kib ();
  work_start ();
}

static void
few_calls (void)
{
  void *few[64];
  for (int round = 0; round < 8; round++)
    {
      for (size_t i = 0; i < 64; i++)
        few[i] = work_new (16 + i * 30);
      for (size_t i = 0; i < 64; i++)
        work_drop (few[i]);
    }
}

static void
wait_ms (long ms)
{
  for (double end = work_now () + (double) ms / 1000; work_now () < end;)
    {
      struct timespec left = { 0, 1000000 };
      if (args[BUSY].value)
        few_calls ();
      else
        left = (struct timespec) { ms / 1000, ms % 1000 * 1000000 };
      nanosleep (&left, NULL);
    }
}

static void
wait_all (void)
{
  work_stop ();
  munmap (slot, (size_t) (per_thread * args[THREADS].value) * sizeof *slot);
  freed = work_rss_kib ();
  wait_ms (args[WAIT_MS].value);
  waited = work_rss_kib ();
}

static void *
body (void *argument)
{
  long index = (long) argument, threads = args[THREADS].value;
  uint64_t random = work_seed (args[SEED].value, index);
  void **mine = slot + index * per_thread;
  long blocks = grow (mine, ((size_t) args[MIB].value << 20) / (size_t) threads,
                      &random);
  blocks_made[index] = blocks;
  meet (index, note_full);
  thin_out (mine, blocks, &random);
  meet (index, trim);
  if (args[TRIM].value)
    few_calls ();
  meet (index, note_thin);
  for (long i = 0; i < per_thread; i++)
    work_drop (mine[i]);
  meet (index, wait_all);
  return NULL;
}

int
main (int argc, char **argv)
{
  enum { PER_MIB = 1100 };      /* 1032 by the least mean size, and a reserve */
  char more[160];
  WORK_ARGUMENTS (argc, argv, args);
  long threads = args[THREADS].value, blocks = 0;
  per_thread = args[MIB].value * PER_MIB / threads + 1;
  slot = work_slots (per_thread * threads);
  pthread_barrier_init (&meeting, NULL, (unsigned) threads);
  work_start ();
  if (threads == 1)
    body (NULL);
  else
    work_threads (threads, body);
  for (long i = 0; i < threads; i++)
    blocks += blocks_made[i];
  snprintf (more, sizeof more,
            "rss_full_kib=%ld rss_90_kib=%ld rss_freed_kib=%ld rss_2s_kib=%ld",
            full, thin, freed, waited);
  work_report (blocks, more);
  return 0;
}
