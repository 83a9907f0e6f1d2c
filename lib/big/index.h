/* The cached mappings: by size, for requests; by age, for what goes first; by
   address, for neighbours that join.  Private to this room; guarded by
   hkm_big_lock.  */
#ifndef HKM_BIG_INDEX_H
#define HKM_BIG_INDEX_H

#include "big/cache.h"

/* Most recent first.  big/cache.c makes it a ring.  */
extern hkm_link hkm_index_by_age;
/* BIG, whose `mapped' won't change meanwhile, is cached, and next in age to
   NEWER: &hkm_index_by_age for the most recent.  */
void hkm_index_enter_locked (hkm_big *big, hkm_link *newer);
/* It is not any more; what to enter it with if it comes back as old as it is. */
hkm_link *hkm_index_leave_locked (hkm_big *big);
/* One of at least SIZE bytes at a multiple of ALIGN: of those up to about MOST
   the NEWEST, or else the one whose touched bytes fit best; of longer ones a
   short one.  NULL: there is none.  */
hkm_big *hkm_index_find_locked (size_t size, size_t most, size_t align,
                                bool newest);
/* The one that ends where BIG begins, that begins where it ends; or NULL.  */
hkm_big *hkm_index_before_locked (const hkm_big *big);
hkm_big *hkm_index_after_locked (const hkm_big *big);

#endif
