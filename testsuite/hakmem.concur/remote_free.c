/* Producers allocate, consumers free: every free is remote.  Two ways of
   handing over: single blocks through a ring per pair of threads, and batches
   (arrays that are themselves allocated) through one locked queue.  The mix of
   sizes goes from 16 bytes to 32 KiB.  */
#include "concur.h"

enum { RING = 256, BATCH = 64, QUEUE = 32, MOST = 8 };

static long producers, consumers, blocks;

/* --- rings --- */

static struct ring
{
  sem_t items, spaces;
  block *slot[RING];
} ring[MOST][MOST];

static void *
ring_producer (void *arg)
{
  long me = (long) arg;
  uint64_t random = 100 + me;
  unsigned put[MOST] = { 0 };
  for (long i = 0; i < blocks; i++)
    {
      unsigned to = i % consumers;
      struct ring *r = &ring[me][to];
      block *b = block_new (draw_size (&random, 16, 32768), &random);
      while (sem_wait (&r->spaces) != 0)
        ;
      r->slot[put[to]++ % RING] = b;
      sem_post (&r->items);
    }
  for (long to = 0; to < consumers; to++) /* NULL: no more */
    {
      struct ring *r = &ring[me][to];
      while (sem_wait (&r->spaces) != 0)
        ;
      r->slot[put[to]++ % RING] = NULL;
      sem_post (&r->items);
    }
  return NULL;
}

static void *
ring_consumer (void *arg)
{
  long me = (long) arg, freed = 0, open = producers;
  unsigned got[MOST] = { 0 };
  bool ended[MOST] = { false };
  for (long from = 0; open > 0; from = (from + 1) % producers)
    {
      if (ended[from])
        continue;
      struct ring *r = &ring[from][me];
      while (sem_wait (&r->items) != 0)
        ;
      block *b = r->slot[got[from]++ % RING];
      sem_post (&r->spaces);
      ended[from] = b == NULL;
      open -= b == NULL;
      freed += b != NULL;
      block_free (b);
    }
  return (void *) freed;
}

/* --- batches --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static block **queue[QUEUE];
static unsigned head, tail;
static long working;

static void *
batch_producer (void *arg)
{
  uint64_t random = 200 + (long) arg;
  for (long i = 0; i < blocks; i += BATCH)
    {
      block **batch = malloc (BATCH * sizeof *batch);
      for (int k = 0; k < BATCH; k++)
        batch[k] = block_new (draw_size (&random, 16, 32768), &random);
      pthread_mutex_lock (&lock);
      while (head - tail == QUEUE)
        pthread_cond_wait (&changed, &lock);
      queue[head++ % QUEUE] = batch;
      pthread_cond_broadcast (&changed);
      pthread_mutex_unlock (&lock);
    }
  pthread_mutex_lock (&lock);
  working--;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
  return NULL;
}

static void *
batch_consumer (void *arg)
{
  uint64_t random = 300 + (long) arg;
  long freed = 0;
  for (;;)
    {
      pthread_mutex_lock (&lock);
      while (head == tail && working > 0)
        pthread_cond_wait (&changed, &lock);
      block **batch = head == tail ? NULL : queue[tail++ % QUEUE];
      pthread_cond_broadcast (&changed);
      pthread_mutex_unlock (&lock);
      if (batch == NULL)
        return (void *) freed;
      for (int left = BATCH; left > 0; left--, freed++) /* in random order */
        {
          int k = below (&random, left);
          block_free (batch[k]);
          batch[k] = batch[left - 1];
        }
      free (batch);
    }
}

static void
run (const char *name, void *(*produce) (void *), void *(*consume) (void *),
     long expected)
{
  pthread_t thread[2 * MOST];
  long freed = 0;
  for (long i = 0; i < producers; i++)
    thread[i] = thread_start (produce, (void *) i);
  for (long i = 0; i < consumers; i++)
    thread[producers + i] = thread_start (consume, (void *) i);
  for (long i = 0; i < producers + consumers; i++)
    {
      void *count;
      pthread_join (thread[i], &count);
      freed += (long) count;
    }
  verdict (freed == expected, name, "%ld blocks freed of %ld", freed, expected);
}

int
main (int argc, char **argv)
{
  producers = param (argc, argv, "producers", 3);
  consumers = param (argc, argv, "consumers", 2);
  blocks = param (argc, argv, "blocks", SANITIZED ? 4096 : 65536);
  if (producers > MOST || consumers > MOST || blocks % BATCH != 0)
    die ("parameters", "at most %d threads a side, blocks in %ds", MOST, BATCH);
  for (int i = 0; i < MOST; i++)
    for (int k = 0; k < MOST; k++)
      {
        sem_init (&ring[i][k].items, 0, 0);
        sem_init (&ring[i][k].spaces, 0, RING);
      }
  run ("ring", ring_producer, ring_consumer, producers * blocks);
  working = producers;
  run ("batched", batch_producer, batch_consumer, producers * blocks);
  return finish ();
}
