/* The library's own thread beside threads that come and go.  Where nobody else has
   a heap (the program's own malloc being another one's) it ends with the last of
   them, each time, and begins with the next.  Windows of 10 ms.  */
#include "concur.h"

#include <dirent.h>
#ifdef HKM_TEST_NAMES
#define hakmem_ctl hkm_test_hakmem_ctl
#else
#include <dlfcn.h>
#endif
#include "hakmem/hakmem.h"

enum { THREADS = 3, SHARED = 64 };
static block *shared[SHARED];
static __typeof__ (hakmem_ctl) *ctl;

static void *
live (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (int i = 0; i < 300; i++)
    block_free (block_swap (&shared[below (&random, SHARED)],
                            block_new (draw_size (&random, 16, i % 30 == 0
                                                                 ? 3000000
                                                                 : 40000),
                                       &random)));
  if (below (&random, 4) == 0) /* some stay for a window */
    usleep (20000);
  return NULL;
}

static uint64_t
learned (const char *name, bool *is)
{
  uint64_t value = 0;
  size_t length = sizeof value;
  *is = ctl != NULL && ctl (name, &value, &length, NULL, 0) == 0;
  return value;
}

/* Is the thread TID at its end?  pthread_join returns while the kernel still lists
   it: PF_EXITING among its flags (proc(5), the ninth field of stat) is older than
   that return.  */
static bool
is_ending (const char *tid)
{
  enum { PF_EXITING = 4 };
  char path[80];
  unsigned flags = 0;
  snprintf (path, sizeof path, "/proc/self/task/%.20s/stat", tid);
  FILE *stat = fopen (path, "r");
  if (stat == NULL)
    return true; /* gone meanwhile */
  int got = fscanf (stat, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %u", &flags);
  fclose (stat);
  if (got == 0)
    die ("stat", "no flags in %s", path);
  return got == EOF || (flags & PF_EXITING) != 0; /* EOF: gone since */
}

static int
threads_now (void)
{
  DIR *all = opendir ("/proc/self/task");
  struct dirent *one;
  int count = 0;
  while ((one = readdir (all)) != NULL)
    count += one->d_name[0] != '.' && !is_ending (one->d_name);
  closedir (all);
  return count;
}

int
main (int argc, char **argv)
{
  bool learns;
#ifdef HKM_TEST_NAMES /* else the environment has it */
  setenv ("HAKMEM_LEARN_THREAD", "1", 1);
  setenv ("HAKMEM_LEARN", "1", 1);
  setenv ("HAKMEM_LEARN_WINDOW_MS", "10", 1);
  setenv ("HAKMEM_PURGE_DELAY_MS", "30", 1);
  ctl = hakmem_ctl;
#else
  ctl = (__typeof__ (ctl)) dlsym (RTLD_DEFAULT, "hakmem_ctl");
#endif
  learned ("learn.windows", &learns);
  if (!learns)
    {
      say ("skip helper: built without learning");
      return finish ();
    }
  long turns = param (argc, argv, "turns", SANITIZED ? 40 : 150);
  for (long turn = 0; turn < turns; turn++)
    {
      pthread_t thread[THREADS];
      for (long t = 0; t < THREADS; t++)
        thread[t] = thread_start (live, (void *) (turn * THREADS + t + 1));
      for (int t = 0; t < THREADS; t++)
        pthread_join (thread[t], NULL);
#ifdef HKM_TEST_NAMES
      if (!SANITIZED && threads_now () != 1)
        die ("helper", "%d threads are left", threads_now ());
#endif
    }
#ifndef HKM_TEST_NAMES /* main has a heap */
  verdict (threads_now () == 2, "one for all", "%d", threads_now ());
#endif
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  uint64_t windows = learned ("learn.windows", &learns);
  verdict (windows >= 5, "helper", "%llu windows", (unsigned long long) windows);
  return finish ();
}
