/* The moment a superslab is unmapped its addresses are anybody's: another thread
   may map the next one, or a big block, at the same place before the one that
   unmapped does its next step.  What it registered there is found all the same,
   then and later.

   The other thread acts where the library's call of munmap returns, and its own
   mmap is told the place: so syscall() is the test's own.  */
#include "inside.h"
#include "large/run.h"
#include "lock_stalls.h"

#include "own_syscall.h"

enum { BIG = 3 << 20 };

static void *watched; /* its munmap lets `other' act, once */
static void *vacant;  /* the next mapping is made here */
static actor other;
static void (*other_job) (void *);
static void *got; /* the block it made */

static long
own_syscall (long number, long a[6])
{
  if (number == SYS_MMAP && vacant != NULL
      && (size_t) a[1] >= HKM_SUPERSLAB_SIZE)
    {
      a[0] = (long) vacant;
      a[3] |= MAP_FIXED_NOREPLACE;
      vacant = NULL;
    }
  long result = next_syscall (number, a);
  if (number == SYS_munmap && result == 0 && watched != NULL
      && (void *) a[0] == watched)
    {
      vacant = watched;
      watched = NULL;
      act (&other, other_job, NULL);
    }
  return result;
}

static void
job_large (void *arg)
{
  (void) arg;
  got = malloc (HKM_LARGE_MAX);
}

static void
job_big (void *arg)
{
  (void) arg;
  got = malloc (BIG);
}

/* This thread unmaps a superslab, and OTHER_JOB takes its place.  */
static void
replace (void (*job) (void *), size_t size)
{
  enum { FILL = 64 };
  void *fill[FILL], *p;
  int filled = 0;
  while ((p = malloc (HKM_LARGE_MAX)) != NULL && slab_of (p)->super->base != p
         && filled < FILL)
    fill[filled++] = p; /* no other superslab has room for one */
  if (!CHECK (p != NULL && slab_of (p)->super->base == p))
    return;
  other_job = job;
  free (p);
  watched = p;
  hkm_superslab_trim ();
  if (!CHECKF (watched == NULL && vacant == NULL, "nobody was there in between"))
    return;
  CHECKF (got == p, "%p instead of %p", got, p);
  CHECK (slab_of (got) != NULL);
  CHECK (malloc_usable_size (got) >= size);
  memset (got, 1, size);
  free (got); /* here, by whoever did not map it */
  while (filled > 0)
    free (fill[--filled]);
  malloc_trim (0);
}

TEST (superslab_in_its_place)
{
  for (int i = 0; i < 3; i++)
    replace (job_large, HKM_LARGE_MAX);
}

TEST (big_block_in_its_place)
{
  for (int i = 0; i < 3; i++)
    replace (job_big, BIG);
}

static void
job_meet (void *arg)
{
  (void) arg;
  free (malloc (HKM_LARGE_MAX));
}

/* OTHER meets this thread in the first pool, and has one of its own after.  */
static void
part (void)
{
  free (malloc (HKM_LARGE_MAX)); /* the first pool is this thread's */
  actor_start (&other);
  hkm_lock_take (&hkm_pool_first.lock);
  hkm_store_relaxed (&hkm_pool_first.visited, false);
  actor_begin (&other, job_meet, NULL);
  while (hkm_load_seq_cst (&sleeps_on) != HKM_RANK_SUPERSLAB)
    sched_yield ();
  hkm_lock_give (&hkm_pool_first.lock);
  actor_wait (&other);
  malloc_trim (0);
}

int
main (void)
{
  part ();
  RUN (superslab_in_its_place);
  RUN (big_block_in_its_place);
  return check_done ();
}
