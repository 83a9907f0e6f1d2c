/* The size-class tables, from the generated rows.  */
#include "base/size_class.h"

const uint8_t hkm_slot_of[HKM_SLOT_OF_MULTIPLE + HKM_MID_MAX / HKM_MULTIPLE + 1]
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
