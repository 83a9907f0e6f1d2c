/* Servers whose threads are born and die while their clients' blocks live on:
   each thread replaces random blocks of the array it inherited, swaps a few
   with the other threads' through a shared table, starts its successor, hands
   the array over and exits.  Ends after a given time; everything left is
   checked and freed.  Prints the number of operations.

   Arguments: threads=4 seconds=2 seed=1 most=1040 (largest usual size).  */
#include "concur.h"

enum { PER_THREAD = 1000, SHARED = 512, ROUND = 10000 };

static long seconds, largest;
static double end;
static long operations, generations;
static block *shared[SHARED];
static sem_t lines_ended;

typedef struct line /* of threads, each the heir of the one before */
{
  uint64_t random;
  block *place[PER_THREAD];
} line;

static block *
another (uint64_t *random)
{
  unsigned luck = below (random, 256);
  size_t high = luck == 0 ? 262144 : luck < 8 ? 32768 : (size_t) largest;
  return block_new (draw_size (random, 16, high), random);
}

static void *
generation (void *arg)
{
  line *l = arg;
  for (int i = 0; i < ROUND; i++)
    {
      block **place = &l->place[below (&l->random, PER_THREAD)];
      block_free (*place);
      *place = another (&l->random);
      if (i % 8 == 0)
        *place = block_swap (&shared[below (&l->random, SHARED)], *place);
    }
  __atomic_add_fetch (&operations, ROUND, __ATOMIC_RELAXED);
  __atomic_add_fetch (&generations, 1, __ATOMIC_RELAXED);
  if (now () < end)
    pthread_detach (thread_start (generation, l));
  else
    sem_post (&lines_ended);
  return NULL;
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 4);
  long seed = param (argc, argv, "seed", 1);
  seconds = param (argc, argv, "seconds", 2);
  largest = param (argc, argv, "most", 1040);
  sem_init (&lines_ended, 0, 0);
  line *lines = table_new (threads * sizeof *lines);
  double start = now ();
  end = start + seconds;
  for (long i = 0; i < threads; i++)
    {
      lines[i].random = mix (seed * 1000 + i);
      for (int k = 0; k < PER_THREAD; k++) /* made here, freed over there */
        lines[i].place[k] = another (&lines[i].random);
    }
  for (long i = 0; i < threads; i++)
    pthread_detach (thread_start (generation, &lines[i]));
  for (long i = 0; i < threads; i++)
    while (sem_wait (&lines_ended) != 0)
      ;
  double took = now () - start;
  for (long i = 0; i < threads; i++)
    for (int k = 0; k < PER_THREAD; k++)
      block_free (lines[i].place[k]);
  for (int k = 0; k < SHARED; k++)
    block_free (block_swap (&shared[k], NULL));
  long ops = __atomic_load_n (&operations, __ATOMIC_RELAXED);
  say ("larson: %ld operations, %ld threads one after another in %ld lines, "
       "%.0f operations a second", ops, generations, threads, ops / took);
  verdict (ops >= threads * ROUND, "larson", "only %ld operations", ops);
  return finish ();
}
