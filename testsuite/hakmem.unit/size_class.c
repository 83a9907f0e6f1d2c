/* base/size_class: every request size, every alignment.  Compiled for 1, 2 and
   4 steps per doubling (-DSTEPS).  */
#include "base/size_class.h"
#include "check.h"
#include "os/os.h"

TEST (every_size)
{
  for (size_t size = 0; size <= HKM_MID_MAX; size++)
    {
      unsigned c = hkm_size_to_class (size);
      if (!CHECKF (c < HKM_CLASS_STATIC, "size %zu is in class %u", size, c))
        return;
      CHECKF (hkm_class[c].size >= size, "size %zu in blocks of %u", size,
              hkm_class[c].size);
      CHECKF (c == 0 || hkm_class[c - 1].size < size,
              "size %zu fits blocks of %u", size, hkm_class[c - 1].size);
    }
}

TEST (rows)
{
  for (unsigned c = 0; c < HKM_CLASS_DYN; c++)
    {
      size_t size = hkm_class[c].size, top = 16;
      unsigned group = 0;
      CHECKF (size % 16 == 0 && size >= 16, "class %u is %zu bytes", c, size);
      while (top < size)
        top *= 2, group++;
      if (group > HKM_GROUP_MID)
        group = HKM_GROUP_MID;
      CHECKF (hkm_class[c].group == group, "%zu bytes in group %u", size,
              hkm_class[c].group);
      CHECKF (c >= HKM_CLASS_STATIC || c == 0 || hkm_class[c - 1].size < size,
              "class %u is not longer than the one before", c);
      /* A coloured slab starts up to 8 KiB late.  */
      size_t room = (size_t) hkm_class[c].slots * 65536
                    - (hkm_class[c].coloured ? 8192 : 0);
      CHECKF (room / size >= 15, "%zu blocks of %zu in a slab", room / size,
              size);
      CHECK (hkm_class[c].slots <= 32);
      CHECK (hkm_class[c].coloured
             == (c < HKM_CLASS_STATIC && size > HKM_TINY_MAX));
    }
  CHECK (hkm_class[HKM_CLASS_STATIC - 1].size == HKM_MID_MAX);
}

TEST (steps)
{
  /* Powers of two are exact: 1024 bytes cost 1024.  */
  for (size_t size = 16; size <= HKM_MID_MAX; size *= 2)
    CHECK (hkm_class[hkm_size_to_class (size)].size == size);
  for (size_t top = 128; top < HKM_MID_MAX; top *= 2)
    {
      unsigned n = hkm_size_to_class (2 * top) - hkm_size_to_class (top);
      CHECKF (n == STEPS, "%u classes in %zu..%zu", n, top, 2 * top);
    }
  if (STEPS > 1)
    for (size_t size = 16; size <= (STEPS == 4 ? 128 : 64); size += 16)
      CHECKF (hkm_class[hkm_size_to_class (size)].size == size,
              "%zu bytes cost %u", size,
              hkm_class[hkm_size_to_class (size)].size);
}

/* The alignment of every block of class C.  */
static size_t
class_align (unsigned c)
{
  size_t size = hkm_class[c].size, lowest = size & -size;
  return hkm_class[c].coloured && lowest > HKM_COLOUR_ALIGN ? HKM_COLOUR_ALIGN
                                                            : lowest;
}

TEST (aligned)
{
  for (size_t align = 1; align <= 4 * HKM_MID_MAX; align *= 2)
    for (size_t size = 0; size <= HKM_MID_MAX + 5000; size += size < 3000 ? 1 : 61)
      {
        int c = hkm_class_for_aligned (size, align);
        if (c < 0)
          {
            CHECKF (size > HKM_MID_MAX || align > HKM_MID_MAX,
                    "no class for %zu at %zu", size, align);
            continue;
          }
        if (!CHECK (c < (align <= 16 ? HKM_CLASSES : HKM_CLASS_DYN)))
          return;
        CHECKF (hkm_class[c].size >= size, "%zu at %zu: blocks of %u", size,
                align, hkm_class[c].size);
        CHECKF (align <= 16 || class_align ((unsigned) c) >= align,
                "%zu at %zu: class %d is aligned to %zu", size, align, c,
                class_align ((unsigned) c));
        for (unsigned d = 0; d < HKM_CLASS_DYN; d++)
          CHECKF (hkm_class[d].size < size || hkm_class[d].size >= hkm_class[c].size
                      || (align > 16 && class_align (d) < align),
                  "%zu at %zu: class %d though %u would do", size, align, c, d);
      }
}

/* What no class serves, up to where SIZE rounded up is beyond the address
   space; and no alignment at all.  */
TEST (aligned_too_large)
{
  for (size_t align = 1; align != 0; align *= 2)
    for (size_t less = 0; less <= 2 * (size_t) HKM_MID_MAX; less++)
      {
        size_t size = less % 2 ? SIZE_MAX - less / 2 : PTRDIFF_MAX - less / 2;
        int c = hkm_class_for_aligned (size, align);
        if (!CHECKF (c == -1, "%zu at %zu: class %d", size, align, c))
          return;
      }
  CHECK (hkm_class_for_aligned (0, SIZE_MAX / 2 + 1) == -1);
  CHECK (hkm_class_for_aligned (100, 0) == -1);
}

#ifdef HKM_WITH_DYN_CLASSES
/* ---- dynamic classes ---- */

static void
resize (uint32_t a, uint32_t b)
{
  hkm_class_resize (HKM_CLASS_DYN, a);
  hkm_class_resize (HKM_CLASS_DYN + 1, b);
  hkm_class_route ((bool[HKM_DYNS]){ a != 0, b != 0 });
}

/* Every size goes to the class with the shortest blocks that hold it.  */
static void
expect_best (void)
{
  for (size_t size = 0; size <= HKM_MID_MAX; size++)
    {
      unsigned c = hkm_size_to_class (size), s = hkm_size_to_static_class (size);
      if (!CHECK (s < HKM_CLASS_STATIC && hkm_class[s].size >= size))
        return;
      CHECKF (c < HKM_CLASS_STATIC || hkm_class_is_dynamic (c),
              "size %zu is in class %u", size, c);
      size_t best = hkm_class[s].size;
      for (unsigned d = HKM_CLASS_DYN; d < HKM_CLASSES; d++)
        if (hkm_class[d].size != 0 && hkm_class[d].size >= size
            && hkm_class[d].size < best)
          best = hkm_class[d].size;
      CHECKF (hkm_class[c].size == best, "size %zu in blocks of %u, not %zu",
              size, hkm_class[c].size, best);
    }
}

TEST (dynamic)
{
  static uint8_t before[HKM_MID_MAX / 16 + 1];
  memcpy (before, hkm_slot_of, sizeof before);
  static const uint32_t pair[][2] = {
    { 8240, 0 }, { 0, 2064 }, { 8240, 8256 }, { 9008, 8208 }, { 32752, 31008 },
    { 20496, 5136 },
  };
  for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++)
    {
      resize (pair[i][0], pair[i][1]);
      expect_best ();
    }
  for (size_t align = 32; align <= HKM_MID_MAX; align *= 2)
    for (size_t size = 2000; size <= HKM_MID_MAX; size += 7)
      CHECKF (!hkm_class_is_dynamic (
                (unsigned) hkm_class_for_aligned (size, align)),
              "%zu at %zu in a dynamic class", size, align);
  resize (0, 0);
  CHECK (memcmp (before, hkm_slot_of, sizeof before) == 0);
}

/* Which sizes may be a dynamic class's, and the length of its slabs: what is
   left over is no more than of any other length with 15 blocks.  */
TEST (dynamic_sizes)
{
  for (size_t size = 0; size <= 70000; size++)
    {
      bool may = size % 16 == 0 && size > HKM_TINY_MAX && size < HKM_MID_MAX;
      for (unsigned c = 0; c < HKM_CLASS_STATIC; c++)
        may = may && hkm_class[c].size != size;
      CHECKF (hkm_size_may_be_dynamic (size) == may, "size %zu", size);
      if (!may)
        continue;
      hkm_class_resize (HKM_CLASS_DYN, (uint32_t) size);
      size_t n = hkm_class[HKM_CLASS_DYN].slots;
      double waste = (double) (n * 65536 % size) / (double) n;
      CHECK (n >= 1 && n <= 8 && n * 65536 / size >= 15);
      for (size_t k = 1; k <= 8; k++)
        CHECKF (k * 65536 / size < 15
                    || (double) (k * 65536 % size) / (double) k >= waste,
                "%zu: %zu slots waste more than %zu", size, n, k);
    }
  resize (0, 0);
}
#endif

int
main (void)
{
  RUN (every_size);
  RUN (rows);
  RUN (steps);
  RUN (aligned);
  RUN (aligned_too_large);
#ifdef HKM_WITH_DYN_CLASSES
  hkm_os_start ();
  CHECK (hkm_os_unseal (hkm_slot_of, sizeof hkm_slot_of)
         && hkm_os_unseal (hkm_class, sizeof hkm_class));
  RUN (dynamic);
  RUN (dynamic_sizes);
#endif
  return check_done ();
}
