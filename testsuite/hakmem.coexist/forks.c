/* Forks where few expect one: before the first constructor and before the
   process's first allocation, in constructors, from a thread's destructor of
   thread-specific data, from a handler of exit, in the children of such children;
   threads allocate meanwhile.  And a storm of execs of a small program: 200, or
   HAKMEM_TEST_EXECS.  */
#include "../hakmem.concur/concur.h"
#include <spawn.h>

extern char **environ;
enum { BUSY = 3, SHARED = 64 };

static block *shared[SHARED], *early;
static pthread_key_t key;
static int forked, broken;

/* What a child does: allocate, free what it inherited, fork on.  */
static void
forks (int generations)
{
  uint64_t random = 21;
  int status = -1;
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (20);
      block_free (early);
      for (int i = 0; i < 200; i++)
        block_free (block_new (draw_size (&random, 16, 100000), &random));
      if (generations > 0)
        {
          early = NULL;
          forks (generations - 1);
        }
      _exit (broken);
    }
  forked++;
  if (child < 0 || waitpid (child, &status, 0) != child || status != 0)
    broken = 1;
}

static void
before_all (void)
{
  forks (1);
}
__attribute__ ((section (".preinit_array"), used)) static void (*first) (void)
    = before_all;

__attribute__ ((constructor)) static void
constructor (void)
{
  uint64_t random = 22;
  early = block_new (3000, &random);
  forks (2);
}

static void
at_thread_end (void *unused UNUSED)
{
  forks (1);
}

static void *
short_lived (void *unused UNUSED)
{
  uint64_t random = 23;
  pthread_setspecific (key, &key);
  block_free (block_new (500, &random));
  return NULL;
}

static void *
busy (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (;;)
    block_free (block_swap (&shared[below (&random, SHARED)],
                            block_new (draw_size (&random, 16, 20000), &random)));
  return NULL;
}

static void
at_end (void)
{
  forks (2);
  verdict (broken == 0 && forked == 7 + 1, "forks in odd places",
           "%d of %d children", broken, forked);
  finish ();
}

static void
execs (long n)
{
  static char *const argv[] = { "true", NULL };
  long bad = 0;
  for (long i = 0; i < n; i++)
    {
      pid_t child;
      int status = -1;
      if (posix_spawn (&child, "/bin/true", NULL, NULL, argv, environ) != 0
          || waitpid (child, &status, 0) != child || status != 0)
        bad++;
    }
  verdict (bad == 0, "execs", "%ld of %ld failed", bad, n);
}

int
main (int argc, char **argv)
{
  pthread_key_create (&key, at_thread_end);
  for (long i = 0; i < BUSY; i++)
    pthread_detach (thread_start (busy, (void *) i));
  for (int i = 0; i < 5; i++)
    pthread_join (thread_start (short_lived, NULL), NULL);
  execs (param (argc, argv, "execs", 200));
  atexit (at_end);
  return 0;
}
