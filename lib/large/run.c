/* Large blocks.  A run's xword is 1 while the program has it and 0 otherwise, so
   that of two frees one is told.  */
#include "large/run.h"
#include "opts/fail.h"
#include "opts/opts.h"
#include "superslab/superslab.h"

static unsigned
slots_for (size_t size)
{
  return (unsigned) ((size + HKM_GRANULE - 1) / HKM_GRANULE);
}

/* How long a run may be that serves SIZE bytes by the policy of CACHE.  */
static unsigned
slots_at_most (const hkm_run_cache *cache, size_t size)
{
  return (unsigned) (size * cache->wmax / 100 / HKM_GRANULE);
}

/* A run that CACHE or the shared pool has for SIZE bytes, or NULL.  */
static hkm_slab *
take_cached (hkm_run_cache *cache, hkm_counts *counts, size_t size)
{
  unsigned slots = slots_for (size), most = slots_at_most (cache, size);
  hkm_slab *run
      = hkm_run_cache_take (cache, counts, slots, most > slots ? most : slots);
  if (run != NULL && run->slots > slots)
    hkm_count (counts, HKM_COUNT_RUN_WMAX_HIT, 1);
  return run;
}

void *
hkm_run_alloc (hkm_run_cache *cache, hkm_counts *counts, size_t size,
               bool *zeroed)
{
  *zeroed = false;
  hkm_slab *run = cache != NULL ? take_cached (cache, counts, size) : NULL;
  bool missed = run == NULL;
  if (missed)
    {
      run = hkm_run_acquire (slots_for (size), zeroed);
      if (run == NULL)
        return NULL;
      hkm_count (counts, HKM_COUNT_RUN_NEW, 1);
    }
  hkm_run_cache_note_asked (cache, slots_for (size), missed);
  hkm_count (counts, HKM_COUNT_RUN_ALLOC, 1);
  hkm_count (counts, HKM_COUNT_RUN_ASKED_BYTES, size);
  hkm_count (counts, HKM_COUNT_RUN_BYTES, run->slots * HKM_GRANULE);
  hkm_run_cache_note_live (cache, 1, run->slots);
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

bool
hkm_run_may_serve (size_t size, size_t usable)
{
  uint64_t most = hkm_opts_row (HKM_OPT_WMAX_LARGE)->max;
  return size <= usable
         && (usable - size < HKM_GRANULE || usable <= size * most / 100);
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
  if (counts != NULL)
    hkm_count (counts, HKM_COUNT_RUN_FREE, 1);
  hkm_run_cache_note_live (cache, -1, -(int) run->slots);
  if (cache == NULL || !hkm_run_cache_put (cache, counts, run))
    hkm_run_release (run);
}

bool
hkm_run_realloc (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run,
                 size_t size)
{
  unsigned slots = slots_for (size), most = slots;
  if (cache != NULL && slots_at_most (cache, size) > slots)
    most = slots_at_most (cache, size);
  if (run->slots < slots || run->slots > most)
    {
      int more = (int) slots - run->slots;
      if (!hkm_run_resize (run, slots))
        return false;
      hkm_run_cache_note_live (cache, 0, more);
    }
  hkm_count (counts, HKM_COUNT_RUN_INPLACE, 1);
  return true;
}
