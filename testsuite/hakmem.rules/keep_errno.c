/* errno is kept by every free and by every call that succeeds: on the hot path
   and wherever it ends: refills, retires, purges that fail, remote frees, a
   thread's first call and a parked heap's.  */
#include "outside.h"

enum { MARK = 4711 };
static long wrong;
static const char *wrong_where;

static void
expect (const char *where)
{
  if (errno != MARK && __atomic_fetch_add (&wrong, 1, __ATOMIC_RELAXED) == 0)
    wrong_where = where;
  errno = MARK;
}

static void *
get (size_t size)
{
  errno = MARK;
  void *p = malloc (size);
  expect ("malloc");
  return p;
}

static void
put (void *p)
{
  errno = MARK;
  free (p);
  expect ("free");
}

static void
verdict (void)
{
  CHECKF (wrong == 0, "%ld times, first in %s", wrong, wrong_where);
  wrong = 0;
}

enum { MOST = 40000 };
static void *p[MOST];

/* Enough of each size to refill, retire, empty, purge and unmap.  */
static void
up_and_down (void)
{
  static const size_t sizes[] = { 16, 200, 1024, 2000, 5000, 32768, 100000,
                                  1500000, 3 * MIB, 70 * MIB };
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    {
      size_t n = 48 * MIB / sizes[s];
      n = n > MOST ? MOST : n < 2 ? 2 : n;
      for (size_t i = 0; i < n; i++)
        p[i] = get (sizes[s]);
      for (size_t i = 0; i < n; i += 2)
        put (p[i]);
      for (size_t i = 0; i < n; i += 2)
        {
          errno = MARK;
          p[i] = calloc (1, sizes[s]);
          expect ("calloc");
        }
      for (size_t i = 0; i < n; i++)
        put (p[i]);
    }
}

TEST (refill_retire_and_purge)
{
  up_and_down ();
  verdict ();
}

TEST (realloc_and_aligned)
{
  void *q = get (1);
  for (size_t size = 1; size < 100 * MIB; size += size / 2 + 1)
    {
      q = realloc (q, size);
      expect ("realloc");
      put (aligned_alloc (64, size));
      put (memalign (65536, size));
      void *r;
      CHECK (posix_memalign (&r, 4096, size) == 0);
      expect ("posix_memalign");
      put (r);
    }
  for (size_t size = 90 * MIB; size > 1; size /= 3)
    {
      q = realloc (q, size);
      expect ("realloc");
    }
  errno = MARK;
  malloc_usable_size (q);
  expect ("malloc_usable_size");
  q = realloc (q, 0);
  expect ("realloc to 0");
  put (NULL);
  verdict ();
}

static void *
free_all (void *n)
{
  for (size_t i = 0; i < (size_t) n; i++)
    put (p[i]);
  return NULL;
}

static void *
allocate_all (void *n)
{
  for (size_t i = 0; i < (size_t) n; i++)
    p[i] = get (16 + i % 4000);
  return NULL;
}

/* Blocks of a thread that lives, then of one that is gone.  */
TEST (remote_frees)
{
  pthread_t id;
  allocate_all ((void *) MOST);
  for (int i = 0; i < 2; i++)
    {
      if (pthread_create (&id, NULL, free_all, (void *) MOST) != 0)
        abort ();
      pthread_join (id, NULL);
      if (i == 0 && pthread_create (&id, NULL, allocate_all, (void *) MOST) == 0)
        pthread_join (id, NULL);
    }
  if (pthread_create (&id, NULL, allocate_all, (void *) MOST) != 0)
    abort ();
  pthread_join (id, NULL);
  free_all ((void *) MOST);
  verdict ();
}

static pthread_key_t key;
static void
destructor (void *q)
{
  put (q);
  put (get (500));
}

static void *
with_destructor (void *unused UNUSED)
{
  pthread_setspecific (key, get (100));
  return NULL;
}

TEST (a_thread_that_ends)
{
  pthread_key_create (&key, destructor);
  for (int i = 0; i < 30; i++)
    {
      pthread_t id;
      if (pthread_create (&id, NULL, with_destructor, NULL) != 0)
        abort ();
      pthread_join (id, NULL);
    }
  verdict ();
}

/* Locked memory can't be purged: madvise fails, and nobody hears of it.  */
TEST (purges_that_fail)
{
  enum { N = MOST }; /* 40 MB: more than may stay idle */
  if (mlockall (MCL_CURRENT | MCL_FUTURE) != 0)
    SKIP ("memory can't be locked here");
  for (size_t i = 0; i < N; i++)
    p[i] = get (1024);
  for (size_t i = 0; i < N; i++)
    put (p[i]);
  munlockall ();
  verdict ();
}

TEST (failure_says_enomem)
{
  /* Opaque, or the compiler complains.  */
  volatile size_t most = PTRDIFF_MAX;
  errno = MARK;
  CHECK (malloc (most) == NULL && errno == ENOMEM);
  errno = MARK;
  CHECK (malloc (most + 1) == NULL && errno == ENOMEM);
  errno = MARK;
  CHECK (calloc (most, 3) == NULL && errno == ENOMEM);
  void *q = get (10);
  errno = MARK;
  CHECK (realloc (q, most) == NULL && errno == ENOMEM);
  put (q);
  verdict ();
}

int
main (void)
{
  RUN (purges_that_fail); /* first: nothing has raised the budget yet */
  RUN (refill_retire_and_purge);
  RUN (realloc_and_aligned);
  RUN (remote_frees);
  RUN (a_thread_that_ends);
  RUN (failure_says_enomem);
  return check_done ();
}
