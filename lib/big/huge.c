/* See huge.h.  */
#include "big/huge.h"
#include "big/front.h"
#include "os/os.h"
#include "superslab/retain.h"

uint64_t hkm_big_live_bytes, hkm_big_served_bytes;

/* In mode auto, huge pages are for processes that had so many bytes in big blocks so
   far, or go on using what they have, and have so many now: what is young may soon be
   over, and what is small would grow by what it does not use.  Neither asks the
   kernel.  */
#define HUGE_AGE ((uint64_t) 512 << 20)
#define HUGE_LEAST ((size_t) 64 << 20)

/* A block grows from HAD to SIZE bytes (0: is handed out): are there so many?  */
static bool
is_of_age_locked (size_t had, size_t size)
{
  hkm_front_sums sum;
  hkm_front_sum (&sum);
  return (hkm_big_served_bytes + sum.taken_bytes >= HUGE_AGE
          || hkm_retain_goes_on ())
         && hkm_big_live_bytes + sum.taken_bytes - sum.put_bytes - had + size
              >= HUGE_LEAST;
}

HKM_COLD bool
hkm_big_huge_wanted_locked (const hkm_big *big, size_t size, hkm_mark mark)
{
  const hkm_policy *policy = hkm_cache_policy_locked ();
  bool hinted = (mark & HKM_HINT_THP) != 0;
  size_t least = hinted ? hkm_os_huge_size () : policy->thp_threshold;
  if (policy->thp == HKM_THP_OFF || size < least
      || hkm_os_thp () == HKM_OS_THP_NEVER)
    return false;
  return policy->thp == HKM_THP_ALWAYS || hinted
         || is_of_age_locked (big->size, size);
}

void
hkm_big_make_huge_locked (hkm_big *big, size_t size)
{
  hkm_mark mark = hkm_load_relaxed (&big->head.site);
  if (big->asked || !hkm_big_huge_wanted_locked (big, size, mark))
    return;
  big->asked = true;
  big->huge = hkm_os_huge (big->base, big->mapped);
  if (big->huge)
    hkm_count (&hkm_big_counts, HKM_COUNT_THP_MAP, 1);
}

/* Where small pages were the kernel has a table of them, even when they are purged,
   and puts no huge page in its place.  */
bool
hkm_big_makes_way_locked (const hkm_big *big, size_t size, hkm_mark mark)
{
  return !big->asked && big->touched == 0
         && hkm_big_huge_wanted_locked (big, size, mark);
}
