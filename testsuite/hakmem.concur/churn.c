/* Thousands of short threads, several alive at any time.  Each finds blocks
   that earlier ones left, checks and frees some, leaves some of its own, and
   exits.  So heaps are parked and taken over while others free into them.  */
#include "concur.h"

enum { SHARED = 2048, WORK = 200, LANES = 8 };

static block *shared[SHARED];
static long threads, made, freed;

static void *
short_life (void *arg)
{
  uint64_t random = mix ((uint64_t) arg);
  long my_made = 0, my_freed = 0;
  for (int i = 0; i < WORK; i++)
    {
      size_t high = i % 50 == 0 ? 65536 : i % 10 == 0 ? 8192 : 512;
      block *b = block_new (draw_size (&random, 16, high), &random);
      my_made++;
      b = block_swap (&shared[below (&random, SHARED)], b);
      my_freed += b != NULL;
      block_free (b);
    }
  __atomic_add_fetch (&made, my_made, __ATOMIC_RELAXED);
  __atomic_add_fetch (&freed, my_freed, __ATOMIC_RELAXED);
  return NULL;
}

/* A lane keeps one short thread alive at a time, so LANES overlap.  */
static void *
lane (void *arg)
{
  for (long i = 0; i < threads / LANES; i++)
    pthread_join (thread_start (short_life, (void *) ((long) arg + i * LANES)),
                  NULL);
  return NULL;
}

int
main (int argc, char **argv)
{
  pthread_t thread[LANES];
  threads = param (argc, argv, "threads", SANITIZED ? 800 : 8000);
  for (long i = 0; i < LANES; i++)
    thread[i] = thread_start (lane, (void *) i);
  for (int i = 0; i < LANES; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    {
      block *b = block_swap (&shared[i], NULL);
      freed += b != NULL;
      block_free (b);
    }
  verdict (made == freed && made == threads / LANES * LANES * WORK, "churn",
           "%ld made, %ld freed", made, freed);
  return finish ();
}
