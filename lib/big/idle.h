/* Idle memory of big mappings, live and cached: how much each holds, and whose
   goes first.  Private to this room; guarded by hkm_big_lock.  */
#ifndef HKM_BIG_IDLE_H
#define HKM_BIG_IDLE_H

#include "big/cache.h"

/* Once, before all others.  */
void hkm_idle_begin_locked (void);
/* BIG holds BYTES of idle memory now.  */
void hkm_idle_set_locked (hkm_big *big, size_t bytes);
/* BYTES of FROM's are TO's now, as old as they were; the sum is what it was.  */
void hkm_idle_move_locked (hkm_big *from, hkm_big *to, size_t bytes);
/* What goes first if idle memory is over its budget; NULL: nothing is idle.  */
hkm_big *hkm_idle_first_locked (void);
/* Give back the last WANT idle bytes of BIG, or somewhat more.  False: the OS
   refused.  */
bool hkm_idle_purge_locked (hkm_big *big, size_t want);
/* Give back what was idle for PURGE_MS milliseconds.  */
void hkm_idle_age_locked (uint64_t purge_ms);

/* True if the pages of BIG go after all others'.  */
HKM_INLINE bool
hkm_idle_is_preferred (const hkm_big *big)
{
  return (hkm_load_relaxed (&big->head.site) & HKM_HINT_CACHE) != 0;
}

#endif
