/* Fork handlers of the program that allocate.  Some are registered before the
   process's first allocation, so that they run inside the allocator's own
   handlers, where it holds its locks; others after.  Threads allocate all the
   while.  */
#include "../hakmem.concur/concur.h"

enum { THREADS = 3, FORKS = 150, SHARED = 64, CHILD_SECONDS = 30 };

static bool stop;
static block *shared[SHARED];
static block *from_prepare[2];
static uint64_t random_state = 4;
static int calls[2][3];

static void
work (void)
{
  for (int i = 0; i < 40; i++)
    {
      block *b = block_new (draw_size (&random_state, 16, i % 8 ? 2048 : 200000),
                            &random_state);
      block_free (block_swap (&shared[below (&random_state, SHARED)], b));
    }
}

static void
prepare (int which)
{
  calls[which][0]++;
  work ();
  from_prepare[which] = block_new (300, &random_state);
}

static void
after (int which, int side)
{
  calls[which][side]++;
  block_free (from_prepare[which]);
  work ();
}

static void prepare_early (void) { prepare (0); }
static void parent_early (void) { after (0, 1); }
static void child_early (void) { after (0, 2); }
static void prepare_late (void) { prepare (1); }
static void parent_late (void) { after (1, 1); }
static void child_late (void) { after (1, 2); }

/* .preinit_array runs before any constructor.  */
static void
register_early (void)
{
  pthread_atfork (prepare_early, parent_early, child_early);
}
__attribute__ ((section (".preinit_array"), used)) static void (
    *early) (void) = register_early;

static void *
busy (void *arg)
{
  uint64_t random = mix ((long) arg);
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    block_free (block_swap (&shared[below (&random, SHARED)],
                            block_new (draw_size (&random, 16, 4096), &random)));
  return NULL;
}

int
main (void)
{
  pthread_t thread[THREADS];
  free (malloc (1));
  pthread_atfork (prepare_late, parent_late, child_late);
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (busy, (void *) i);
  long broken = 0;
  int last = 0;
  for (int n = 0; n < FORKS && broken == 0; n++)
    {
      pid_t child;
      alarm (CHILD_SECONDS); /* a handler may hang in the parent as well */
      child = fork ();
      if (child == 0)
        {
          alarm (CHILD_SECONDS);
          work ();
          _exit (calls[0][2] == 1 && calls[1][2] == 1 ? 0 : 3);
        }
      int status = -1;
      while (waitpid (child, &status, 0) != child)
        ;
      broken += status != 0;
      last = status ? status : last;
    }
  alarm (0);
  verdict (broken == 0, "children", "%ld broke (status %#x)", broken, last);
  verdict (calls[0][0] == calls[0][1] && calls[1][0] == calls[1][1]
               && calls[0][0] == FORKS,
           "handlers", "early ones ran %d times before and %d after, late ones "
           "%d and %d", calls[0][0], calls[0][1], calls[1][0], calls[1][1]);
  __atomic_store_n (&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  return finish ();
}
