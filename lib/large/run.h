/* L1 large: blocks above 32 KiB up to 1 MiB, as runs of slots.  A run has one
   owner at a time: the program, a thread's cache, or the superslabs.  */
#ifndef HKM_LARGE_RUN_H
#define HKM_LARGE_RUN_H

#include "pool/run_cache.h"
#include "stats/stats.h"
#include "superslab/slab.h"

#define HKM_LARGE_MAX (HKM_RUN_LONGEST * HKM_GRANULE)

/* SIZE bytes (up to HKM_LARGE_MAX) aligned to 64 KiB; *zeroed: reads as zero.
   CACHE and COUNTS are the calling thread's (CACHE may be NULL).  NULL: no
   memory, errno is not touched.  */
void *hkm_run_alloc (hkm_run_cache *cache, hkm_counts *counts, size_t size,
                     bool *zeroed);
/* The same by the hints of MARK (all but thp), which the run's descriptor then
   has.  Where sites have rules all runs come from here, else none does, and
   their marks are 0.  */
void *hkm_run_alloc_marked (hkm_run_cache *cache, hkm_counts *counts,
                            size_t size, hkm_mark mark, bool *zeroed);
/* Free the run at P; RUN is what hkm_map_find gave, CACHE and COUNTS may be
   NULL.  WHO for the message.  */
void hkm_run_free (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run,
                   void *p, const char *who);
/* The same by the hints of MARK.  */
void hkm_run_free_marked (hkm_run_cache *cache, hkm_counts *counts,
                          hkm_slab *run, void *p, hkm_mark mark,
                          const char *who);
/* Try to make the run at P, which is live, hold SIZE bytes where it lies.  */
bool hkm_run_realloc (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run,
                      size_t size);
/* Usable bytes at P; 0 if P is not the run's start or it is free.  */
size_t hkm_run_usable (const hkm_slab *run, const void *p);
/* True if a run of USABLE bytes may be what a request for SIZE got, by whatever
   policy.  */
bool hkm_run_may_serve (size_t size, size_t usable);

#endif
