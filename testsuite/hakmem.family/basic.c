/* malloc, free, realloc at every size: alignment, uniqueness, usable size,
   errno, the zero cases.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* Sizes above the sweep: around every layer's limits.  */
static const size_t far_sizes[] = {
  65535, 65536, 65537, 131072, 200000, 262144, 262145, 524288, 1000000,
  1048576, 1048577, 2097136, 2097151, 2097152, 2097153, 2162688, 3000000,
  4194304, 4194305, 10000000, 33554432
};
#define FAR (sizeof far_sizes / sizeof far_sizes[0])

static bool
aligned_16 (const void *p)
{
  return ((uintptr_t) p & 15) == 0;
}

/* Four blocks of SIZE bytes at once, wholly written up to their usable size:
   none may reach into another.  */
static void
try_size (size_t size)
{
  enum { N = 4 };
  unsigned char *p[N];
  size_t usable[N];
  for (int i = 0; i < N; i++)
    {
      p[i] = malloc (size);
      if (!CHECKF (p[i], "malloc (%zu) failed", size))
        return;
      CHECKF (aligned_16 (p[i]), "malloc (%zu) gave %p", size, (void *) p[i]);
      usable[i] = malloc_usable_size (p[i]);
      CHECKF (usable[i] >= size, "%zu usable of %zu", usable[i], size);
      block_fill (p[i], usable[i], (uint64_t) i);
    }
  for (int i = 0; i < N; i++)
    {
      CHECKF (block_good (p[i], usable[i], (uint64_t) i),
              "a block of %zu bytes was overwritten", size);
      CHECKF (malloc_usable_size (p[i]) == usable[i],
              "usable size of a %zu byte block changed", size);
      p[i][usable[i] ? usable[i] - 1 : 0] = 0;
    }
  for (int i = 0; i < N; i++)
    free (p[i ^ 1]);
}

TEST (every_size)
{
  for (size_t size = 0; size <= 1100; size++)
    try_size (size);
  for (size_t size = 1101; size <= 70000; size += 17) /* odd and even */
    try_size (size);
  for (size_t i = 0; i < FAR; i++)
    try_size (far_sizes[i]);
}

TEST (alignment_of_all_odd_sizes)
{
  static void *p[256];
  for (size_t size = 1, i = 0; size <= 70000; size += 2, i = (i + 1) % 256)
    {
      free (p[i]);
      p[i] = malloc (size);
      CHECKF (p[i] && aligned_16 (p[i]), "malloc (%zu) gave %p", size, p[i]);
    }
  for (size_t i = 0; i < 256; i++)
    free (p[i]);
}

TEST (zero_size_unique)
{
  void *p[100];
  for (int i = 0; i < 100; i++)
    {
      p[i] = malloc (0);
      CHECK (p[i] != NULL && aligned_16 (p[i]));
      for (int j = 0; j < i; j++)
        CHECK (p[i] != p[j]);
    }
  for (int i = 0; i < 100; i++)
    free (p[i]);
  void *a = calloc (0, 7), *b = calloc (7, 0), *c = realloc (NULL, 0);
  CHECK (a && b && c && a != b && b != c && a != c);
  free (a), free (b), free (c);
}

TEST (null_arguments)
{
  free (NULL);
  CHECK (malloc_usable_size (NULL) == 0);
  char *p = realloc (NULL, 100);
  if (CHECK (p))
    memset (p, 1, 100);
  free (p);
}

TEST (realloc_zero_frees)
{
  CHECK (realloc (malloc (10), 0) == NULL);
  size_t before = 0;
  static const size_t sizes[] = { 48, 5000, 200000, 4000000 };
  for (int s = 0; s < 4; s++)
    {
      /* If nothing were freed this would hold some 400 MB per size.  */
      size_t rounds = 400000000 / sizes[s];
      if (rounds > 200000)
        rounds = 200000;
      before = resident_bytes ();
      for (size_t i = 0; i < rounds; i++)
        {
          char *p = malloc (sizes[s]);
          if (!CHECK (p))
            return;
          p[0] = p[sizes[s] - 1] = 1;
          if (sizes[s] < 100000)
            memset (p, 1, sizes[s]);
          errno = 4711;
          CHECK (realloc (p, 0) == NULL);
          CHECK (errno == 4711);
        }
      size_t after = resident_bytes ();
      /* 200,000 blocks of 48 bytes are 9.6 MB.  */
      CHECKF (after < before + 6000000 || sizes[s] == 4000000,
              "resident %zu -> %zu after %zu times %zu bytes", before, after,
              rounds, sizes[s]);
    }
}

TEST (errno_kept)
{
  static const size_t sizes[] = { 0, 1, 100, 2048, 2049, 32768, 32769, 300000,
                                  2097152, 2097153, 9000000 };
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (int round = 0; round < 40; round++)
      {
        errno = 1234;
        void *p = malloc (sizes[i]);
        CHECKF (p && errno == 1234, "malloc (%zu): errno %d", sizes[i], errno);
        void *q = calloc (1, sizes[i]);
        CHECKF (q && errno == 1234, "calloc (%zu): errno %d", sizes[i], errno);
        q = realloc (q, sizes[i] * 2 + 1);
        CHECKF (q && errno == 1234, "realloc (%zu): errno %d", sizes[i], errno);
        void *a = aligned_alloc (4096, sizes[i]);
        CHECKF (a && errno == 1234, "aligned_alloc (%zu): errno %d", sizes[i],
                errno);
        free (p);
        CHECKF (errno == 1234, "free of %zu: errno %d", sizes[i], errno);
        free (a);
        free (q);
        CHECKF (errno == 1234, "free of %zu: errno %d", 2 * sizes[i], errno);
      }
  errno = 99;
  free (NULL);
  CHECK (errno == 99);
}

int
main (void)
{
  RUN (every_size);
  RUN (alignment_of_all_odd_sizes);
  RUN (zero_size_unique);
  RUN (null_arguments);
  RUN (realloc_zero_frees);
  RUN (errno_kept);
  return check_done ();
}
