/* Trims of all heaps while threads allocate, free their own blocks and those of
   others: pages go from under free blocks all the time, and every block that is
   live is found whole, freed by whom it may, and handed out once.

   trims [rounds=N]   of STEPS replacements in each thread  */
#include "concur.h"

enum { THREADS = 3, STEPS = 400, SHARED = 1500, MINE = 300 };

static block *shared[SHARED];
static long rounds, made, freed, trims, running = THREADS;

static void *
work (void *arg)
{
  uint64_t random = mix ((uint64_t) arg + 77);
  static __thread block *mine[MINE];
  long my_made = 0, my_freed = 0;
  for (long r = 0; r < rounds; r++)
    {
      /* Phases of few and of many blocks, so that slabs thin out and fill.  */
      bool thin = (r + (long) arg) % 3 == 0;
      for (int i = 0; i < STEPS; i++)
        {
          block *b = NULL;
          if (!thin || i % 16 == 0)
            {
              b = block_new (draw_size (&random, 16,
                                        i % 40 == 0 ? 32768 : 2048), &random);
              my_made++;
            }
          if (i % 4 == 0)
            b = block_swap (&shared[below (&random, SHARED)], b);
          else
            {
              block **at = &mine[below (&random, MINE)], *was = *at;
              *at = b;
              b = was;
            }
          my_freed += b != NULL;
          block_free (b);
        }
    }
  for (int i = 0; i < MINE; i++)
    {
      my_freed += mine[i] != NULL;
      block_free (mine[i]);
    }
  __atomic_add_fetch (&made, my_made, __ATOMIC_RELAXED);
  __atomic_add_fetch (&freed, my_freed, __ATOMIC_RELAXED);
  __atomic_sub_fetch (&running, 1, __ATOMIC_RELEASE);
  return NULL;
}

int
main (int argc, char **argv)
{
  pthread_t thread[THREADS];
  rounds = param (argc, argv, "rounds", SANITIZED ? 60 : 2000);
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (work, (void *) i);
  for (; __atomic_load_n (&running, __ATOMIC_ACQUIRE) > 0; trims++)
    malloc_trim (0);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    {
      block *b = block_swap (&shared[i], NULL);
      freed += b != NULL;
      block_free (b);
    }
  verdict (made == freed && trims > 3, "trims", "%ld made, %ld freed, %ld trims",
           made, freed, trims);
  return finish ();
}
