/* As random_mixed, with so many live blocks that they are in no cache.

     mixed_live [iterations [live [seed]]]  */
#include "work.h"

enum { ITERATIONS, LIVE, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 2000000, 1, WORK_MANY },
  [LIVE] = { "live", 100000, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long iterations = args[ITERATIONS].value, live = args[LIVE].value;
  work_start ();
  work_churn (work_seed (args[SEED].value, 0), iterations, live, 16, 1024);
  work_stop ();
  work_report (iterations + live, "");
  return 0;
}
