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

/* How long a run may be that serves SIZE bytes, for which SLOTS would do, by the
   policy of CACHE and the hints of MARK.  */
HKM_INLINE unsigned
slots_at_most (const hkm_run_cache *cache, unsigned slots, size_t size,
               hkm_mark mark)
{
  unsigned most = (unsigned) (size * cache->wmax / 100 / HKM_GRANULE);
  return most > slots && (mark & HKM_HINT_EXACT) == 0 ? most : slots;
}

/* A run that CACHE or the shared pool has for SIZE bytes, or NULL.  */
HKM_INLINE hkm_slab *
take_cached (hkm_run_cache *cache, hkm_counts *counts, size_t size,
             hkm_mark mark)
{
  unsigned slots = slots_for (size);
  hkm_slab *run = hkm_run_cache_take (cache, counts, slots,
                                      slots_at_most (cache, slots, size, mark));
  if (run != NULL && run->slots > slots)
    hkm_count (counts, HKM_COUNT_RUN_WMAX_HIT, 1);
  return run;
}

/* Inlined into both entries, so that who has no mark does nothing for it.  */
HKM_INLINE hkm_slab *
hand_out (hkm_run_cache *cache, hkm_counts *counts, size_t size, hkm_mark mark,
          bool *zeroed)
{
  *zeroed = false;
  hkm_slab *run
      = cache != NULL ? take_cached (cache, counts, size, mark) : NULL;
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
  return run;
}

void *
hkm_run_alloc (hkm_run_cache *cache, hkm_counts *counts, size_t size,
               bool *zeroed)
{
  hkm_slab *run = hand_out (cache, counts, size, 0, zeroed);
  return run != NULL ? hkm_slab_address (run) : NULL;
}

void *
hkm_run_alloc_marked (hkm_run_cache *cache, hkm_counts *counts, size_t size,
                      hkm_mark mark, bool *zeroed)
{
  hkm_slab *run = hand_out (cache, counts, size, mark, zeroed);
  if (run == NULL)
    return NULL;
  hkm_store_relaxed (&run->site, mark);
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

/* False: the program does not have the run at P, which was said.  */
HKM_INLINE bool
take_back (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run, void *p,
           const char *who)
{
  if (hkm_slab_address (run) != p)
    {
      hkm_fail (HKM_FAULT_INVALID, who, p, 0, -1);
      return false;
    }
  if (hkm_exchange_acq_rel (&run->xword, 0) != 1)
    {
      hkm_fail (HKM_FAULT_DOUBLE_FREE, who, p, run->slots * HKM_GRANULE, -1);
      return false;
    }
  if (counts != NULL)
    hkm_count (counts, HKM_COUNT_RUN_FREE, 1);
  hkm_run_cache_note_live (cache, -1, -(int) run->slots);
  return true;
}

void
hkm_run_free (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run, void *p,
              const char *who)
{
  if (take_back (cache, counts, run, p, who)
      && (cache == NULL || !hkm_run_cache_put (cache, counts, run)))
    hkm_run_release (run);
}

void
hkm_run_free_marked (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run,
                     void *p, hkm_mark mark, const char *who)
{
  if (!take_back (cache, counts, run, p, who))
    return;
  if ((mark & HKM_HINT_NO_CACHE) != 0)
    {
      hkm_run_return (run);
      return;
    }
  if (cache != NULL && (mark & HKM_HINT_CACHE) != 0)
    hkm_run_cache_prefer (cache, run->slots);
  if (cache == NULL || !hkm_run_cache_put (cache, counts, run))
    hkm_run_release (run);
}

bool
hkm_run_realloc (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run,
                 size_t size)
{
  unsigned slots = slots_for (size), most = slots;
  if (cache != NULL)
    most = slots_at_most (cache, slots, size, hkm_load_relaxed (&run->site));
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
