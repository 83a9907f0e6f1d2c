/* Blocks of min to max bytes, every size as likely as the others, replaced at
   random in a table.

     random_mixed [iterations [slots [seed [min [max]]]]]  */
#include "work.h"

enum { ITERATIONS, SLOTS, SEED, MIN, MAX };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 10000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 4096, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
  [MIN] = { "min", 16, WORK_LEAST, WORK_MANY },
  [MAX] = { "max", 1024, WORK_LEAST, WORK_MANY },
};

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long iterations = args[ITERATIONS].value, slots = args[SLOTS].value;
  if (args[MIN].value > args[MAX].value)
    {
      fprintf (stderr, "random_mixed: min is above max\n");
      return 2;
    }
  work_start ();
  work_churn (work_seed (args[SEED].value, 0), iterations, slots,
              (size_t) args[MIN].value, (size_t) args[MAX].value);
  work_stop ();
  work_report (iterations + slots, "");
  return 0;
}
