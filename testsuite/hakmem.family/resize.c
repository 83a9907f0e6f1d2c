/* realloc keeps the content over every change of size, class and layer, up and
   down, and frees what it leaves.  */
#include "blocks.h"
#include "check.h"
#include <malloc.h>
#include <stdlib.h>

static const size_t sizes[] = {
  1, 8, 16, 17, 24, 33, 100, 128, 129, 500, 1000, 1024, 1025, 2047, 2048, 2049,
  3000, 5000, 10000, 32767, 32768, 32769, 40000, 65536, 65537, 100000, 200000,
  262145, 700000, 1048576, 2097151, 2097152, 2097153, 3000000, 4194304, 9000000
};
#define N (sizeof sizes / sizeof sizes[0])

static size_t
min (size_t a, size_t b)
{
  return a < b ? a : b;
}

/* One realloc of *P from FROM to TO bytes, filled by SEED before; filled by
   SEED + 1 after.  */
static bool
step (void **p, size_t from, size_t to, uint64_t seed)
{
  uintptr_t old = (uintptr_t) *p;
  void *q = realloc (*p, to);
  if (!CHECKF (q, "realloc from %zu to %zu failed", from, to))
    return false;
  CHECKF (((uintptr_t) q & 15) == 0, "realloc to %zu gave %p", to, q);
  CHECKF (malloc_usable_size (q) >= to, "%zu of %zu usable after realloc",
          malloc_usable_size (q), to);
  CHECKF (block_kept (q, min (from, to), from, old, seed),
          "content lost from %zu to %zu bytes", from, to);
  block_fill (q, to, seed + 1);
  *p = q;
  return true;
}

TEST (every_pair)
{
  for (size_t a = 0; a < N; a++)
    for (size_t b = 0; b < N; b++)
      {
        void *p = malloc (sizes[a]);
        void *fence = malloc (sizes[a]);
        if (!CHECK (p && fence))
          return;
        block_fill (p, sizes[a], a);
        block_fill (fence, sizes[a], 77);
        if (!step (&p, sizes[a], sizes[b], a))
          return;
        CHECKF (block_good (p, sizes[b], a + 1)
                    && block_good (fence, sizes[a], 77),
                "overlap from %zu to %zu", sizes[a], sizes[b]);
        free (p);
        free (fence);
      }
}

TEST (grow_by_steps)
{
  void *p = malloc (1);
  size_t size = 1;
  block_fill (p, size, 0);
  for (uint64_t seed = 0; size < 20000000; seed++)
    {
      size_t to = size + size / 8 + 1;
      if (!step (&p, size, to, seed))
        return;
      size = to;
    }
  free (p);
}

TEST (shrink_by_steps)
{
  size_t size = 20000000;
  void *p = malloc (size);
  if (!CHECK (p))
    return;
  block_fill (p, size, 0);
  for (uint64_t seed = 0; size > 1; seed++)
    {
      size_t to = size - size / 9 - 1;
      if (to == 0)
        break;
      if (!step (&p, size, to, seed))
        return;
      size = to;
    }
  free (p);
}

TEST (aligned_blocks)
{
  for (size_t align = 32; align <= 1 << 21; align *= 2)
    for (size_t a = 0; a < N; a += 3)
      {
        void *p = aligned_alloc (align, sizes[a]);
        if (!CHECK (p))
          return;
        block_fill (p, sizes[a], 5);
        if (!step (&p, sizes[a], sizes[(a * 7 + 5) % N], 5))
          return;
        free (p);
      }
}

/* A block shrunk to little does not hold its old memory.  */
TEST (shrinking_returns_memory)
{
  enum { BLOCKS = 100 };
  void *p[BLOCKS];
  size_t before = resident_bytes ();
  for (int i = 0; i < BLOCKS; i++)
    {
      p[i] = malloc (4000000);
      if (!CHECK (p[i]))
        return;
      memset (p[i], 1, 4000000);
      p[i] = realloc (p[i], 1000);
      CHECK (p[i]);
    }
  size_t after = resident_bytes ();
  CHECKF (after < before + 100000000, "resident %zu -> %zu", before, after);
  for (int i = 0; i < BLOCKS; i++)
    free (p[i]);
}

/* Growth of a big block moves no bytes: it must stay quick however long the
   block is.  256 MiB in steps of 1 MiB copied would be 32 GiB.  */
TEST (big_growth)
{
  size_t size = (size_t) 4 << 20;
  char *p = malloc (size);
  if (!CHECK (p))
    return;
  p[0] = 42;
  for (size_t at = 1 << 20; at < size; at += 1 << 20)
    p[at] = (char) (at >> 20);
  while (size < (size_t) 256 << 20)
    {
      p = realloc (p, size + (1 << 20));
      if (!CHECK (p))
        return;
      p[size] = (char) (size >> 20);
      size += 1 << 20;
    }
  CHECK (p[0] == 42);
  for (size_t at = 1 << 20; at < size; at += 1 << 20)
    CHECK (p[at] == (char) (at >> 20));
  free (p);
}

int
main (void)
{
  RUN (every_pair);
  RUN (grow_by_steps);
  RUN (shrink_by_steps);
  RUN (aligned_blocks);
  RUN (shrinking_returns_memory);
  RUN (big_growth);
  return check_done ();
}
