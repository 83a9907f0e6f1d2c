/* What stays resident: grow to many MiB of small and mid blocks, free a random
   90 % of them, free the rest, wait.

     phases [mib [wait_ms [seed]]]

   Half of the bytes are in blocks of 16 to 2015 bytes, half in blocks of 2016
   bytes to 32 KiB; all are written.  Also printed: rss_full_kib, rss_90_kib
   (90 % freed), rss_freed_kib (all freed), rss_2s_kib (after wait_ms; the same
   as rss_end_kib).  The wait is not in seconds.  The table of blocks, some
   5 KiB for each MiB of blocks, is in the first two figures.  */
#include "work.h"

enum { MIB, WAIT_MS, SEED };

static struct work_arg args[] = {
  [MIB] = { "mib", 256, 1, 4096 },
  [WAIT_MS] = { "wait_ms", 2000, 0, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* Returns how many blocks there are then.  */
static long
grow (void **slot, long most, size_t bytes, uint64_t *random)
{
  size_t small = 0, mid = 0;
  long blocks = 0;
  for (; blocks < most && small + mid < bytes; blocks++)
    {
      uint64_t bits = work_random (random);
      size_t size;
      if (small <= mid)
        small += size = 16 + work_below (bits, 2000);
      else
        mid += size = 2016 + work_below (bits, (32 << 10) - 2015);
      slot[blocks] = work_new (size);
      memset (slot[blocks], 1, size);
      work_stamp (slot[blocks], size);
    }
  return blocks;
}

static void
thin_out (void **slot, long blocks, uint64_t *random)
{
  for (long i = 0; i < blocks; i++)
    if (work_below (work_random (random), 10) != 0)
      {
        work_drop (slot[i]);
        slot[i] = NULL;
      }
}

static void
wait_ms (long ms)
{
  struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
  while (nanosleep (&left, &left))
    ;
}

int
main (int argc, char **argv)
{
  enum { PER_MIB = 600 };       /* 546 by the mean sizes, and a reserve */
  char more[128];
  WORK_ARGUMENTS (argc, argv, args);
  long most = args[MIB].value * PER_MIB;
  uint64_t random = work_seed (args[SEED].value, 0);
  void **slot = work_slots (most);
  work_start ();
  long blocks = grow (slot, most, (size_t) args[MIB].value << 20, &random);
  work_stop ();
  long full = work_rss_kib ();
  work_start ();
  thin_out (slot, blocks, &random);
  work_stop ();
  long thin = work_rss_kib ();
  work_start ();
  work_slots_free (slot, most);
  work_stop ();
  long freed = work_rss_kib ();
  wait_ms (args[WAIT_MS].value);
  snprintf (more, sizeof more,
            "rss_full_kib=%ld rss_90_kib=%ld rss_freed_kib=%ld rss_2s_kib=%ld",
            full, thin, freed, work_rss_kib ());
  work_report (blocks, more);
  return 0;
}
