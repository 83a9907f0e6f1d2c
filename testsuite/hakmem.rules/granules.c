/* Big blocks and the address map: only the first granule of a mapping is in it,
   the mapping is aligned to a granule wherever it moves, and what is not there
   any more is not found.  */
#include "inside.h"

enum { MIB = 1 << 20 };

static bool
only_first (const char *p, size_t size)
{
  for (size_t at = HKM_GRANULE; at < size; at += HKM_GRANULE)
    if (hkm_map_find (p + at) != NULL)
      return false;
  hkm_slab *big = slab_of (p);
  return (uintptr_t) p % HKM_GRANULE == 0 && big != NULL
         && big->kind == HKM_KIND_BIG;
}

TEST (only_the_first_granule)
{
  for (size_t size = 2 * MIB + 1; size < 40 * MIB; size += size / 2 + 4097)
    {
      char *p = malloc (size);
      CHECKF (p != NULL && only_first (p, size), "%zu bytes at %p", size,
              (void *) p);
      free (p);
    }
}

static bool
refuse_in_place (enum hkm_os_call which)
{
  /* The first mremap asks for growth where the block is.  */
  static bool odd;
  return which == HKM_OS_MREMAP && (odd = !odd);
}

/* Growth that has to move: by pages, onto an aligned place, and the old
   addresses are nobody's.  */
TEST (moved_to_an_aligned_place)
{
  size_t size = 2 * MIB + 4096;
  malloc_trim (0); /* or it grows into what is cached behind it */
  char *p = malloc (size);
  if (!CHECK (p != NULL))
    return;
  memset (p, 7, 4096);
  hkm_os_fault = refuse_in_place;
  for (int i = 0; i < 40; i++)
    {
      char *old = p;
      size_t more = size + (size_t) (i % 7 + 1) * 3 * 65536;
      uint64_t moves = hkm_os_calls (HKM_OS_MREMAP);
      p = realloc (p, more);
      if (!CHECK (p != NULL))
        break;
      CHECK (hkm_os_calls (HKM_OS_MREMAP) == moves + 2);
      CHECKF (only_first (p, more), "%zu bytes at %p", more, (void *) p);
      CHECK (p[0] == 7 && p[4095] == 7);
      if (p != old)
        CHECKF (hkm_map_find (old) == NULL, "%p is still found", (void *) old);
      size = more;
    }
  hkm_os_fault = NULL;
  free (p);
}

TEST (gone_when_unmapped)
{
  hkm_slab *slab;
  char *p = malloc (3 * MIB);
  CHECK (p != NULL && slab_of (p) != NULL);
  slab = slab_of (p);
  free (p);
  malloc_trim (0);
  CHECK (hkm_map_find (p) != slab);
}

/* No slot of a superslab is found once it is unmapped.  */
TEST (superslabs_are_forgotten)
{
  void *p = malloc (1 * MIB);
  char *base = (char *) ((uintptr_t) p & ~(HKM_SUPERSLAB_SIZE - 1));
  free (p);
  malloc_trim (0);
  hkm_superslab_facts facts;
  hkm_counts counts = { { 0 } };
  hkm_superslab_facts_get (&facts, &counts);
  if (facts.superslabs != 0)
    {
      /* Something lives there.  */
      hkm_slab *slab = hkm_map_find (base);
      CHECK (slab == NULL || slab->super->base == base);
      return;
    }
  for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
    CHECK (hkm_map_find (base + i * HKM_GRANULE) == NULL);
}

int
main (void)
{
  free (malloc (1));
  RUN (only_the_first_granule);
  RUN (moved_to_an_aligned_place);
  RUN (gone_when_unmapped);
  RUN (superslabs_are_forgotten);
  return check_done ();
}
