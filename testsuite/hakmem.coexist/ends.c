/* Ends of processes and threads while others allocate:
     exit | return | quick_exit   of a process with busy threads
     cancel                       of threads in code full of malloc
     c11                          threads of C11, and what they return
     vm                           clone with CLONE_VM and no thread of its own:
                                  the child may allocate while its parent waits  */
#include "../hakmem.concur/concur.h"
#include <sched.h>
#include <signal.h>
#include <threads.h>

enum { THREADS = 4, SHARED = 128, ROUNDS = 10 };

static block *shared[SHARED];

static void
churn (uint64_t *random, int times)
{
  while (times-- > 0)
    block_free (block_swap (&shared[below (random, SHARED)],
                            block_new (draw_size (random, 16, 20000), random)));
}

static void *
busy (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (;;)
    {
      churn (&random, 100);
      pthread_testcancel ();
      FILE *f = fopen ("/dev/null", "w"); /* a cancellation point in stdio */
      fprintf (f, "%d\n", 1);
      fclose (f);
    }
  return NULL;
}

static void
start (pthread_t thread[THREADS])
{
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (busy, (void *) i);
}

static void
last_words (void)
{
  uint64_t random = 77;
  churn (&random, 2000);
  say ("done");
}

static int
on_its_own (void *arg)
{
  uint64_t random = 78;
  if (arg != NULL)
    churn (&random, 500);
  return 5;
}

static int
c11 (void *arg)
{
  uint64_t random = mix ((long) arg);
  churn (&random, 2000);
  return 7;
}

static void
cancel (void)
{
  pthread_t thread[THREADS];
  uint64_t random = 1;
  for (int round = 0; round < ROUNDS; round++)
    {
      start (thread);
      churn (&random, 500);
      for (int i = 0; i < THREADS; i++)
        pthread_cancel (thread[i]);
      for (int i = 0; i < THREADS; i++)
        pthread_join (thread[i], NULL);
    }
  churn (&random, 20000);
  verdict (true, "cancelled threads", "content");
}

static void
c11_threads (void)
{
  int sum = 0, result;
  for (int round = 0; round < ROUNDS; round++)
    {
      thrd_t thread[THREADS];
      for (long i = 0; i < THREADS; i++)
        thrd_create (&thread[i], c11, (void *) i);
      for (int i = 0; i < THREADS; i++)
        {
          thrd_join (thread[i], &result);
          sum += result;
        }
    }
  verdict (sum == ROUNDS * THREADS * 7, "threads of C11", "%d", sum);
}

static void
same_memory (void)
{
  enum { STACK = 64 << 10 };
  char *stack = malloc (STACK);
  uint64_t random = 3;
  int status = 0, sum = 0;
  for (int i = 0; i < 100; i++)
    {
      int flags = CLONE_VM | SIGCHLD | (i % 2 ? CLONE_VFORK : 0);
      pid_t child = clone (on_its_own, stack + STACK, flags,
                           i % 2 ? stack : NULL);
      if (child < 0 || waitpid (child, &status, 0) != child)
        die ("clone", "%d", errno);
      sum += WEXITSTATUS (status);
      churn (&random, 50);
    }
  free (stack);
  verdict (sum == 500, "clone with the same memory", "%d, %#x", sum, status);
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  pthread_t thread[THREADS];
  uint64_t random = 2;
  if (strcmp (what, "cancel") == 0)
    cancel ();
  else if (strcmp (what, "c11") == 0)
    c11_threads ();
  else if (strcmp (what, "vm") == 0)
    same_memory ();
  else
    {
      bool quick = strcmp (what, "quick_exit") == 0;
      if (quick)
        at_quick_exit (last_words);
      else
        atexit (last_words);
      start (thread);
      churn (&random, 10000);
      say ("ok busy until the end");
      if (quick)
        quick_exit (0);
      else if (strcmp (what, "exit") == 0)
        exit (0);
      return 0;
    }
  return finish ();
}
