/* The shared part of the run pool; private to this room.

   A bundle (a list of up to HAKMEM_LARGE_BUNDLE runs of one length, whose first
   one's `mark` says how many) lies in a box; boxes come by shard, row and
   length.  To put one is to exchange the box's word for the bundle, and what was
   there comes out in the same step; to take one is to exchange the word for
   NULL.  That is one atomic per bundle either
   way, and there is no ABA: an exchange compares nothing, so that it does not
   matter how often a run went away and came back since the word was looked at.
   A thread stopped between two steps holds its bundle alone.

   A shard is for the threads of one NUMA node or, while no second node was ever
   seen, of one CPU.  It is a matter of distance and contention only: whoever
   finds nothing in his own looks into the others.  */
#ifndef HKM_POOL_RUN_SHARED_H
#define HKM_POOL_RUN_SHARED_H

#include "pool/run_cache.h"

enum
{
  HKM_RUN_SHARDS = 8, /* at most */
  HKM_RUN_ROWS = 16
};

/* Put BUNDLE into a box of the caller's shard.  */
void hkm_run_shared_put (hkm_counts *counts, hkm_run_list *bundle);
/* A bundle of the shortest runs there are of a length whose bit (n-1) is in FIT,
   in the caller's shard or else in another; or NULL.  */
hkm_run_list *hkm_run_shared_take (hkm_counts *counts, uint32_t fit);
/* Any bundle at all, or NULL.  */
hkm_run_list *hkm_run_shared_take_any (void);
/* Classes of which the caller's shard saw no bundle come or go since the last
   call, and whose bits are not in WANTED, go to the superslabs.  */
void hkm_run_shared_forget (uint32_t wanted);
/* LIST stops being idle memory and goes to the superslabs, which are not asked
   to keep to the budget: hkm_superslab_reclaim.  Bytes.  */
size_t hkm_run_list_release (hkm_run_list *list);

#endif
