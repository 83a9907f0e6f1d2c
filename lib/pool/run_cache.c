/* See run_cache.h.  */
#include "pool/run_cache.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"

/* Slots that a cache keeps in all.  What it keeps serves one length alone and
   can't merge with its neighbours, so that more would be paid in memory.  */
enum { MOST_SLOTS = 16 };

static size_t
run_bytes (const hkm_slab *run)
{
  return run->slots * HKM_GRANULE;
}

hkm_slab *
hkm_run_cache_take (hkm_run_cache *cache, unsigned slots)
{
  for (uint32_t i = cache->count; i-- > 0;)
    if (cache->run[i]->slots == slots)
      {
        hkm_slab *run = cache->run[i];
        uint32_t last = cache->count - 1;
        /* Count first: a fork between the two stores forgets a run, it never
           shows one twice.  */
        hkm_slab *moved = cache->run[last];
        cache->count = i;
        __atomic_signal_fence (__ATOMIC_RELEASE);
        cache->run[i] = moved;
        __atomic_signal_fence (__ATOMIC_RELEASE);
        cache->count = last;
        hkm_retain_leave (run_bytes (run));
        return run;
      }
  return NULL;
}

bool
hkm_run_cache_put (hkm_run_cache *cache, hkm_slab *run)
{
  uint32_t slots = run->slots;
  for (uint32_t i = 0; i < cache->count; i++)
    slots += cache->run[i]->slots;
  if (cache->count >= cache->cap || slots > MOST_SLOTS)
    return false;
  if (!hkm_retain_admit (run_bytes (run)))
    {
      hkm_retain_leave (run_bytes (run));
      return false;
    }
  cache->run[cache->count] = run;
  __atomic_signal_fence (__ATOMIC_RELEASE);
  cache->count++;
  return true;
}

static void
shrink (hkm_run_cache *cache, uint32_t keep)
{
  while (cache->count > keep)
    {
      hkm_slab *run = cache->run[--cache->count];
      hkm_retain_leave (run_bytes (run));
      hkm_run_release (run);
    }
}

void
hkm_run_cache_flush (hkm_run_cache *cache)
{
  shrink (cache, 0);
}

void
hkm_run_cache_limit (hkm_run_cache *cache, uint32_t cap)
{
  cache->cap = cap < HKM_RUN_CACHE_MAX ? cap : HKM_RUN_CACHE_MAX;
  shrink (cache, cache->cap);
}
