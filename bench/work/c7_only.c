/* Blocks of 1024 and of 2048 bytes, as likely as each other, replaced at
   random in a table.

     c7_only [iterations [slots [seed]]]  */
#include "work.h"

enum { ITERATIONS, SLOTS, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 12000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 512, 1, WORK_MANY },
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
  for (long i = 0; i < slots; i++)
    slot[i] = work_new (1024);
  for (long i = 0; i < iterations; i++)
    {
      uint64_t bits = work_random (&random);
      work_replace (slot + work_below (bits, (size_t) slots),
                    (size_t) 1024 << (bits & 1));
    }
  work_slots_free (slot, slots);
  work_stop ();
  work_report (iterations + slots, "");
  return 0;
}
