/* Learning in windows of 10 ms, in a process that gives it no rest: threads
   allocate blocks of all layers in phases, free each other's, fork, ask for
   reports and set numbers of the policy themselves.  Every byte of every block is
   checked.  */
#include "concur.h"

#include <sys/wait.h>

#ifdef HKM_TEST_NAMES
#define hakmem_ctl hkm_test_hakmem_ctl
#define hakmem_stats_print hkm_test_hakmem_stats_print
#else
#include <dlfcn.h>
#endif
#include "hakmem/hakmem.h"

enum { SHARED = 256, KEEP = 48 };

static __typeof__ (hakmem_ctl) *ctl;
static __typeof__ (hakmem_stats_print) *print;
static block *shared[SHARED];
static long rounds;
static uint32_t phase; /* relaxed */

static size_t
size_of_phase (uint64_t *random)
{
  switch (__atomic_load_n (&phase, __ATOMIC_RELAXED) % 4)
    {
    case 0: return 8230;
    case 1: return draw_size (random, 16, 4096);
    case 2: return draw_size (random, 40000, 1500000);
    default: return below (random, 8) != 0 ? draw_size (random, 2049, 32768)
                                           : draw_size (random, 2100000, 6000000);
    }
}

static void *
live (void *arg)
{
  uint64_t random = mix ((long) arg);
  block *kept[KEEP] = { NULL };
  for (long i = 0; i < rounds; i++)
    {
      unsigned k = below (&random, KEEP);
      block_free (kept[k]);
      kept[k] = block_new (size_of_phase (&random), &random);
      if (below (&random, 3) == 0)
        kept[k] = __atomic_exchange_n (&shared[below (&random, SHARED)],
                                       kept[k], __ATOMIC_ACQ_REL);
    }
  for (unsigned k = 0; k < KEEP; k++)
    block_free (kept[k]);
  return NULL;
}

/* A child goes on learning, by itself.  */
static void
fork_once (uint64_t *random)
{
  pid_t child = fork ();
  if (child == 0)
    {
      for (int i = 0; i < 2000; i++)
        block_free (block_new (size_of_phase (random), random));
      _exit (0);
    }
  int status = -1;
  if (child < 0 || waitpid (child, &status, 0) != child || status != 0)
    die ("fork", "status %d", status);
}

static uint64_t
learned (const char *name)
{
  uint64_t value = 0;
  size_t length = sizeof value;
  if (ctl (name, &value, &length, NULL, 0) != 0)
    die ("ctl", "%s", name);
  return value;
}

int
main (int argc, char **argv)
{
  enum { THREADS = 4 };
  pthread_t thread[THREADS];
  uint64_t random = mix (1);
#ifdef HKM_TEST_NAMES /* else the environment has it */
  setenv ("HAKMEM_LEARN", "1", 1);
  setenv ("HAKMEM_LEARN_WINDOW_MS", "10", 1);
  ctl = hakmem_ctl;
  print = hakmem_stats_print;
#else
  ctl = (__typeof__ (ctl)) dlsym (RTLD_DEFAULT, "hakmem_ctl");
  print = (__typeof__ (print)) dlsym (RTLD_DEFAULT, "hakmem_stats_print");
#endif
  rounds = param (argc, argv, "rounds", SANITIZED ? 400 : 4000);
  if (ctl == NULL || print == NULL)
    die ("symbols", "no hakmem_ctl");
  uint64_t none;
  size_t length = sizeof none;
  if (ctl ("learn.windows", &none, &length, NULL, 0) != 0)
    {
      say ("skip learning: built without");
      return finish ();
    }
  int null = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  for (int turn = 0; turn < 8; turn++)
    {
      __atomic_store_n (&phase, (uint32_t) turn, __ATOMIC_RELAXED);
      for (long t = 0; t < THREADS; t++)
        thread[t] = thread_start (live, (void *) (turn * THREADS + t + 2));
      uint64_t value = 4096u << below (&random, 4);
      (void) ctl ("policy.TINY_BUMP_CHUNK", NULL, NULL, &value, sizeof value);
      if (print (null, "text") != 0)
        die ("print", "turn %d", turn);
      fork_once (&random);
      for (int t = 0; t < THREADS; t++)
        pthread_join (thread[t], NULL);
    }
  for (int i = 0; i < SHARED; i++)
    block_free (shared[i]);
  verdict (learned ("learn.windows") >= 8, "learning", "%llu windows",
           (unsigned long long) learned ("learn.windows"));
  say ("# %llu trials, %llu kept", (unsigned long long) learned ("learn.trials"),
       (unsigned long long) learned ("learn.kept"));
  return finish ();
}
