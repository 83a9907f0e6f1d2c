/* The size-class tables, from the generated rows.  */
#include "base/size_class.h"

const uint8_t hkm_slot_of[HKM_MID_MAX / 16 + 1] = {
#define HKM_CLASS(index, size, previous, group, slots)                        \
  [(previous) ? (previous) / 16 + 1 : 0 ... (size) / 16] = 2 * (index),
#include "base/size_classes.h"
#undef HKM_CLASS
};

const hkm_class_info hkm_class[HKM_CLASSES] = {
#define HKM_CLASS(index, size_, previous, group_, slots_)                     \
  [index] = { .size = (size_), .group = (group_), .slots = (slots_),          \
              .coloured = (size_) > HKM_TINY_MAX },
#include "base/size_classes.h"
#undef HKM_CLASS
  [HKM_CLASS_ALIGNED] = { 4096, HKM_GROUP_MID, 2, false },
  [HKM_CLASS_ALIGNED + 1] = { 8192, HKM_GROUP_MID, 4, false },
  [HKM_CLASS_ALIGNED + 2] = { 16384, HKM_GROUP_MID, 8, false },
  [HKM_CLASS_ALIGNED + 3] = { 32768, HKM_GROUP_MID, 8, false },
};

int
hkm_class_for_aligned (size_t size, size_t align)
{
  if (size > HKM_MID_MAX || align > HKM_MID_MAX)
    return -1;
  if (align <= HKM_MIN_ALIGN)
    return (int) hkm_size_to_class (size);
  /* An uncoloured block is aligned to the largest power of two dividing its
     size, because slabs start at multiples of 64 KiB.  */
  for (unsigned c = hkm_size_to_class (size < align ? align : size);
       c < HKM_CLASS_STATIC && !hkm_class[c].coloured; c++)
    if ((hkm_class[c].size & (align - 1)) == 0)
      return (int) c;
  for (unsigned c = HKM_CLASS_ALIGNED; c < HKM_CLASSES; c++)
    if (hkm_class[c].size >= size && hkm_class[c].size >= align)
      return (int) c;
  return -1;
}
