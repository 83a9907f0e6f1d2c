/* All memory on, all memory off, over and over: blocks of one range of sizes up
   to so many MiB, each written, then all freed in the order of their making.
   Then small blocks alone for a while: what the cycles earned should go.

     oscillate [mib [cycles [least [most [seed [after [same]]]]]]]

   Sizes are drawn evenly from least..most bytes, with `same' 1 the same ones in
   each cycle.  Every page of a block is written, a word each.  `after' is how
   many milliseconds the small work takes.  ops are cycles; seconds are those of
   the cycles from the eleventh on.  Also printed: first_seconds, of the ten before; full_kib, the anonymous
   memory when the last cycle's blocks are in; idle_kib, when they are freed.  */
#include "work.h"

enum { MIB, CYCLES, LEAST, MOST, SEED, AFTER, SAME, FIRST = 10, PAGE = 4096 };

static struct work_arg args[] = {
  [MIB] = { "mib", 256, 1, 1 << 20 },
  [CYCLES] = { "cycles", 200, FIRST + 1, WORK_MANY },
  [LEAST] = { "least", 32 << 20, 64, WORK_MANY },
  [MOST] = { "most", 32 << 20, 64, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
  [AFTER] = { "after", 0, 0, 1000000 },
  [SAME] = { "same", 0, 0, 1 },
};

/* Blocks up to BYTES in all, into SLOT; how many.  */
static long
fill (void **slot, size_t bytes, uint64_t random)
{
  size_t least = (size_t) args[LEAST].value;
  size_t range = (size_t) args[MOST].value - least + 1;
  long count = 0;
  for (size_t sum = 0, size; sum < bytes; sum += size)
    {
      size = least + work_below (work_random (&random), range);
      char *block = slot[count++] = work_new (size);
      for (size_t at = PAGE; at + sizeof (size_t) <= size; at += PAGE)
        *(size_t *) (void *) (block + at - at % sizeof (size_t)) = at;
      work_stamp (block, size);
    }
  return count;
}

/* Other work: 1000 small blocks replaced at random for MS milliseconds.  */
static void
go_on (double ms, uint64_t random)
{
  for (double end = work_now () + ms / 1000; work_now () < end;)
    work_churn (work_random (&random), 20000, 1000, 16, 1024);
}

int
main (int argc, char **argv)
{
  char more[96];
  WORK_ARGUMENTS (argc, argv, args);
  if (args[MOST].value < args[LEAST].value)
    work_die ("most is less than least");
  long cycles = args[CYCLES].value, full = 0;
  size_t bytes = (size_t) args[MIB].value << 20;
  long most = (long) (bytes / (size_t) args[LEAST].value) + 1;
  void **slot = work_slots (most);
  double first = 0;
  for (long i = 0; i < cycles; i++)
    {
      if (i == FIRST)
        {
          first = work_seconds;
          work_seconds = 0;
        }
      work_start ();
      long count = fill (slot, bytes, work_seed (args[SEED].value,
                                                 args[SAME].value ? 0 : i));
      work_stop ();
      if (i == cycles - 1)
        full = work_rss_kib ();
      work_start ();
      for (long k = 0; k < count; k++)
        {
          work_drop (slot[k]);
          slot[k] = NULL;
        }
      work_stop ();
    }
  long idle = work_rss_kib ();
  go_on ((double) args[AFTER].value, work_seed (args[SEED].value, -1));
  work_slots_free (slot, most);
  snprintf (more, sizeof more, "first_seconds=%.6f full_kib=%ld idle_kib=%ld",
            first, full, idle);
  work_report (cycles - FIRST, more);
  return 0;
}
