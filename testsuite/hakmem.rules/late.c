/* Calls after a thread's heap is gone: in every round of key destructors, and
   first calls that come as late as that.  They make no heap that nobody
   frees.  */
#include "outside.h"
#include <limits.h>

enum { ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS, THREADS = 400 };

static pthread_key_t key;
static void *left_over[THREADS][ROUNDS];
static long destructors;

typedef struct life
{
  void **mine;
  int round, first; /* the round of its first call */
} life;
static life lives[THREADS];

static void
destructor (void *arg)
{
  life *l = arg;
  int r = l->round++;
  if (r >= l->first)
    {
      free (malloc (100));
      l->mine[r] = malloc (300);
      free (realloc (malloc (10), 70000));
      if (r > l->first)
        {
          free (l->mine[r - 1]);
          l->mine[r - 1] = NULL;
        }
    }
  __atomic_add_fetch (&destructors, 1, __ATOMIC_RELAXED);
  if (l->round < ROUNDS)
    pthread_setspecific (key, l);
}

static void *
thread (void *arg)
{
  life *l = arg;
  if (l->first < 0)
    free (malloc (50));
  pthread_setspecific (key, l);
  return NULL;
}

/* One after another, so that a heap each is a heap left behind each.  */
static void
run (int first)
{
  uint64_t heaps = number ("heaps"), made = counts () ? number ("HEAP_CREATE") : 0;
  memset (left_over, 0, sizeof left_over);
  destructors = 0;
  for (int i = 0; i < THREADS; i++)
    {
      pthread_t id;
      lives[i] = (life){ left_over[i], 0, first };
      if (pthread_create (&id, NULL, thread, &lives[i]) != 0)
        abort ();
      pthread_join (id, NULL);
    }
  CHECK (destructors == (long) THREADS * ROUNDS);
  heaps = number ("heaps") - heaps;
  CHECKF (heaps <= 2, "%llu heaps more after %d threads",
          (unsigned long long) heaps, THREADS);
  CHECKF (number ("heaps_parked") + 1 >= number ("heaps"),
          "%llu heaps, %llu of them parked",
          (unsigned long long) number ("heaps"),
          (unsigned long long) number ("heaps_parked"));
  if (counts ())
    CHECKF (number ("HEAP_CREATE") - made <= 3, "%llu heaps made",
            (unsigned long long) (number ("HEAP_CREATE") - made));
  for (int i = 0; i < THREADS; i++)
    for (int r = 0; r < ROUNDS; r++)
      free (left_over[i][r]);
}

TEST (destructors_of_threads_that_had_a_heap)
{
  run (-1);
}

TEST (first_call_in_the_first_round)
{
  run (0);
}

TEST (first_call_in_the_second_round)
{
  run (1);
}

int
main (void)
{
  find_stats ();
  free (malloc (1));
  pthread_key_create (&key, destructor);
  RUN (destructors_of_threads_that_had_a_heap);
  RUN (first_call_in_the_first_round);
  RUN (first_call_in_the_second_round);
  return check_done ();
}
