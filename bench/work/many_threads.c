/* More threads than processors: blocks of 16 to 1023 bytes, small ones
   frequent, are replaced at random, and one in eight is swapped with what is
   in the next thread's mailbox.

     many_threads [threads [iterations [seed]]]

   iterations are a thread's.  */
#include "work.h"

enum { THREADS, ITERATIONS, SEED, SLOTS = 128 };

static struct work_arg args[] = {
  [THREADS] = { "threads", 64, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 400000, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* A cache line each.  */
static struct { _Alignas (64) _Atomic (void *) block; } mailbox[WORK_THREADS];

static void *
body (void *index)
{
  long next = ((long) index + 1) % args[THREADS].value;
  uint64_t random = work_seed (args[SEED].value, (long) index);
  void **slot = work_slots (SLOTS);
  for (long i = args[ITERATIONS].value; i > 0; i--)
    {
      uint64_t bits = work_random (&random);
      void **one = slot + work_below (bits, SLOTS);
      work_replace (one, work_size_log (&random, 16, 6));
      if ((bits & 7) == 0)
        *one = atomic_exchange (&mailbox[next].block, *one);
    }
  work_slots_free (slot, SLOTS);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long threads = args[THREADS].value;
  work_start ();
  work_threads (threads, body);
  for (long i = 0; i < threads; i++)
    work_drop (mailbox[i].block);
  work_stop ();
  work_report (threads * args[ITERATIONS].value, "");
  return 0;
}
