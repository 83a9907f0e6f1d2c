/* calloc is zero, all of it, whatever lay there before: dirty blocks of every
   size are freed and asked for again.  */
#include "blocks.h"
#include "check.h"
#include <malloc.h>
#include <stdlib.h>

static void
dirty_then_calloc (size_t size, int many, int rounds)
{
  void *p[64];
  for (int round = 0; round < rounds; round++)
    {
      for (int i = 0; i < many; i++)
        {
          p[i] = malloc (size);
          if (!CHECK (p[i]))
            return;
          memset (p[i], 0xa5, malloc_usable_size (p[i]));
        }
      for (int i = 0; i < many; i++)
        free (p[i]);
      for (int i = 0; i < many; i++)
        {
          p[i] = round & 1 ? calloc (size, 1) : calloc (1, size);
          if (!CHECK (p[i]))
            return;
          CHECKF (block_zero (p[i], size), "calloc (%zu) is not zero", size);
          memset (p[i], 0x5a, size);
        }
      for (int i = many; i-- > 0;)
        free (p[i]);
    }
}

TEST (tiny)
{
  for (size_t size = 1; size <= 2048; size++)
    dirty_then_calloc (size, 16, 2);
}

TEST (mid)
{
  for (size_t size = 2049; size <= 33000; size += 101)
    dirty_then_calloc (size, 20, 2);
}

TEST (large)
{
  for (size_t size = 32769; size <= 2100000; size += 61007)
    dirty_then_calloc (size, 4, 3);
}

TEST (big)
{
  for (size_t size = 2097152; size <= 12000000; size += 1300021)
    dirty_then_calloc (size, 3, 3);
}

/* Memory that was purged between use and reuse.  */
TEST (after_trim)
{
  static const size_t sizes[] = { 40, 1000, 6000, 32768, 70000, 1500000,
                                  3000000 };
  for (int s = 0; s < 7; s++)
    for (int round = 0; round < 3; round++)
      {
        enum { MOST = 3000 };
        static void *p[MOST];
        size_t n = 30000000 / sizes[s];
        if (n > MOST)
          n = MOST;
        for (size_t i = 0; i < n; i++)
          if (CHECK ((p[i] = malloc (sizes[s]))))
            memset (p[i], 0xee, sizes[s]);
        for (size_t i = 0; i < n; i++)
          free (p[i]);
        malloc_trim (0);
        for (size_t i = 0; i < n; i++)
          {
            p[i] = calloc (1, sizes[s]);
            CHECKF (p[i] && block_zero (p[i], sizes[s]),
                    "calloc (%zu) after malloc_trim is not zero", sizes[s]);
          }
        for (size_t i = 0; i < n; i++)
          free (p[i]);
      }
}

/* Fresh memory is not written: a big calloc that nobody touches costs no
   resident memory.  */
TEST (fresh_is_untouched)
{
  size_t before = resident_bytes ();
  void *p = calloc (1, (size_t) 256 << 20);
  size_t after = resident_bytes ();
  CHECK (p);
  CHECKF (after < before + (8 << 20), "resident %zu -> %zu", before, after);
  free (p);
}

TEST (elements)
{
  /* The product is cleared, not one factor.  */
  for (size_t n = 1; n < 200; n += 7)
    for (size_t size = 1; size < 200; size += 11)
      {
        void *p = malloc (n * size);
        memset (p, 1, n * size);
        free (p);
        p = calloc (n, size);
        CHECK (p && block_zero (p, n * size));
        free (p);
      }
}

int
main (void)
{
  RUN (tiny);
  RUN (mid);
  RUN (large);
  RUN (big);
  RUN (after_trim);
  RUN (fresh_is_untouched);
  RUN (elements);
  return check_done ();
}
