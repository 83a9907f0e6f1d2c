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
  /* Blocks are aligned to the largest power of two dividing their size, because
     slabs start at multiples of 64 KiB; in coloured slabs, up to the colour's.
     The class of a multiple of ALIGN is one, too: classes are multiples of a
     step, and if ALIGN is over the step of its doubling, the multiple is a class
     itself.  */
  size_t multiple = (size + (size == 0) + align - 1) & ~(align - 1);
  if (multiple <= HKM_MID_MAX)
    {
      unsigned c = hkm_size_to_class (multiple);
      if (!hkm_class[c].coloured || align <= HKM_COLOUR_ALIGN)
        return (int) c;
    }
  /* The aligned classes are the powers of two from 4 KiB on.  */
  unsigned long least = size > align ? size : align;
  least = least > 4096 ? least : 4096;
  int log2 = 8 * (int) sizeof least - __builtin_clzl (least - 1);
  return HKM_CLASS_ALIGNED + log2 - 12;
}
