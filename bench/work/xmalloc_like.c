/* Some threads allocate, as many others free: batches of 128 blocks of 16 to
   2047 bytes, small ones frequent, go through one queue.

     xmalloc_like [pairs [batches [queued [seed]]]]

   batches are those of each allocating thread; queued is how many may be under
   way at a time, those in the threads' hands with them.  */
#include "queue.h"

enum { PAIRS, BATCHES, QUEUED, SEED };

static struct work_arg args[] = {
  [PAIRS] = { "pairs", 2, 1, WORK_THREADS / 2 },
  [BATCHES] = { "batches", 20000, 1, WORK_MANY },
  [QUEUED] = { "queued", 16, 1, QUEUE_MOST },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static struct batch batches[QUEUE_MOST];
static struct queue empty = QUEUE_EMPTY, full = QUEUE_EMPTY;

static void
allocate (long index)
{
  uint64_t random = work_seed (args[SEED].value, index);
  for (long i = args[BATCHES].value; i > 0; i--)
    {
      struct batch *batch = queue_get (&empty);
      for (int k = 0; k < BATCH; k++)
        batch->block[k] = work_new (work_size_log (&random, 16, 7));
      queue_put (&full, batch);
    }
}

static void
release (void)
{
  for (long i = args[BATCHES].value; i > 0; i--)
    {
      struct batch *batch = queue_get (&full);
      for (int k = 0; k < BATCH; k++)
        work_drop (batch->block[k]);
      queue_put (&empty, batch);
    }
}

static void *
body (void *index)
{
  if ((long) index % 2)
    release ();
  else
    allocate ((long) index);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  for (long i = 0; i < args[QUEUED].value; i++)
    queue_put (&empty, batches + i);
  work_measure (2 * args[PAIRS].value, body,
                args[PAIRS].value * args[BATCHES].value * BATCH);
  return 0;
}
