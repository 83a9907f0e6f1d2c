/* aligned_alloc, posix_memalign and memalign by turns, of 16 bytes to 16 KiB
   on boundaries of 16 bytes to 4 KiB (one in 256: 64 KiB), with one malloc in
   four, replaced at random in a table.

     aligned [iterations [slots [seed]]]  */
#include "work.h"
#include <malloc.h>

enum { ITERATIONS, SLOTS, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 6000000, 1, WORK_MANY },
  [SLOTS] = { "slots", 1024, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static void *
aligned (unsigned how, size_t alignment, size_t size)
{
  void *block = NULL;
  switch (how)
    {
    case 0:
      return work_new (size);
    case 1:                     /* the C standard wants a multiple */
      size = (size + alignment - 1) & -alignment;
      block = aligned_alloc (alignment, size);
      break;
    case 2:
      if (posix_memalign (&block, alignment, size))
        block = NULL;
      break;
    default:
      block = memalign (alignment, size);
    }
  if (!block || (uintptr_t) block % alignment)
    work_die ("%zu bytes on a boundary of %zu: %p", size, alignment, block);
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
      uint64_t bits = work_random (&random);
      void **one = slot + work_below (bits, (size_t) slots);
      size_t alignment = (size_t) 16 << work_below (bits << 32, 9);
      if ((bits >> 2 & 255) == 0)
        alignment = 64 << 10;
      size_t size = work_size_log (&random, 16, 10);
      work_drop (*one);
      *one = aligned (bits & 3, alignment, size);
    }
  work_slots_free (slot, slots);
  work_stop ();
  work_report (iterations, "");
  return 0;
}
