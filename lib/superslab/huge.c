/* Superslabs of huge pages, of two kinds.

   With HAKMEM_THP=always a superslab is `huge' for good, and what is free in it is
   no idle memory before all of it is.

   With auto it is `earned', by a process that had much purged and wanted it again
   soon, when it begins to hold slabs, which fill it, while runs may leave much of it
   over.  The first touch makes all of it resident, so that its other slots are EMPTY
   then, idle memory as in any other superslab.  Before a part of it goes back it is of
   small pages again: the kernel would make what is left whole by itself.  (It has the
   memory of that part again when it needs some, or when all of the page is gone.)  */
#include "os/os.h"
#include "superslab/pool.h"
#include "superslab/retain.h"

#include <string.h>

/* Who has so much in use is not small.  */
#define LEAST_LIVE ((size_t) 64 << 20)

HKM_COLD void
hkm_huge_wake_locked (hkm_superslab *ss, uint32_t taken)
{
  size_t resident = 0;
  hkm_list_remove (&ss->idle_link);
  for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
    if (ss->empty & ~taken & hkm_slot_mask (i, 1))
      {
        resident += ss->resident[i] * HKM_RESIDENT_UNIT;
        ss->resident[i] = 0;
      }
  hkm_retain_leave (resident);
}

HKM_COLD void
hkm_huge_sleep_locked (hkm_superslab *ss)
{
  memset (ss->resident, HKM_SLOT_SIZE / HKM_RESIDENT_UNIT,
          sizeof ss->resident);
  hkm_list_append (&ss->pool->idle, &ss->idle_link);
  hkm_retain_admit ((size_t) __builtin_popcount (ss->empty) * HKM_SLOT_SIZE);
}

HKM_COLD void
hkm_huge_split_locked (hkm_superslab *ss)
{
  if (!ss->earned)
    return;
  hkm_store_relaxed (&ss->earned, false);
  hkm_os_no_huge (ss->base, HKM_SUPERSLAB_SIZE);
}

bool
hkm_huge_earned_locked (hkm_pool *pool)
{
  return hkm_pool_policy_locked (pool)->thp == HKM_THP_AUTO
         && hkm_os_thp () != HKM_OS_THP_NEVER
         && hkm_os_huge_size () == HKM_SUPERSLAB_SIZE
         && hkm_retain_goes_on () && hkm_retain_live_near () >= LEAST_LIVE;
}

HKM_COLD void
hkm_huge_touch_locked (hkm_superslab *ss, uint32_t taken)
{
  ss->empty = ~taken;
  if (ss->empty == 0)
    return;
  hkm_retain_wanted ((size_t) __builtin_popcount (ss->empty) * HKM_SLOT_SIZE);
  hkm_huge_sleep_locked (ss);
}
