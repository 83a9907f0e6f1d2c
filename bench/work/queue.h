/* Batches of blocks handed from thread to thread: a queue under a mutex, whose
   takers sleep while it is empty.  Putting never waits, because no more than
   QUEUE_MOST batches exist: their number is the bound.  */
#ifndef QUEUE_H
#define QUEUE_H

#include "work.h"

enum { BATCH = 128, QUEUE_MOST = 64 };

struct batch
{
  void *block[BATCH];
};

struct queue
{
  pthread_mutex_t lock;
  pthread_cond_t some;
  unsigned first, count;
  struct batch *ring[QUEUE_MOST];
};

#define QUEUE_EMPTY                                                           \
  { .lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER }

static inline void
queue_put (struct queue *queue, struct batch *batch)
{
  pthread_mutex_lock (&queue->lock);
  queue->ring[(queue->first + queue->count++) % QUEUE_MOST] = batch;
  pthread_cond_signal (&queue->some);
  pthread_mutex_unlock (&queue->lock);
}

static inline struct batch *
queue_get (struct queue *queue)
{
  pthread_mutex_lock (&queue->lock);
  while (queue->count == 0)
    pthread_cond_wait (&queue->some, &queue->lock);
  struct batch *batch = queue->ring[queue->first % QUEUE_MOST];
  queue->first++;
  queue->count--;
  pthread_mutex_unlock (&queue->lock);
  return batch;
}

#endif
