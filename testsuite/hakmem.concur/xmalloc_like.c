/* After xmalloc-test: some threads only allocate, others only free, batches go
   over through a lock-free stack.  Sizes are that program's table, so that one
   batch holds blocks of many slabs.  */
#include "concur.h"

enum { BATCH = 512, AHEAD = 24, MOST = 8 };

static const unsigned short sizes[]
    = { 16, 24, 40, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048,
        3072, 4096 };

typedef struct batch
{
  struct batch *next;
  block *member[BATCH];
} batch;

static batch *stack; /* pushed one by one, taken whole: no ABA */
static sem_t spaces, items;
static long batches, to_free;

static void *
allocate (void *arg)
{
  uint64_t random = 1 + (long) arg;
  for (long i = 0; i < batches; i++)
    {
      while (sem_wait (&spaces) != 0)
        ;
      batch *made = malloc (sizeof *made);
      for (int k = 0; k < BATCH; k++)
        made->member[k]
            = block_new (sizes[below (&random, sizeof sizes / sizeof *sizes)],
                         &random);
      batch *top = __atomic_load_n (&stack, __ATOMIC_RELAXED);
      do
        made->next = top;
      while (!__atomic_compare_exchange_n (&stack, &top, made, true,
                                           __ATOMIC_RELEASE, __ATOMIC_RELAXED));
      sem_post (&items);
    }
  return NULL;
}

static void *
release (void *unused UNUSED)
{
  long freed = 0;
  for (;;)
    {
      while (sem_wait (&items) != 0)
        ;
      if (__atomic_load_n (&to_free, __ATOMIC_ACQUIRE) == 0)
        {
          sem_post (&items); /* wake the next one up */
          return (void *) freed;
        }
      batch *b = __atomic_exchange_n (&stack, NULL, __ATOMIC_ACQUIRE);
      while (b != NULL)
        {
          batch *next = b->next;
          for (int k = 0; k < BATCH; k++)
            block_free (b->member[k]);
          free (b);
          freed += BATCH;
          sem_post (&spaces);
          if (__atomic_sub_fetch (&to_free, 1, __ATOMIC_ACQ_REL) == 0)
            sem_post (&items);
          b = next;
        }
    }
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 2); /* on each side */
  batches = param (argc, argv, "batches", SANITIZED ? 20 : 600);
  pthread_t thread[2 * MOST];
  if (threads > MOST)
    die ("parameters", "at most %d threads", MOST);
  to_free = threads * batches;
  sem_init (&spaces, 0, AHEAD);
  sem_init (&items, 0, 0);
  for (long i = 0; i < threads; i++)
    {
      thread[i] = thread_start (allocate, (void *) i);
      thread[threads + i] = thread_start (release, NULL);
    }
  long freed = 0;
  for (long i = 0; i < 2 * threads; i++)
    {
      void *count;
      pthread_join (thread[i], &count);
      freed += (long) count;
    }
  verdict (freed == threads * batches * BATCH, "xmalloc_like",
           "%ld blocks freed of %ld", freed, threads * batches * BATCH);
  return finish ();
}
