/* Which big blocks are of huge pages.  Private to this room; everything is guarded by
   hkm_big_lock.  */
#ifndef HKM_BIG_HUGE_H
#define HKM_BIG_HUGE_H

#include "big/cache.h"

/* Bytes of big blocks now, and handed out so far; without what the front's sums
   say.  */
extern uint64_t hkm_big_live_bytes, hkm_big_served_bytes;

/* True if BIG should be of huge pages once SIZE bytes of it are in use, by the
   hints of MARK.  */
bool hkm_big_huge_wanted_locked (const hkm_big *big, size_t size, hkm_mark mark);
/* BIG is going to serve SIZE bytes: from what is touched next on, perhaps of
   huge pages.  The kernel is asked once for each mapping.  */
void hkm_big_make_huge_locked (hkm_big *big, size_t size);
/* BIG, from the cache, is to serve SIZE bytes by the hints of MARK.  True: rather a
   new mapping, of which huge pages can be had.  */
bool hkm_big_makes_way_locked (const hkm_big *big, size_t size, hkm_mark mark);

#endif
