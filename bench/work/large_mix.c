/* Large blocks whose number swells and shrinks, and some that change threads: in
   each of some threads, blocks of 64 KiB to 1 MiB, of five lengths as often as
   of any between, are made in bursts and freed in bursts; every eighth is
   swapped with a table all threads share.  The first 4 KiB are written.

     large_mix [threads [iterations [slots [seed]]]]

   iterations and slots are a thread's.  */
#include "work.h"

enum { THREADS, ITERATIONS, SLOTS, SEED };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 200000, 1, WORK_MANY },
  [SLOTS] = { "slots", 48, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

enum { SHARED = 16, BURST = 12, WRITTEN = 4 << 10 };

static _Atomic (void *) shared[SHARED];

static size_t
pick_size (uint64_t *random)
{
  if (work_random (random) >> 63)
    return (size_t) (64 << 10) << work_below (work_random (random), 5);
  return work_size_log (random, 64 << 10, 4);
}

static void *
body (void *index)
{
  uint64_t random = work_seed (args[SEED].value, (long) index);
  long slots = args[SLOTS].value, live = 0;
  void **slot = work_slots (slots);
  for (long i = 0; i < args[ITERATIONS].value;)
    {
      /* A burst of new blocks, as far as there is room; then a burst goes.  */
      long more = (long) work_below (work_random (&random), BURST) + 1;
      for (; more > 0 && live < slots; more--, i++)
        {
          size_t size = pick_size (&random);
          void *block = work_new (size);
          memset (block, 1, WRITTEN);
          work_stamp (block, size);
          if ((i & 7) == 0)
            block = atomic_exchange (
                shared + work_below (work_random (&random), SHARED), block);
          if (block)
            slot[live++] = block;
        }
      long less = (long) work_below (work_random (&random), BURST) + 1;
      for (; less > 0 && live > 0; less--)
        {
          void **one = slot + work_below (work_random (&random), (size_t) live);
          work_drop (*one);
          *one = slot[--live];
          slot[live] = NULL;
        }
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
  for (int i = 0; i < SHARED; i++)
    work_drop (shared[i]);
  return 0;
}
