/* calloc of memory that was used before and of fresh memory: blocks of 16
   bytes to 1 MiB, most of them small, replaced at random in a table.  Each
   must be zero at its ends and at every 512th byte, and is written there.

     calloc_mix [iterations [slots [seed]]]  */
#include "work.h"

enum { ITERATIONS, SLOTS, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 3000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 512, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static size_t
pick_size (uint64_t *random)
{
  uint64_t kind = work_random (random) >> 52;   /* 0..4095 */
  if (kind < 2)
    return work_size_log (random, 64 << 10, 4);
  if (kind < 256)
    return work_size_log (random, 1 << 10, 6);
  return work_size_log (random, 16, 6);
}

static void *
zeroed (size_t size)
{
  unsigned char *block = calloc (1, size);
  if (!block)
    work_die ("calloc (%zu) fails", size);
  unsigned char seen = block[size - 1];
  for (size_t i = 0; i < size; i += 512)
    {
      seen |= block[i];
      block[i] = 0xFF;
    }
  if (seen)
    work_die ("calloc (%zu): %p is not zero", size, (void *) block);
  work_stamp (block, size);
  return block;
}

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
      void **one = slot + work_below (work_random (&random),
                                      (size_t) slots);
      work_drop (*one);
      *one = zeroed (pick_size (&random));
    }
  work_slots_free (slot, slots);
  work_stop ();
  work_report (iterations, "");
  return 0;
}
