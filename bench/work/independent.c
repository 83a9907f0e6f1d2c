/* Blocks of min to max bytes replaced at random, in each of some threads that
   have nothing to do with each other: with no cost of sharing, two threads on
   two processors take as long as one.

     independent [threads [iterations [slots [seed [min [max]]]]]]

   iterations and slots are a thread's.  */
#include "work.h"

enum { THREADS, ITERATIONS, SLOTS, SEED, MIN, MAX };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 20000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 256, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
  [MIN] = { "min", 16, WORK_LEAST, WORK_MANY },
  [MAX] = { "max", 64, WORK_LEAST, WORK_MANY },
};

static void *
body (void *index)
{
  work_churn (work_seed (args[SEED].value, (long) index),
              args[ITERATIONS].value, args[SLOTS].value,
              (size_t) args[MIN].value, (size_t) args[MAX].value);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  work_measure (args[THREADS].value, body,
                args[THREADS].value
                    * (args[ITERATIONS].value + args[SLOTS].value));
  return 0;
}
