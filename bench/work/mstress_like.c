/* Threads are born and die among live data: in each round some threads start,
   each takes over the blocks that another thread of the round before left,
   allocates and frees blocks of 16 bytes to 16 KiB, small ones frequent, swaps
   some with a table all threads share, and ends leaving its blocks.

     mstress_like [threads [rounds [steps [seed]]]]

   threads are those of a round, steps those of a thread.  */
#include "work.h"

enum { THREADS, ROUNDS, STEPS, SEED };

static struct work_arg args[] = {
  [THREADS] = { "threads", 4, 1, WORK_THREADS },
  [ROUNDS] = { "rounds", 60, 1, WORK_MANY },
  [STEPS] = { "steps", 25000, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* KEPT blocks live until the thread ends, ESTATE slots go to another.  */
enum { KEPT = 1000, ESTATE = 500, SHARED = 1000 };

static void **estate[WORK_THREADS];
static _Atomic (void *) shared[SHARED];
static long turn;

static void *
body (void *index)
{
  void *kept[KEPT] = { NULL };
  long me = (long) index;
  uint64_t random = work_seed (args[SEED].value, turn * WORK_THREADS + me);
  void **mine = estate[(me + turn) % args[THREADS].value];
  long keep_every = args[STEPS].value / KEPT + 1;
  for (long i = 0; i < args[STEPS].value; i++)
    {
      uint64_t bits = work_random (&random);
      void **slot = mine + work_below (bits, ESTATE);
      work_replace (slot, work_size_log (&random, 16, 10));
      if ((bits & 3) == 0)
        *slot = atomic_exchange (shared + work_below (bits << 32, SHARED),
                                 *slot);
      if (i % keep_every == 0)
        kept[i / keep_every] = work_new (work_size_log (&random, 16, 10));
    }
  for (int i = 0; i < KEPT; i++)
    work_drop (kept[i]);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long threads = args[THREADS].value, rounds = args[ROUNDS].value;
  long steps = args[STEPS].value;
  work_start ();
  for (long i = 0; i < threads; i++)
    estate[i] = work_slots (ESTATE);
  for (turn = 0; turn < rounds; turn++)
    work_threads (threads, body);
  for (long i = 0; i < threads; i++)
    work_slots_free (estate[i], ESTATE);
  for (int i = 0; i < SHARED; i++)
    work_drop (shared[i]);
  work_stop ();
  long keep_every = steps / KEPT + 1;
  work_report (threads * rounds * (steps + (steps - 1) / keep_every + 1), "");
  return 0;
}
