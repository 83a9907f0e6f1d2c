/* Mid blocks in threads that come and go, handed on through a shared table and
   freed by whoever takes them, while the block sizes of the dynamic classes
   change under them.  Every byte of every block is checked, and that it is as
   long as was asked for.  */
#include "concur.h"

#ifdef HKM_TEST_NAMES
#define hakmem_ctl hkm_test_hakmem_ctl
#else
#include <dlfcn.h>
#endif
#include "hakmem/hakmem.h"

enum { SHARED = 256, KEEP = 32 };

static __typeof__ (hakmem_ctl) *ctl;
static block *shared[SHARED];
static long steps;
static uint32_t ended; /* threads */

static int
set_size (const char *name, uint64_t size)
{
  return ctl (name, NULL, NULL, &size, sizeof size);
}

static block *
sized_block (uint64_t *random)
{
  /* Mostly about the sizes that change.  */
  size_t size = below (random, 4) != 0 ? 4900 + 16 * below (random, 330)
                                       : draw_size (random, 16, 32768);
  block *b = block_new (size, random);
  if (malloc_usable_size (b) < size)
    die ("sizes", "%zu bytes for a request of %zu", malloc_usable_size (b),
         size);
  return b;
}

static void *
live (void *arg)
{
  uint64_t random = mix ((long) arg);
  block *kept[KEEP] = { NULL };
  for (long i = 0; i < steps; i++)
    {
      unsigned k = below (&random, KEEP);
      block_free (kept[k]);
      kept[k] = sized_block (&random);
      if (below (&random, 3) == 0)
        kept[k] = __atomic_exchange_n (&shared[below (&random, SHARED)],
                                       kept[k], __ATOMIC_ACQ_REL);
    }
  for (unsigned k = 0; k < KEEP; k++)
    if (k % 4 != 0)
      block_free (kept[k]);
    else /* the rest outlives this thread */
      block_free (__atomic_exchange_n (&shared[below (&random, SHARED)],
                                       kept[k], __ATOMIC_ACQ_REL));
  __atomic_fetch_add (&ended, 1, __ATOMIC_RELEASE);
  return NULL;
}

/* Give both classes other sizes until all THREADS have ended; how many times
   they were in force at once with what was asked for.  */
static long
keep_changing (uint64_t *random, uint32_t threads)
{
  static const uint64_t size[] = { 0, 5008, 6160, 8240, 9008, 9600, 7184 };
  long seen = 0;
  while (__atomic_load_n (&ended, __ATOMIC_ACQUIRE) < threads)
    {
      uint64_t a = size[below (random, 7)], b = size[below (random, 7)];
      if (set_size ("policy.MID_DYN1", a) == 0 && a != 0)
        {
          void *p = malloc (a);
          seen += malloc_usable_size (p) == a;
          free (p);
        }
      (void) set_size ("policy.MID_DYN2", b); /* refused if the same */
      sched_yield ();
    }
  return seen;
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 4);
  long rounds = param (argc, argv, "rounds", SANITIZED ? 4 : 12);
  long seed = param (argc, argv, "seed", 1), seen = 0;
  uint64_t random = mix (seed);
  pthread_t thread[64];
  steps = param (argc, argv, "steps", SANITIZED ? 1500 : 8000);
#ifdef HKM_TEST_NAMES
  ctl = hakmem_ctl;
#else
  ctl = (__typeof__ (ctl)) dlsym (RTLD_DEFAULT, "hakmem_ctl");
#endif
  if (threads > 64 || ctl == NULL)
    die ("parameters", "at most 64 threads, and a hakmem_ctl");
  for (long r = 0; r < rounds; r++)
    {
      __atomic_store_n (&ended, 0, __ATOMIC_RELAXED);
      for (long i = 0; i < threads; i++)
        thread[i] = thread_start (live, (void *) (seed + r * threads + i));
      seen += keep_changing (&random, (uint32_t) threads);
      for (long i = 0; i < threads; i++)
        pthread_join (thread[i], NULL);
    }
  for (int i = 0; i < SHARED; i++)
    block_free (shared[i]);
  /* With everything free the last size wanted is in force.  */
  bool works = set_size ("policy.MID_DYN2", 0) == 0
               && set_size ("policy.MID_DYN1", 8240) == 0;
  void *p = malloc (8240);
  size_t got = malloc_usable_size (p);
  free (p);
  p = malloc (8224);
  works = works && malloc_usable_size (p) == got;
  free (p);
  verdict (works && (got == 8240 || seen == 0), "dyn_classes",
           "a block of %zu bytes at the end", got);
  say ("# %ld sizes were in force at once", seen);
  return finish ();
}
