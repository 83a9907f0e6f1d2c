/* Other ways to a new process, while threads allocate: vfork and exec,
   posix_spawn, system, a daemon's double fork, and a clone of the process made
   behind libc's back, whose child may only exec.  */
#include "../hakmem.concur/concur.h"
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>

enum { THREADS = 3, SHARED = 256, STEADY = 300 };

static bool stop;
static block *shared[SHARED], *steady[STEADY];
extern char **environ;
static char *const true_argv[] = { "true", NULL };

static void *
busy (void *arg)
{
  uint64_t random = mix ((long) arg);
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    block_free (block_swap (
        &shared[below (&random, SHARED)],
        block_new (draw_size (&random, 16, 20000), &random)));
  return NULL;
}

static int
status_of (pid_t child)
{
  int status = -1;
  while (waitpid (child, &status, 0) != child)
    if (errno != EINTR)
      return -1;
  return status;
}

static int
by_vfork (void)
{
  pid_t child = vfork ();
  if (child == 0)
    {
      execv ("/bin/true", true_argv);
      _exit (127);
    }
  return status_of (child);
}

static int
by_spawn (void)
{
  pid_t child;
  if (posix_spawn (&child, "/bin/true", NULL, NULL, true_argv, environ) != 0)
    return -1;
  return status_of (child);
}

static int
by_system (void)
{
  return system ("exec /bin/true");
}

static int
by_clone (void) /* no fork handler runs */
{
  pid_t child = syscall (SYS_clone, (long) SIGCHLD, 0L, 0L, 0L, 0L);
  if (child == 0)
    {
      execv ("/bin/true", true_argv);
      _exit (127);
    }
  return status_of (child);
}

static void
many (const char *name, int (*one) (void), int times)
{
  int status = 0, n = 0;
  while (n < times && status == 0)
    {
      status = one ();
      n++;
    }
  verdict (status == 0, name, "number %d ended with status %#x", n, status);
}

/* fork, setsid, fork: the grandchild goes on alone and reports by a pipe.  */
static void
daemonise (void)
{
  int channel[2];
  char answer = 0;
  uint64_t random = 3;
  if (pipe (channel) != 0)
    die ("daemon", "pipe: %d", errno);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (30);
      block *between = block_new (5000, &random);
      setsid ();
      if (fork () != 0)
        _exit (0);
      alarm (30);
      block_free (between);
      for (int i = 0; i < STEADY; i++)
        block_free (steady[i]);
      for (int i = 0; i < SHARED; i++)
        block_free (block_swap (&shared[i], NULL));
      for (int i = 0; i < 10000; i++)
        block_free (block_new (draw_size (&random, 16, 20000), &random));
      FILE *f = fopen ("/dev/null", "w");
      fprintf (f, "%d", 1);
      fclose (f);
      _exit (write (channel[1], "+", 1) != 1);
    }
  int status = status_of (child);
  close (channel[1]);
  ssize_t n = read (channel[0], &answer, 1);
  close (channel[0]);
  verdict (status == 0 && n == 1 && answer == '+', "daemon",
           "status %#x, answer %zd", status, n);
}

int
main (void)
{
  pthread_t thread[THREADS];
  uint64_t random = 2;
  for (int i = 0; i < STEADY; i++)
    steady[i] = block_new (draw_size (&random, 16, 40000), &random);
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (busy, (void *) i);
  many ("vfork", by_vfork, 200);
  many ("posix_spawn", by_spawn, 100);
  many ("system", by_system, 50);
  many ("clone", by_clone, 100);
  daemonise ();
  __atomic_store_n (&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < STEADY; i++)
    block_free (steady[i]);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  verdict (true, "parent", "content");
  return finish ();
}
