/* Dynamic classes: two mid classes whose block size is set while the process
   runs.

   All blocks of a class have one size, so a class changes its size only while it
   has no slab.  The policy says which size is wanted.  If it is another than the
   class has, the class is *closed* at once: requests go to the static classes,
   no further slab of it is made, and heaps give up what they hold of it idle
   (tiny/heap.c).  When its last slab is gone it takes the size that is wanted by
   then and is *open* again.  Slabs are counted here, wherever they are: with a
   heap, a parked one too, whatever their state.  A slab without an owner does
   not stay carved, so none is counted that nobody would let go of.

   Who found a closed or another class by a table read just before is told by
   hkm_dyn_enter, or by a block too short, and takes the static class then
   (tiny/refill.c).  */
#ifndef HKM_POLICY_DYN_H
#define HKM_POLICY_DYN_H

#include "base/size_class.h"

#ifdef HKM_WITH_DYN_CLASSES

/* A slab of CLS is about to be made: the size of a dynamic class is constant
   from here to hkm_dyn_leave.  False: the class is closed, nothing to leave.
   Any thread, under any lock but that of the policy.  */
bool hkm_dyn_enter (unsigned cls);
/* A slab of CLS is gone, or was not made after all.  May take
   HKM_RANK_POLICY.  */
void hkm_dyn_leave (unsigned cls);

/* How many slabs of dynamic class CLS there are, doubled, and whether it is
   open; relaxed.  */
extern HKM_HIDDEN uint32_t hkm_dyn_word[HKM_DYNS];
enum { HKM_DYN_OPEN = 1, HKM_DYN_SLAB = 2 };

/* True if CLS is a dynamic class that has no size or is to get another one.  */
HKM_INLINE bool
hkm_dyn_is_closed (unsigned cls)
{
  return hkm_class_is_dynamic (cls)
         && !(hkm_load_relaxed (&hkm_dyn_word[cls - HKM_CLASS_DYN])
              & HKM_DYN_OPEN);
}

/* For policy.c, under its lock.  SIZE[d] is wanted of class HKM_CLASS_DYN + d;
   valid, or 0.  False: the kernel does not let the tables change; nothing
   did.  */
bool hkm_dyn_want_locked (const uint32_t size[HKM_DYNS]);
/* Give classes without a slab the size that is wanted; true if one changed.  */
bool hkm_dyn_settle_locked (void);

#else

HKM_INLINE bool
hkm_dyn_enter (unsigned cls)
{
  (void) cls;
  return true;
}

HKM_INLINE void
hkm_dyn_leave (unsigned cls)
{
  (void) cls;
}

HKM_INLINE bool
hkm_dyn_is_closed (unsigned cls)
{
  (void) cls;
  return false;
}

#endif

#endif
