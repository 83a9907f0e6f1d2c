/* Large blocks.  A run's xword is 1 while the program has it and 0 otherwise, so
   that of two frees one is told.  */
#include "large/run.h"
#include "opts/fail.h"
#include "superslab/superslab.h"

static unsigned
slots_for (size_t size)
{
  return (unsigned) ((size + HKM_GRANULE - 1) / HKM_GRANULE);
}

void *
hkm_run_alloc (hkm_run_cache *cache, hkm_counts *counts, size_t size,
               bool *zeroed)
{
  unsigned slots = slots_for (size);
  hkm_slab *run = cache != NULL ? hkm_run_cache_take (cache, slots) : NULL;
  *zeroed = false;
  if (run != NULL)
    hkm_count (counts, HKM_COUNT_RUN_CACHE_HIT, 1);
  else
    run = hkm_run_acquire (slots, zeroed);
  if (run == NULL)
    return NULL;
  hkm_count (counts, HKM_COUNT_RUN_ALLOC, 1);
  hkm_store_release (&run->xword, 1);
  return hkm_slab_address (run);
}

size_t
hkm_run_usable (const hkm_slab *run, const void *p)
{
  if (hkm_slab_address (run) != p || hkm_load_relaxed (&run->xword) != 1)
    return 0;
  return hkm_load_relaxed (&run->slots) * HKM_GRANULE;
}

void
hkm_run_free (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run, void *p,
              const char *who)
{
  if (hkm_slab_address (run) != p)
    {
      hkm_fail (HKM_FAULT_INVALID, who, p, 0, -1);
      return;
    }
  if (hkm_exchange_acq_rel (&run->xword, 0) != 1)
    {
      hkm_fail (HKM_FAULT_DOUBLE_FREE, who, p, run->slots * HKM_GRANULE, -1);
      return;
    }
  hkm_count (counts, HKM_COUNT_RUN_FREE, 1);
  if (cache == NULL || !hkm_run_cache_put (cache, run))
    hkm_run_release (run);
}

bool
hkm_run_realloc (hkm_counts *counts, hkm_slab *run, size_t size)
{
  unsigned slots = slots_for (size);
  if (slots != run->slots && !hkm_run_resize (run, slots))
    return false;
  hkm_count (counts, HKM_COUNT_RUN_INPLACE, 1);
  return true;
}
