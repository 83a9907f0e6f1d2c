/* Sites learned by several threads at once, while files are opened, rules are
   saved, and processes are forked: blocks stay whole, and children go on.

   site_rules [steps=N]   in each thread  */
#include "concur.h"
#include <dlfcn.h>

enum { THREADS = 3, SHARED = 24 };

#ifdef HKM_TEST_NAMES
extern void hkm_site_forget_slow (void);
extern int hkm_test_hakmem_ctl (const char *, void *, size_t *, const void *,
                                size_t);
#endif
static int (*ctl) (const char *, void *, size_t *, const void *, size_t);

static block *shared[SHARED];
static long steps, running = THREADS, saves, children;
static char path[] = "/tmp/hkm-sites-XXXXXX";

/* Blocks of 33 KiB to 2 MiB and a little more, from a site for each; by realloc,
   which knows its caller in unoptimised builds too.  */
#define SITE(n)                                                               \
  static __attribute__ ((noinline)) block *site##n (uint64_t *random)         \
  {                                                                           \
    size_t size = draw_size (random, 33000, 70000u << n);                     \
    return block_write (realloc (NULL, size), size, draw (random));           \
  }
SITE (0)
SITE (1)
SITE (2)
SITE (3)
SITE (4)
SITE (5)
static block *(*const site[]) (uint64_t *) = { site0, site1, site2,
                                               site3, site4, site5 };

static void *
work (void *arg)
{
  uint64_t random = mix ((uint64_t) (uintptr_t) arg + 5);
  for (long i = 0; i < steps; i++)
    {
      block *b = i % 5 == 0 ? NULL : site[below (&random, 6)](&random);
      block_free (block_swap (&shared[below (&random, SHARED)], b));
    }
  __atomic_sub_fetch (&running, 1, __ATOMIC_RELEASE);
  return NULL;
}

/* Another generation: of dlopen's, or as it would make one.  */
static void
open_something (void)
{
#ifdef HKM_TEST_NAMES
  hkm_site_forget_slow ();
#else
  void *file = dlopen ("libm.so.6", RTLD_NOW);
  if (file != NULL)
    dlclose (file);
#endif
}

/* True if a child goes on to ask and to free.  */
static bool
fork_one (void)
{
  int status = -1;
  pid_t child = fork ();
  if (child == 0)
    {
      uint64_t random = 3;
      for (int i = 0; i < 20; i++)
        block_free (site[i % 6](&random));
      _exit (0);
    }
  return child > 0 && waitpid (child, &status, 0) == child && status == 0;
}

int
main (int argc, char **argv)
{
  pthread_t thread[THREADS];
  bool saved = true, went_on = true;
  if (getenv ("HAKMEM_SITE_LEARN") == NULL)
    {
      setenv ("HAKMEM_SITE_LEARN", "1", 1);
      execv ("/proc/self/exe", argv);
      return 2;
    }
#ifdef HKM_TEST_NAMES
  ctl = hkm_test_hakmem_ctl;
#else
  *(void **) &ctl = dlsym (RTLD_DEFAULT, "hakmem_ctl");
#endif
  if (ctl == NULL)
    return 2;
  close (mkstemp (path));
  steps = param (argc, argv, "steps", SANITIZED ? 400 : 2500);
  for (uintptr_t i = 0; i < THREADS; i++)
    pthread_create (&thread[i], NULL, work, (void *) i);
  while (__atomic_load_n (&running, __ATOMIC_ACQUIRE) > 0)
    {
      open_something ();
      int error = ctl ("sites.save", NULL, NULL, path, sizeof path);
      if (error == ENOENT) /* the part is not built in */
        break;
      saved = saved && error == 0;
      saves++;
      if (!SANITIZED && saves % 8 == 0)
        {
          went_on = went_on && fork_one ();
          children++;
        }
    }
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    block_free (shared[i]);
  unlink (path);
  verdict (saved, "rules are saved meanwhile", "%ld times", saves);
  if (children > 0)
    verdict (went_on, "children go on", "%ld children", children);
  return finish ();
}
