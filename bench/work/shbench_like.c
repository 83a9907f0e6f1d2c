/* Sizes of 8 to 1023 bytes, small ones frequent, and lifetimes mixed: of 16
   blocks, 12 soon make room for another, 3 live longer, one much longer.

     shbench_like [threads [iterations [seed]]]

   iterations are a thread's.  */
#include "work.h"

enum { THREADS, ITERATIONS, SEED };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 12000000, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

enum { SHORT = 16, MIDDLE = 512, LONG = 8192 };

/* The slots a block of each of 16 kinds may lie in: first, and how many.  */
static const struct { short first, count; } life[16] = {
  { SHORT + MIDDLE, LONG },
  { SHORT, MIDDLE }, { SHORT, MIDDLE }, { SHORT, MIDDLE },
  { 0, SHORT }, { 0, SHORT }, { 0, SHORT }, { 0, SHORT },
  { 0, SHORT }, { 0, SHORT }, { 0, SHORT }, { 0, SHORT },
  { 0, SHORT }, { 0, SHORT }, { 0, SHORT }, { 0, SHORT },
};

static void *
body (void *index)
{
  uint64_t random = work_seed (args[SEED].value, (long) index);
  void **slot = work_slots (SHORT + MIDDLE + LONG);
  for (long i = args[ITERATIONS].value; i > 0; i--)
    {
      uint64_t bits = work_random (&random);
      unsigned kind = bits & 15;
      work_replace (slot + life[kind].first
                    + work_below (bits, (size_t) life[kind].count),
                    work_size_log (&random, 8, 7));
    }
  work_slots_free (slot, SHORT + MIDDLE + LONG);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  work_measure (args[THREADS].value, body,
                args[THREADS].value * args[ITERATIONS].value);
  return 0;
}
