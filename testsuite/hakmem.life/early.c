/* Allocation before main: from .preinit_array, from constructors of every
   priority, with blocks that live on; and the first calls of many threads at
   the same moment, many times over.  */
#include "../hakmem.concur/concur.h"

enum { BLOCKS = 40, THREADS = 24, TIMES = 40 };

static block *set[4][BLOCKS];
static uint64_t random_state = 1;

static void
fill (block **place)
{
  for (int i = 0; i < BLOCKS; i++)
    place[i] = block_new (
        draw_size (&random_state, 16, i % 10 ? 4096 : 3 << 20), &random_state);
}

static void
empty (block **place)
{
  for (int i = 0; i < BLOCKS; i++)
    block_free (place[i]);
}

static void
preinit (void)
{
  fill (set[0]);
}
__attribute__ ((section (".preinit_array"), used)) static void (*before) (void)
    = preinit;

__attribute__ ((constructor (101))) static void
first_constructor (void)
{
  fill (set[1]);
  for (int i = 0; i < BLOCKS; i += 2)
    {
      block_free (set[0][i]);
      set[0][i] = NULL;
    }
}

__attribute__ ((constructor)) static void
last_constructor (void)
{
  setenv ("HAKMEM_TEST_EARLY", "grows the environment", 1);
  fill (set[2]);
}

static pthread_barrier_t start;
static block *made[THREADS];

/* Its first call, at the same time as all others'; then frees a neighbour's
   block, which is the neighbour's first remote free.  */
static void *
first_call (void *arg)
{
  long me = (long) arg;
  uint64_t random = mix (me);
  pthread_barrier_wait (&start);
  made[me] = block_new (16 + 100 * me, &random);
  pthread_barrier_wait (&start);
  block_free (made[(me + 1) % THREADS]);
  return NULL;
}

static void
race (void)
{
  pthread_t thread[THREADS];
  pthread_barrier_init (&start, NULL, THREADS);
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (first_call, (void *) i);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  pthread_barrier_destroy (&start);
}

static void
race_in_child (const void *unused UNUSED)
{
  race ();
}

int
main (void)
{
  fill (set[3]);
  for (int i = 0; i < 4; i++)
    empty (set[i]);
  verdict (true, "before main", "content");
  for (int i = 0; i < TIMES; i++)
    apart ("first calls after a fork", race_in_child, NULL);
  verdict (failures == 0, "first calls after a fork", "see above");
  for (int i = 0; i < TIMES; i++)
    race ();
  verdict (true, "first calls of threads", "content");
  return finish ();
}
