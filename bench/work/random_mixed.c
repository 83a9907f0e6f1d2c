/* Blocks of min to max bytes, every size as likely as the others, replaced at
   random in a table.

     random_mixed [iterations [slots [seed [min [max [leave]]]]]]

   leave 1: it ends with the blocks of the table alive, for a report at exit;
   also printed then: asked_kib, what was asked for in them, and live_kib, the
   anonymous memory without the table.  */
#include "work.h"

enum { ITERATIONS, SLOTS, SEED, MIN, MAX, LEAVE };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 10000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 4096, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
  [MIN] = { "min", 16, WORK_LEAST, WORK_MANY },
  [MAX] = { "max", 1024, WORK_LEAST, WORK_MANY },
  [LEAVE] = { "leave", 0, 0, 1 },
};

int
main (int argc, char **argv)
{
  char more[80] = "";
  WORK_ARGUMENTS (argc, argv, args);
  long iterations = args[ITERATIONS].value, slots = args[SLOTS].value;
  if (args[MIN].value > args[MAX].value)
    {
      fprintf (stderr, "random_mixed: min is above max\n");
      return 2;
    }
  work_start ();
  void **slot = work_churned (work_seed (args[SEED].value, 0), iterations,
                              slots, (size_t) args[MIN].value,
                              (size_t) args[MAX].value);
  if (args[LEAVE].value)
    {
      size_t asked = 0;
      for (long i = 0; i < slots; i++)
        asked += work_size (slot[i]);
      snprintf (more, sizeof more, "asked_kib=%zu live_kib=%ld", asked >> 10,
                work_rss_kib () - slots * (long) sizeof (void *) / 1024);
    }
  else
    work_slots_free (slot, slots);
  work_stop ();
  work_report (iterations + slots, more);
  return 0;
}
