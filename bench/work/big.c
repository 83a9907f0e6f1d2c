/* Blocks of 2 to 16 MiB replaced at random; the first 64 KiB of each are
   written.

     big [iterations [slots [seed]]]  */
#include "work.h"

enum { ITERATIONS, SLOTS, SEED, WRITTEN = 64 << 10 };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 20000, 1, WORK_MANY },
  [SLOTS] = { "slots", 8, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long iterations = args[ITERATIONS].value, slots = args[SLOTS].value;
  uint64_t random = work_seed (args[SEED].value, 0);
  work_start ();
  void **slot = work_slots (slots);
  for (long i = 0; i < iterations; i++)
    {
      uint64_t bits = work_random (&random);
      void **one = slot + work_below (bits, (size_t) slots);
      size_t size = (2 << 20) + work_below (bits << 32, (14 << 20) + 1);
      work_replace (one, size);
      memset (*one, 1, WRITTEN);
      work_stamp (*one, size);
    }
  work_slots_free (slot, slots);
  work_stop ();
  work_report (iterations, "");
  return 0;
}
