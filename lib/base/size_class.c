/* The size-class tables, from the generated rows.  */
#include "base/size_class.h"

HKM_CLASS_SECTION HKM_CLASS_TABLE uint8_t
  hkm_slot_of[HKM_SLOT_OF_MULTIPLE + HKM_MID_MAX / HKM_MULTIPLE + 1]
  = {
#define HKM_CLASS(index, size, previous, group, slots)                        \
  [(previous) ? (previous) / 16 + 1 : 0 ... (size) / 16] = 2 * (index),
#include "base/size_classes.h"
#undef HKM_CLASS
#define HKM_MULTIPLES(first, last, index)                                     \
  [HKM_SLOT_OF_MULTIPLE + (first) ... HKM_SLOT_OF_MULTIPLE + (last)]          \
    = 2 * (index),
#include "base/size_classes.h"
#undef HKM_MULTIPLES
};

HKM_CLASS_SECTION HKM_CLASS_TABLE hkm_class_info hkm_class[HKM_CLASSES] = {
#define HKM_CLASS(index, size_, previous, group_, slots_)                     \
  [index] = { .size = (size_), .group = (group_), .slots = (slots_),          \
              .coloured = (size_) > HKM_TINY_MAX },
#include "base/size_classes.h"
#undef HKM_CLASS
  [HKM_CLASS_ALIGNED] = { 4096, HKM_GROUP_MID, 2, false },
  [HKM_CLASS_ALIGNED + 1] = { 8192, HKM_GROUP_MID, 4, false },
  [HKM_CLASS_ALIGNED + 2] = { 16384, HKM_GROUP_MID, 8, false },
  [HKM_CLASS_ALIGNED + 3] = { 32768, HKM_GROUP_MID, 8, false },
#ifdef HKM_WITH_DYN_CLASSES
  [HKM_CLASS_DYN ... HKM_CLASSES - 1] = { 0, HKM_GROUP_MID, 1, false },
#endif
};

unsigned
hkm_size_to_static_class (size_t size)
{
  unsigned c = 0;
  HKM_ASSERT (size <= HKM_MID_MAX);
  while (hkm_class[c].size < size)
    c++;
  return c;
}

bool
hkm_size_may_be_dynamic (size_t size)
{
  return size > HKM_TINY_MAX && size < HKM_MID_MAX && size % 16 == 0
         && hkm_class[hkm_size_to_static_class (size)].size != size;
}

#ifdef HKM_WITH_DYN_CLASSES

#define SLOT ((size_t) 64 << 10)
/* Of a slab: no fewer than static classes have.  */
enum { LEAST_BLOCKS = 15, MOST_SLOTS = 8 };

/* The length of a slab for blocks of SIZE bytes: that which leaves the least
   share of it over.  It is not coloured: a colour would cost a block of those
   sizes that fill it well.  */
static uint8_t
best_length (size_t size)
{
  size_t best = MOST_SLOTS;
  for (size_t n = MOST_SLOTS; n * SLOT / size >= LEAST_BLOCKS; n--)
    if (n * SLOT % size * best < best * SLOT % size * n)
      best = n;
  return (uint8_t) best;
}

HKM_COLD void
hkm_class_resize (unsigned cls, uint32_t size)
{
  hkm_store_relaxed (&hkm_class[cls].size, size);
  hkm_class[cls].slots = size != 0 ? best_length (size) : 1;
}

void
hkm_class_route (const bool takes[HKM_DYNS])
{
  for (size_t i = HKM_TINY_MAX / 16 + 1; i <= HKM_MID_MAX / 16; i++)
    {
      unsigned best = hkm_size_to_static_class (16 * i);
      for (unsigned d = 0; d < HKM_DYNS; d++)
        if (takes[d] && hkm_class[HKM_CLASS_DYN + d].size >= 16 * i
            && hkm_class[HKM_CLASS_DYN + d].size < hkm_class[best].size)
          best = HKM_CLASS_DYN + d;
      hkm_store_relaxed (&hkm_slot_of[i], (uint8_t) (2 * best));
    }
}

#endif
