/* Blocks of 32 KiB to 2 MiB, every doubling as likely as the others, replaced
   at random in each of some threads; the first 8 KiB are written.

     large_mt [threads [iterations [slots [seed]]]]

   iterations and slots are a thread's.  */
#include "work.h"

enum { THREADS, ITERATIONS, SLOTS, SEED, WRITTEN = 8 << 10 };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 200000, 1, WORK_MANY },
  [SLOTS] = { "slots", 32, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static void *
body (void *index)
{
  uint64_t random = work_seed (args[SEED].value, (long) index);
  long iterations = args[ITERATIONS].value, slots = args[SLOTS].value;
  void **slot = work_slots (slots);
  for (long i = 0; i < iterations; i++)
    {
      void **one = slot + work_below (work_random (&random),
                                      (size_t) slots);
      size_t size = work_size_log (&random, 32 << 10, 6);
      work_drop (*one);
      *one = work_new (size);
      memset (*one, 1, WRITTEN);
      work_stamp (*one, size);
    }
  work_slots_free (slot, slots);
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
