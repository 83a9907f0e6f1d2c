/* aligned_alloc, posix_memalign, memalign, valloc, pvalloc: every alignment
   from 16 bytes to 4 MiB, every kind of size, no overlap, and free, realloc
   and usable size work on the result.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

static const size_t sizes[] = { 0, 1, 15, 16, 17, 32, 48, 100, 256, 1000, 1024,
                                1025, 2048, 3000, 4096, 4097, 8192, 10000,
                                32768, 32769, 65536, 100000, 1048576, 2097152,
                                2097153, 5000000 };
#define N (sizeof sizes / sizeof sizes[0])

static void *
get (int how, size_t align, size_t size)
{
  void *p = NULL;
  switch (how)
    {
    case 0:
      return aligned_alloc (align, size);
    case 1:
      return memalign (align, size);
    default:
      errno = 5;
      if (posix_memalign (&p, align, size) != 0 || errno != 5)
        return NULL;
      return p;
    }
}

TEST (every_alignment)
{
  for (size_t align = 16; align <= (size_t) 4 << 20; align *= 2)
    for (size_t s = 0; s < N; s++)
      {
        enum { BLOCKS = 6 };
        void *p[BLOCKS];
        size_t usable[BLOCKS];
        for (int i = 0; i < BLOCKS; i++)
          {
            p[i] = get (i % 3, align, sizes[s]);
            if (!CHECKF (p[i], "no %zu bytes at %zu", sizes[s], align))
              return;
            CHECKF ((uintptr_t) p[i] % align == 0, "%p for %zu bytes at %zu",
                    p[i], sizes[s], align);
            usable[i] = malloc_usable_size (p[i]);
            CHECKF (usable[i] >= sizes[s], "usable %zu of %zu at %zu",
                    usable[i], sizes[s], align);
            /* All of it, but not megabytes where little was asked for.  */
            block_fill (p[i], usable[i], (uint64_t) i);
          }
        for (int i = 0; i < BLOCKS; i++)
          CHECKF (block_good (p[i], usable[i], (uint64_t) i),
                  "overlap: %zu bytes at %zu", sizes[s], align);
        for (int i = BLOCKS; i-- > 0;)
          free (p[i]);
      }
}

TEST (small_alignments)
{
  /* Below 16 every block is aligned to 16 anyway.  */
  for (size_t align = 1; align <= 8; align *= 2)
    {
      void *p = memalign (align, 40);
      CHECK (p && (uintptr_t) p % 16 == 0);
      free (p);
    }
  void *p = NULL;
  CHECK (posix_memalign (&p, 8, 40) == 0 && p && (uintptr_t) p % 16 == 0);
  free (p);
}

TEST (page_functions)
{
  size_t page = (size_t) sysconf (_SC_PAGESIZE);
  for (size_t s = 0; s < N; s++)
    {
      char *p = valloc (sizes[s]), *q = pvalloc (sizes[s]);
      CHECKF (p && (uintptr_t) p % page == 0, "valloc (%zu) gave %p", sizes[s],
              (void *) p);
      CHECKF (q && (uintptr_t) q % page == 0, "pvalloc (%zu) gave %p",
              sizes[s], (void *) q);
      size_t whole = (sizes[s] + page - 1) / page * page;
      CHECKF (malloc_usable_size (q) >= whole, "pvalloc (%zu): %zu usable",
              sizes[s], malloc_usable_size (q));
      if (p && q)
        {
          memset (p, 1, sizes[s]);
          memset (q, 2, whole);
        }
      free (p);
      free (q);
    }
}

/* Ten thousand blocks of mixed alignments at once, freed in another order.  */
TEST (many)
{
  enum { BLOCKS = 10000 };
  static void *p[BLOCKS];
  static size_t size[BLOCKS];
  uint64_t rng = rng_seed (11);
  for (int i = 0; i < BLOCKS; i++)
    {
      size_t align = (size_t) 16 << rng_next (&rng) % 9;
      size[i] = rng_next (&rng) % 3000;
      p[i] = get (i % 3, align, size[i]);
      CHECK (p[i] && (uintptr_t) p[i] % align == 0);
      block_fill (p[i], size[i], (uint64_t) i);
    }
  for (int i = 0; i < BLOCKS; i++)
    {
      int j = (int) ((unsigned) i * 7919u % BLOCKS);
      CHECK (block_good (p[j], size[j], (uint64_t) j));
      free (p[j]);
    }
}

int
main (void)
{
  RUN (every_alignment);
  RUN (small_alignments);
  RUN (page_functions);
  RUN (many);
  return check_done ();
}
