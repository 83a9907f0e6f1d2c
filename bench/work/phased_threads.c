/* Threads that make blocks and threads that free them, whose numbers and sizes
   change: every turn other threads are born, and die with it.

     phased_threads [batches [turns [queued [kept [seed]]]]]

   By turns: one thread makes blocks of 16 to 255 bytes and one frees them; three
   make blocks of 16 to 2047 and one frees; one makes blocks of 256 to 8191 and
   three free.  batches, of 128 blocks, are those of half a turn of the last kind;
   of the second there are twice and of the first four times as many, which take
   about as long: who is to learn something has as many windows in each.  queued
   batches at most are under way; each maker has `kept' blocks of its own, of
   which it replaces a random one for every block that it hands on.  */
#include "phase.h"
#include "queue.h"

enum { BATCHES, TURNS, QUEUED, KEPT, SEED };

static struct work_arg args[] = {
  [BATCHES] = { "batches", 5000, 3, WORK_MANY },
  [TURNS] = { "turns", 6, 1, 1000 },
  [QUEUED] = { "queued", 32, 1, QUEUE_MOST },
  [KEPT] = { "kept", 20000, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static const struct
{
  const char *name;
  int makers, freers;
  size_t least;
  int doublings;
  int times; /* so many batches */
} kind[] = {
  { "pair", 1, 1, 16, 4, 4 },
  { "makers", 3, 1, 16, 7, 2 },
  { "freers", 1, 3, 256, 5, 1 },
};
enum { KINDS = sizeof kind / sizeof *kind };

static struct batch batches[QUEUE_MOST];
static struct queue empty = QUEUE_EMPTY, full = QUEUE_EMPTY;
static long now;                /* the turn */
static pthread_barrier_t meeting;

static const char *
name (long turn)
{
  return kind[turn % KINDS].name;
}

/* Batches of half a turn.  */
static long
half_turn (void)
{
  return args[BATCHES].value * kind[now % KINDS].times;
}

/* Of these, those of thread INDEX of so MANY.  */
static long
share (long index, long many)
{
  return half_turn () / many + (index < half_turn () % many);
}

static void
make (long index, long count, void **mine, uint64_t *random)
{
  size_t least = kind[now % KINDS].least;
  int doublings = kind[now % KINDS].doublings;
  for (long i = share (index, count); i > 0; i--)
    {
      struct batch *batch = queue_get (&empty);
      for (int k = 0; k < BATCH; k++)
        {
          size_t at = work_below (work_random (random),
                                  (size_t) args[KEPT].value);
          batch->block[k] = phase_new (work_size_log (random, least,
                                                      doublings));
          phase_replace (mine + at, work_size_log (random, least, doublings));
        }
      queue_put (&full, batch);
    }
}

static void
release (long index, long count)
{
  for (long i = share (index, count); i > 0; i--)
    {
      struct batch *batch = queue_get (&full);
      for (int k = 0; k < BATCH; k++)
        work_drop (batch->block[k]);
      queue_put (&empty, batch);
    }
}

/* Every thread of a turn meets the main thread before and after each half.  */
static void *
body (void *argument)
{
  long index = (long) argument, makers = kind[now % KINDS].makers;
  uint64_t random = work_seed (args[SEED].value, now * WORK_THREADS + index);
  void **mine = index < makers ? work_slots (args[KEPT].value) : NULL;
  for (int half = 0; half < 2; half++)
    {
      pthread_barrier_wait (&meeting);
      if (index < makers)
        make (index, makers, mine, &random);
      else
        release (index - makers, kind[now % KINDS].freers);
      pthread_barrier_wait (&meeting);
    }
  if (index < makers)
    work_slots_free (mine, args[KEPT].value);
  return NULL;
}

static long
run (long turn, int half)
{
  static pthread_t thread[WORK_THREADS];
  int count = kind[turn % KINDS].makers + kind[turn % KINDS].freers;
  now = turn;
  if (half == 1)
    {
      pthread_barrier_init (&meeting, NULL, (unsigned) count + 1);
      for (long i = 0; i < count; i++)
        thread[i] = work_thread (body, (void *) i);
    }
  pthread_barrier_wait (&meeting);
  pthread_barrier_wait (&meeting);
  if (half == 2)
    {
      for (int i = 0; i < count; i++)
        pthread_join (thread[i], NULL);
      pthread_barrier_destroy (&meeting);
    }
  return half_turn () * BATCH * 2;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  for (long i = 0; i < args[QUEUED].value; i++)
    queue_put (&empty, batches + i);
  phase_run (args[TURNS].value, name, run);
  work_report (phase_ops, "");
  return 0;
}
