/* Small blocks of 16 to 64 bytes replaced at random, in each of some threads
   that have nothing to do with each other: with no cost of sharing, two
   threads on two processors take as long as one.

     independent [threads [iterations [slots [seed]]]]

   iterations and slots are a thread's.  */
#include "work.h"

enum { THREADS, ITERATIONS, SLOTS, SEED };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 20000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 256, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static void *
body (void *index)
{
  work_churn (work_seed (args[SEED].value, (long) index),
              args[ITERATIONS].value, args[SLOTS].value, 16, 64);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  work_start ();
  work_threads (args[THREADS].value, body);
  work_stop ();
  work_report (args[THREADS].value
               * (args[ITERATIONS].value + args[SLOTS].value), "");
  return 0;
}
