/* One thread allocates blocks of one size, another frees them; they come in
   batches of 128, and a few batches go round between the two.

     ring [batches [size [queued]]]  */
#include "queue.h"

enum { BATCHES, SIZE, QUEUED };

static struct work_arg args[] = {
  [BATCHES] = { "batches", 50000, 1, WORK_MANY },
  [SIZE] = { "size", 128, WORK_LEAST, WORK_MANY },
  [QUEUED] = { "queued", 8, 1, QUEUE_MOST },
};

static struct batch batches[QUEUE_MOST];
static struct queue empty = QUEUE_EMPTY, full = QUEUE_EMPTY;

static void *
body (void *index)
{
  size_t size = (size_t) args[SIZE].value;
  struct queue *from = index ? &full : &empty, *to = index ? &empty : &full;
  for (long i = args[BATCHES].value; i > 0; i--)
    {
      struct batch *batch = queue_get (from);
      for (int k = 0; k < BATCH; k++)
        if (index)
          work_drop (batch->block[k]);
        else
          batch->block[k] = work_new (size);
      queue_put (to, batch);
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  for (long i = 0; i < args[QUEUED].value; i++)
    queue_put (&empty, batches + i);
  work_measure (2, body, args[BATCHES].value * BATCH);
  return 0;
}
