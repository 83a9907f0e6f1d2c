/* Requests that can't be met: NULL and ENOMEM, nothing else changed.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* Volatile: no compiler may know that these are too large.  */
static volatile size_t huge[] = {
  (size_t) PTRDIFF_MAX, (size_t) PTRDIFF_MAX + 1, (size_t) PTRDIFF_MAX - 4096,
  (size_t) PTRDIFF_MAX + 4096, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15,
  SIZE_MAX - 16, SIZE_MAX - 4095, SIZE_MAX - 65536, SIZE_MAX - 2097152,
  (size_t) 1 << (sizeof (size_t) * 8 - 2)
};
#define HUGE_SIZES (sizeof huge / sizeof huge[0])

#define FAILS(call)                                                           \
  do                                                                          \
    {                                                                         \
      errno = 0;                                                              \
      void *got = (call);                                                     \
      CHECKF (got == NULL, #call " succeeded for %#zx", n);                   \
      CHECKF (errno == ENOMEM, #call ": errno %d for %#zx", errno, n);        \
    }                                                                         \
  while (0)

TEST (too_large)
{
  for (size_t i = 0; i < HUGE_SIZES; i++)
    {
      size_t n = huge[i];
      FAILS (malloc (n));
      FAILS (calloc (1, n));
      FAILS (calloc (n, 1));
      FAILS (realloc (NULL, n));
      FAILS (reallocarray (NULL, n, 1));
      FAILS (aligned_alloc (16, n));
      FAILS (aligned_alloc (4096, n));
      FAILS (aligned_alloc (1 << 21, n));
      FAILS (memalign (64, n));
      FAILS (valloc (n));
      FAILS (pvalloc (n));
    }
}

TEST (posix_memalign_too_large)
{
  for (size_t i = 0; i < HUGE_SIZES; i++)
    {
      char mark;
      void *p = &mark;
      CHECK (posix_memalign (&p, 16, huge[i]) == ENOMEM);
      CHECK (posix_memalign (&p, 1 << 20, huge[i]) == ENOMEM);
      CHECK (p == &mark);
    }
}

TEST (block_survives_failed_realloc)
{
  static const size_t sizes[] = { 20, 3000, 100000, 5000000 };
  for (size_t s = 0; s < 4; s++)
    for (size_t i = 0; i < HUGE_SIZES; i++)
      {
        size_t n = huge[i];
        void *volatile p = malloc (sizes[s]); /* gcc thinks it is gone */
        if (!CHECK (p))
          return;
        block_fill (p, sizes[s], i);
        FAILS (realloc (p, n));
        FAILS (reallocarray (p, n, 1));
        FAILS (reallocarray (p, 3, n));
        CHECK (block_good (p, sizes[s], i));
        free (p);
      }
}

TEST (products_overflow)
{
  volatile size_t half = (size_t) 1 << (sizeof (size_t) * 4);
  struct { size_t a, b; } pairs[] = {
    { half, half }, { half + 1, half }, { SIZE_MAX, 2 }, { 2, SIZE_MAX },
    { SIZE_MAX / 2 + 1, 2 }, { SIZE_MAX, SIZE_MAX }, { SIZE_MAX / 3, 4 },
    { half * 2, half }, { SIZE_MAX / 16 + 2, 16 }, { half << 8, half << 8 }
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    {
      size_t n = pairs[i].a;
      FAILS (calloc (pairs[i].a, pairs[i].b));
      FAILS (calloc (pairs[i].b, pairs[i].a));
      FAILS (reallocarray (NULL, pairs[i].a, pairs[i].b));
      void *volatile p = malloc (32);
      block_fill (p, 32, i);
      FAILS (reallocarray (p, pairs[i].a, pairs[i].b));
      CHECK (block_good (p, 32, i));
      free (p);
    }
}

TEST (reallocarray_works)
{
  int *p = reallocarray (NULL, 10, sizeof *p);
  if (!CHECK (p))
    return;
  for (int i = 0; i < 10; i++)
    p[i] = i * i;
  p = reallocarray (p, 100000, sizeof *p);
  if (!CHECK (p))
    return;
  for (int i = 0; i < 10; i++)
    CHECK (p[i] == i * i);
  p[99999] = 1;
  free (p);
}

TEST (aligned_errors)
{
  char mark;
  void *p = &mark;
  static const size_t bad[] = { 0, 1, 2, 4, 3, 7, 12, 24, 48, 100, 4095, 4097,
                                (size_t) -1, (size_t) PTRDIFF_MAX };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (bad[i] % sizeof (void *) != 0 || (bad[i] & (bad[i] - 1)) != 0
        || bad[i] == 0)
      {
        errno = 0;
        CHECKF (posix_memalign (&p, bad[i], 100) == EINVAL,
                "posix_memalign accepts alignment %#zx", bad[i]);
        CHECK (p == &mark);
      }
  CHECK (posix_memalign (&p, sizeof (void *), 100) == 0
         && (uintptr_t) p % sizeof (void *) == 0 && p != &mark);
  free (p);
  /* memalign rounds an odd alignment up to a power of two, as glibc's.  */
  for (size_t align = 3; align < 5000; align += 97)
    {
      void *q = memalign (align, 100);
      size_t power = 1;
      while (power < align)
        power *= 2;
      CHECKF (q && (uintptr_t) q % power == 0, "memalign (%zu) gave %p", align,
              q);
      free (q);
    }
  errno = 0;
  volatile size_t beyond = SIZE_MAX / 2 + 2;
  CHECK (memalign (beyond, 1) == NULL);
  CHECK (errno == EINVAL || errno == ENOMEM);
}

/* Beyond what the machine lends out, yet a legal size.  */
TEST (address_space_exhausted)
{
  if (sizeof (void *) < 8)
    SKIP ("32-bit");
  static void *p[4096];
  size_t n = 0, size = (size_t) 1 << 44; /* 16 TiB */
  errno = 0;
  while (n < 4096 && (p[n] = malloc (size)))
    n++;
  CHECK (n < 4096 && errno == ENOMEM);
  while (n)
    free (p[--n]);
  void *q = malloc (3000000);
  CHECK (q);
  free (q);
}

int
main (void)
{
  RUN (too_large);
  RUN (posix_memalign_too_large);
  RUN (block_survives_failed_realloc);
  RUN (products_overflow);
  RUN (reallocarray_works);
  RUN (aligned_errors);
  RUN (address_space_exhausted);
  return check_done ();
}
