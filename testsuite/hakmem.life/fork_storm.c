/* 1,500 forks from a process whose threads never stop allocating and freeing
   each other's blocks.  Every child checks and frees what it inherited from
   all threads, allocates the same sizes, starts threads of its own, and exits.
   A child that doesn't end within its time counts as hung.

   What a child may free: the blocks each thread made before the first fork and
   never touches again, and those standing in the exchange table.  A block in
   the table belongs to nobody else, and the kernel's snapshot is causally
   consistent, so its content is complete too.  */
#include "../hakmem.concur/concur.h"
#include <signal.h>

enum { MOST = 8, STEADY = 200, SHARED = 512, CHILD_SECONDS = 30 };

static long threads, forks;
static bool stop;
static block *steady[MOST][STEADY];
static block *shared[SHARED];
static pthread_barrier_t ready;

static size_t
some_size (uint64_t *random)
{
  unsigned luck = below (random, 64);
  return draw_size (random, 16,
                    luck == 0 ? 300000 : luck < 6 ? 32768 : 2048);
}

static void *
busy (void *arg)
{
  long me = (long) arg;
  uint64_t random = mix (me);
  for (int i = 0; i < STEADY; i++)
    steady[me][i] = block_new (some_size (&random), &random);
  pthread_barrier_wait (&ready);
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    {
      block *b = block_new (some_size (&random), &random);
      block_free (block_swap (&shared[below (&random, SHARED)], b));
    }
  return NULL;
}

static void *
in_child (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (int i = 0; i < 50; i++)
    block_free (block_swap (&shared[below (&random, SHARED)],
                            block_new (some_size (&random), &random)));
  return NULL;
}

/* The life of child number N.  Its parent was forking from any thread.  */
static void
child_life (long n)
{
  uint64_t random = mix (n);
  pthread_t thread[2];
  alarm (CHILD_SECONDS);
  for (long i = 0; i < 2; i++)
    thread[i] = thread_start (in_child, (void *) (n * 2 + i));
  for (int i = 0; i < SHARED; i += 1 + n % 3)
    block_free (block_swap (&shared[i], NULL));
  for (int t = 0; t < threads; t++)
    for (int i = n % 2; i < STEADY; i += 2)
      {
        block_free (steady[t][i]);
        steady[t][i] = block_new (some_size (&random), &random);
      }
  for (int i = 0; i < 2; i++)
    pthread_join (thread[i], NULL);
  for (int t = 0; t < threads; t++)
    for (int i = 0; i < STEADY; i++)
      block_free (steady[t][i]);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
}

typedef struct outcome
{
  long first, count; /* in */
  long hung, broken; /* out */
  int status;        /* of the last that broke */
} outcome;

static void *
forker (void *arg)
{
  outcome *o = arg;
  uint64_t random = mix (o->first + 1000000);
  for (long n = o->first; n < o->first + o->count && o->hung == 0; n++)
    {
      block *mine = block_new (some_size (&random), &random);
      pid_t child = fork ();
      if (child == 0)
        {
          block_free (mine);
          child_life (n);
          if (n % 50 == 0)
            {
              pid_t grandchild = fork ();
              int status = 1;
              if (grandchild == 0)
                {
                  block_free (block_new (5000, &random));
                  _exit (0);
                }
              if (waitpid (grandchild, &status, 0) != grandchild || status)
                _exit (3);
            }
          _exit (0);
        }
      if (child < 0)
        die ("fork_storm", "fork: %d", errno);
      block_free (mine);
      int status;
      while (waitpid (child, &status, 0) != child)
        ;
      if (WIFSIGNALED (status) && WTERMSIG (status) == SIGALRM)
        o->hung++;
      else if (status != 0)
        o->broken++, o->status = status;
    }
  return NULL;
}

static void
report (const char *name, const outcome *o)
{
  verdict (o->hung == 0 && o->broken == 0, name,
           "%ld of %ld children hung, %ld broke (status %#x)", o->hung,
           o->count, o->broken, o->status);
}

int
main (int argc, char **argv)
{
  threads = param (argc, argv, "threads", 4);
  forks = param (argc, argv, "forks", 1500);
  pthread_t thread[MOST];
  if (threads > MOST)
    die ("parameters", "at most %d threads", MOST);
  pthread_barrier_init (&ready, NULL, threads + 1);
  for (long i = 0; i < threads; i++)
    thread[i] = thread_start (busy, (void *) i);
  pthread_barrier_wait (&ready);

  outcome alone = { .first = 0, .count = forks / 3 };
  forker (&alone);
  report ("from the main thread", &alone);

  /* Two threads fork at once; neither is the main one.  */
  outcome pair[2] = { { .first = forks, .count = forks / 3 },
                      { .first = 2 * forks, .count = forks / 3 } };
  pthread_t id[2];
  for (int i = 0; i < 2; i++)
    id[i] = thread_start (forker, &pair[i]);
  for (int i = 0; i < 2; i++)
    pthread_join (id[i], NULL);
  report ("from one thread", &pair[0]);
  report ("from another thread", &pair[1]);

  __atomic_store_n (&stop, true, __ATOMIC_RELAXED);
  for (long i = 0; i < threads; i++)
    pthread_join (thread[i], NULL);
  for (int t = 0; t < threads; t++)
    for (int i = 0; i < STEADY; i++)
      block_free (steady[t][i]);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  verdict (true, "parent", "content");
  return finish ();
}
