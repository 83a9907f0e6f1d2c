/* A thread's cache of free runs: a short stack, newest first, bounded by count
   (HAKMEM_CAP_LARGE) and bytes.  Only its thread touches it.  The stores are
   ordered so that a fork child finds each run at most once.  Its bytes count
   as idle memory.  Knows no heap.  */
#ifndef HKM_POOL_RUN_CACHE_H
#define HKM_POOL_RUN_CACHE_H

#include "superslab/slab.h"

enum { HKM_RUN_CACHE_MAX = 8 };

typedef struct hkm_run_cache
{
  uint32_t count;
  uint32_t cap; /* most it may hold: the policy's */
  hkm_slab *run[HKM_RUN_CACHE_MAX];
} hkm_run_cache;

/* A cached run of exactly SLOTS slots, or NULL.  */
hkm_slab *hkm_run_cache_take (hkm_run_cache *cache, unsigned slots);
/* Keep RUN if the cache and the retention budget have room; false: not kept. */
bool hkm_run_cache_put (hkm_run_cache *cache, hkm_slab *run);
/* Hand every cached run to the superslabs.  */
void hkm_run_cache_flush (hkm_run_cache *cache);
/* Keep at most CAP runs from now on; what is more is handed over.  */
void hkm_run_cache_limit (hkm_run_cache *cache, uint32_t cap);

#endif
