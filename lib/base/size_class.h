/* The size-class table.  A request of n bytes is served by the class whose slot
   is hkm_slot_of[(n + 15) / 16] words of 8 bytes into a front (two words a
   slot): with that unit the processor's own addressing does the scaling.  Every
   class size is a multiple of 16.

   Beside the classes of the table stand four *aligned* classes (4, 8, 16 and
   32 KiB): never reached by size, only by aligned allocation.  Their slabs are
   not coloured, so that each block is aligned to its size.

   The last two classes are *dynamic*: mid classes whose block size is set while
   the process runs, or 0.  Who may change it, and when, is policy/dyn.h's; here
   are the tables alone.  All other classes are *static*.  */
#ifndef HKM_BASE_SIZE_CLASS_H
#define HKM_BASE_SIZE_CLASS_H

#include "base/atomic.h"
#include "base/compiler.h"

#define HKM_MIN_ALIGN 16
#define HKM_TINY_MAX 2048   /* largest block of L0 tiny */
#define HKM_MID_MAX 32768   /* largest block of L1 mid: the hot heap's limit */

enum
{
#define HKM_CLASS(index, size, previous, group, slots) HKM_CLASS_##size = index,
#include "base/size_classes.h"
#undef HKM_CLASS
  HKM_CLASS_ALIGNED = HKM_CLASS_STATIC, /* the first of the aligned classes */
  HKM_CLASS_DYN = HKM_CLASS_STATIC + 4, /* the first of the dynamic classes */
#ifdef HKM_WITH_DYN_CLASSES
  HKM_CLASSES = HKM_CLASS_DYN + 2
#else
  HKM_CLASSES = HKM_CLASS_DYN
#endif
};
enum { HKM_DYNS = 2 };

/* What the tables are: constant, or so but for the dynamic classes.  Then they
   lie among the data that the loader seals once it has relocated them: that page
   every process has anyway, nothing is written at start, and to change them it
   is unsealed for a moment.  */
#ifdef HKM_WITH_DYN_CLASSES
#define HKM_CLASS_TABLE
#define HKM_CLASS_SECTION __attribute__ ((section (".data.rel.ro.hkm_class")))
#else
#define HKM_CLASS_TABLE const
#define HKM_CLASS_SECTION
#endif

/* Coloured slabs start at multiples of the first.  Alignments over it are
   multiples of the second.  */
enum { HKM_COLOUR_ALIGN = 64, HKM_MULTIPLE = 2 * HKM_COLOUR_ALIGN };

enum { HKM_GROUPS = 9, HKM_GROUP_MID = 8 };

/* Twice the class, by request size in units of 16 bytes, rounded up.  From
   HKM_SLOT_OF_MULTIPLE on: that of alignments over HKM_COLOUR_ALIGN, in units of
   HKM_MULTIPLE; none takes 0.  Relaxed atomic: what is read may be what was true
   before, so the cold side looks again whether the block it has is long
   enough.  */
enum { HKM_SLOT_OF_MULTIPLE = HKM_MID_MAX / 16 };
extern HKM_HIDDEN HKM_CLASS_TABLE uint8_t
  hkm_slot_of[HKM_SLOT_OF_MULTIPLE + HKM_MID_MAX / HKM_MULTIPLE + 1];

typedef struct hkm_class_info
{
  uint32_t size;  /* bytes of a block; a dynamic class's constant while it has a
                     slab, and else relaxed atomic */
  uint8_t group;  /* C0..C7, or HKM_GROUP_MID */
  uint8_t slots;  /* length of a slab in 64 KiB slots */
  bool coloured;  /* slabs start at varying offsets (mid, but not aligned) */
} hkm_class_info;
extern HKM_CLASS_TABLE hkm_class_info hkm_class[HKM_CLASSES];

HKM_INLINE unsigned
hkm_size_to_class (size_t size) /* at most HKM_MID_MAX */
{
  return hkm_load_relaxed (&hkm_slot_of[(size + 15) / 16]) / 2;
}

HKM_INLINE bool
hkm_class_is_dynamic (unsigned cls)
{
#ifdef HKM_WITH_DYN_CLASSES
  return cls >= HKM_CLASS_DYN;
#else
  (void) cls;
  return false;
#endif
}

/* The block size of CLS by who has no slab of it; 0: a dynamic class is off.  */
HKM_INLINE size_t
hkm_class_size (unsigned cls)
{
  return hkm_load_relaxed (&hkm_class[cls].size);
}

/* Bytes of slab that a block of CLS takes, its share of what is left over at the
   end included, by who may see another size the next time.  */
HKM_INLINE size_t
hkm_class_share (unsigned cls)
{
  size_t size = hkm_class_size (cls);
  size_t slab = (size_t) hkm_load_relaxed (&hkm_class[cls].slots) << 16;
  return size != 0 && slab >= size ? slab / (slab / size) : size;
}

/* The class reached by size that serves SIZE bytes (at most HKM_MID_MAX) when
   no dynamic class does.  A search: for cold code.  */
unsigned hkm_size_to_static_class (size_t size);
/* True if a dynamic class may have blocks of SIZE bytes: a multiple of 16 above
   HKM_TINY_MAX and below HKM_MID_MAX that no static class has.  */
bool hkm_size_may_be_dynamic (size_t size);

#ifdef HKM_WITH_DYN_CLASSES
/* Give dynamic class CLS, which has no slab, blocks of SIZE bytes.  The tables
   are unsealed, here and below; one thread at a time.  */
void hkm_class_resize (unsigned cls, uint32_t size);
/* Send requests to dynamic class HKM_CLASS_DYN + d by size where TAKES[d], and
   else to the static ones.  */
void hkm_class_route (const bool takes[HKM_DYNS]);
#endif

/* SIZE, or 1 for 0, rounded up to a multiple of ALIGN, a power of two.  0: there
   is none, for ALIGN is 0 or the address space too small.  */
HKM_INLINE size_t
hkm_aligned_size (size_t size, size_t align)
{
  return (size + (size == 0) + align - 1) & -align;
}

/* Twice the class that serves MULTIPLE bytes at a multiple of ALIGN, a power of
   two; MULTIPLE is such a multiple, not 0 and at most HKM_MID_MAX.

   Blocks are aligned to the largest power of two dividing their size, because
   slabs start at multiples of 64 KiB; in coloured slabs, up to the colour's.
   The class of a multiple of ALIGN is one, too: classes are multiples of a step,
   and if ALIGN is over the step of its doubling, the multiple is a class itself.
   The aligned classes are powers of two: one that is not less than a multiple
   of ALIGN is not less than ALIGN.  A dynamic class is a multiple of 16 and may
   be of no more: if it is what comes out, the caller has to look further.

   Which alignment comes next can't be predicted: both places are computed (so
   the compiler has to be told) and one is chosen, without a branch.  */
HKM_INLINE size_t
hkm_aligned_slot (size_t multiple, size_t align)
{
  size_t at = (multiple + 15) / 16;
  size_t wide = HKM_SLOT_OF_MULTIPLE + multiple / HKM_MULTIPLE;
  HKM_OPAQUE (at);
  HKM_OPAQUE (wide);
  return hkm_load_relaxed (
    &hkm_slot_of[align > HKM_COLOUR_ALIGN ? wide : at]);
}

/* Class whose blocks hold SIZE bytes at a multiple of ALIGN (a power of two),
   or -1 if only runs or big mappings can.  */
HKM_INLINE int
hkm_class_for_aligned (size_t size, size_t align)
{
  size_t multiple = hkm_aligned_size (size, align);
  if (multiple - 1 >= HKM_MID_MAX)
    return -1;
  unsigned c = (unsigned) hkm_aligned_slot (multiple, align) / 2;
  if (hkm_unlikely (hkm_class_is_dynamic (c)) && align > HKM_MIN_ALIGN)
    c = hkm_size_to_static_class (multiple);
  return (int) c;
}

#endif
