/* See run_cache.h.  */
#include "pool/run_cache.h"
#include "os/os.h"
#include "policy/tick.h"
#include "pool/run_shared.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"

#include <string.h>

/* After so many runs were put, classes that nobody wanted in the meantime are
   given to the superslabs, where others can use their memory.  */
enum { FORGET_PUTS = 16 };

/* Every cache that was ever used, the last one first.  */
static hkm_run_cache *caches;
/* As in a cache, of threads without one; relaxed atomics.  */
static uint64_t other_runs, other_slots;

/* ---- lists ---- */

static void
set_count (hkm_run_cache *cache, unsigned n, uint32_t count)
{
  /* A run has a slot.  NOLINTNEXTLINE(clang-analyzer-core*) */
  uint32_t bit = (uint32_t) 1 << (n - 1);
  cache->held[hkm_run_class (n)] += count - cache->count[n - 1];
  cache->count[n - 1] = count;
  cache->present = count != 0 ? cache->present | bit : cache->present & ~bit;
}

/* The list of length N, which is the caller's then; its thread's call.  Acquire:
   pairs with list_give.  */
static hkm_run_list *
list_take (hkm_run_cache *cache, unsigned n)
{
  hkm_run_list *list = hkm_exchange_acquire (&cache->xlist[n - 1], NULL);
  if (list == NULL) /* whoever gives memory back was here, or never one was */
    set_count (cache, n, 0);
  return list;
}

/* COUNT runs are the list of length N, which the caller took, from now on.
   Release: the links, for whoever gives memory back.  */
static void
list_give (hkm_run_cache *cache, unsigned n, hkm_run_list *list,
           uint32_t count)
{
  set_count (cache, n, count);
  if (count != 0)
    hkm_store_release (&cache->xlist[n - 1], list);
}

/* LIST behind its first KEEP runs (at least one), which is cut off.  */
static hkm_run_list *
list_cut (hkm_run_list *list, uint32_t keep)
{
  while (--keep > 0)
    list = list->xnext;
  hkm_run_list *rest = list->xnext;
  list->xnext = NULL;
  return rest;
}

/* ---- classes ---- */

/* The length of class CLS, of which CACHE has runs, that was not used for
   longest.  */
static unsigned
oldest_length (const hkm_run_cache *cache, unsigned cls)
{
  unsigned last = 1u << cls, oldest = last;
  uint32_t age = 0;
  for (unsigned n = last; n >= 1 && hkm_run_class (n) == cls; n--)
    if (cache->count[n - 1] != 0 && cache->clock - cache->used[n - 1] >= age)
      {
        age = cache->clock - cache->used[n - 1];
        oldest = n;
      }
  return oldest;
}

/* The older half of the runs of length N, but no more than a bundle, go to the
   shared pool.  */
static void
spill (hkm_run_cache *cache, hkm_counts *counts, unsigned n)
{
  hkm_run_list *list = list_take (cache, n), *bundle = list;
  if (list == NULL)
    return;
  uint32_t count = cache->count[n - 1], moved = (count + 1) / 2;
  if (moved > cache->bundle)
    moved = cache->bundle;
  if (count > moved)
    bundle = list_cut (list, count - moved);
  list_give (cache, n, list, count - moved);
  bundle->mark = moved;
  hkm_run_shared_put (counts, bundle);
}

static HKM_COLD void
note_cpu (hkm_run_cache *cache)
{
  unsigned node;
  (void) hkm_os_cpu (&cache->cpu, &node);
}

/* Classes that no run came to or went from since the last time go to the
   superslabs, and bundles likewise; but for those kept with preference.  */
static HKM_COLD void
forget_unused (hkm_run_cache *cache)
{
  for (unsigned n = 1; n <= HKM_RUN_LONGEST; n++)
    if (cache->count[n - 1] != 0
        && !((cache->wanted | cache->kept) >> hkm_run_class (n) & 1))
      {
        hkm_run_list_release (list_take (cache, n));
        list_give (cache, n, NULL, 0);
      }
  hkm_run_shared_forget (cache->wanted | cache->kept);
  cache->wanted = 0;
  for (unsigned cls = 0; cache->kept != 0 && cls < HKM_RUN_CLASSES; cls++)
    if (cache->held[cls] == 0)
      cache->kept &= ~(1u << cls);
  cache->forget = FORGET_PUTS;
  note_cpu (cache);
  hkm_superslab_tend ();
  hkm_retain_reclaim (); /* what takes as much as it brings is told that it fits */
  hkm_tick ();
}

/* ---- for the thread ---- */

static void
make_known (hkm_run_cache *cache)
{
  hkm_run_cache *first = hkm_load_relaxed (&caches);
  cache->known = true;
  do
    cache->next = first;
  while (!hkm_cas_acq_rel (&caches, &first, cache));
}

void
hkm_run_cache_note_live (hkm_run_cache *cache, int runs, int slots)
{
  if (cache == NULL)
    {
      hkm_fetch_add_relaxed (&other_runs, (uint64_t) (int64_t) runs);
      hkm_fetch_add_relaxed (&other_slots, (uint64_t) (int64_t) slots);
      return;
    }
  if (!cache->known)
    make_known (cache);
  hkm_store_relaxed (&cache->live_runs,
                     cache->live_runs + (uint64_t) (int64_t) runs);
  hkm_store_relaxed (&cache->live_slots,
                     cache->live_slots + (uint64_t) (int64_t) slots);
}

static hkm_slab *
take_first (hkm_run_cache *cache, hkm_run_list *list, uint32_t count)
{
  unsigned n = list->slots;
  cache->used[n - 1] = cache->clock;
  cache->wanted |= 1u << hkm_run_class (n);
  list_give (cache, n, list->xnext, count - 1);
  hkm_retain_leave_here (cache->cpu, n * HKM_GRANULE);
  return list;
}

hkm_slab *
hkm_run_cache_take (hkm_run_cache *cache, hkm_counts *counts, unsigned slots,
                    unsigned most)
{
  if (!cache->keeps)
    return NULL;
  if (most > HKM_RUN_LONGEST)
    most = HKM_RUN_LONGEST;
  uint32_t fit = ((uint32_t) 2 << (most - 1)) - ((uint32_t) 1 << (slots - 1));
  while ((cache->present & fit) != 0)
    {
      unsigned n = (unsigned) __builtin_ctz (cache->present & fit) + 1;
      hkm_run_list *list = list_take (cache, n);
      if (list != NULL)
        {
          hkm_count (counts, HKM_COUNT_RUN_CACHE_HIT, 1);
          return take_first (cache, list, cache->count[n - 1]);
        }
    }
  hkm_run_list *bundle = hkm_run_shared_take (counts, fit);
  note_cpu (cache);
  if (bundle == NULL)
    return NULL;
  hkm_count (counts, HKM_COUNT_RUN_SHARED_HIT, 1);
  return take_first (cache, bundle, bundle->mark);
}

bool
hkm_run_cache_put (hkm_run_cache *cache, hkm_counts *counts, hkm_slab *run)
{
  unsigned n = run->slots, cls = hkm_run_class (n);
  if (cache->most[cls] == 0)
    return false;
  if (cache->held[cls] >= cache->most[cls])
    spill (cache, counts, oldest_length (cache, cls));
  bool fits = hkm_retain_admit_here (cache->cpu, n * HKM_GRANULE);
  run->xnext = list_take (cache, n);
  list_give (cache, n, run, cache->count[n - 1] + 1);
  cache->used[n - 1] = ++cache->clock;
  cache->wanted |= 1u << cls;
  if (--cache->forget == 0)
    forget_unused (cache);
  if (!fits)
    {
      hkm_superslab_reclaim ();
      hkm_retain_reclaim ();
    }
  return true;
}

void
hkm_run_cache_prefer (hkm_run_cache *cache, unsigned slots)
{
  cache->kept |= 1u << hkm_run_class (slots);
}

HKM_COLD void
hkm_run_cache_flush (hkm_run_cache *cache)
{
  for (unsigned n = 1; n <= HKM_RUN_LONGEST; n++)
    {
      hkm_run_list_release (list_take (cache, n));
      cache->count[n - 1] = 0;
    }
  /* Not by set_count: a fork may have cut one in half.  */
  memset (cache->held, 0, sizeof cache->held);
  cache->present = cache->kept = 0;
  hkm_superslab_reclaim ();
}

HKM_COLD void
hkm_run_cache_observe (hkm_run_cache *cache, const hkm_policy *policy)
{
  bool less = false;
  cache->keeps = false;
  for (unsigned cls = 0; cls < HKM_RUN_CLASSES; cls++)
    {
      uint32_t most = policy->run_most[cls];
      less = less || most < cache->most[cls];
      cache->keeps = cache->keeps || most != 0;
      cache->most[cls] = most;
    }
  cache->bundle = policy->run_bundle;
  cache->wmax = policy->run_wmax;
  cache->forget = FORGET_PUTS;
  if (less)
    hkm_run_cache_flush (cache);
}

/* ---- for everybody ---- */

/* A list of CACHE, not the caller's; or NULL.  */
static hkm_run_list *
rob (hkm_run_cache *cache)
{
  for (unsigned n = HKM_RUN_LONGEST; n >= 1; n--)
    if (hkm_load_relaxed (&cache->xlist[n - 1]) != NULL)
      {
        hkm_run_list *list
            = hkm_exchange_acquire (&cache->xlist[n - 1], NULL);
        if (list != NULL)
          return list;
      }
  return NULL;
}

size_t
hkm_run_pool_drain (bool all)
{
  hkm_run_cache *cache = hkm_load_acquire (&caches);
  size_t bytes = 0;
  while (all || !hkm_retain_fits ())
    {
      hkm_run_list *list = hkm_run_shared_take_any ();
      for (; list == NULL && cache != NULL; cache = cache->next)
        list = rob (cache);
      if (list == NULL)
        break;
      bytes += hkm_run_list_release (list);
      if (!all)
        hkm_superslab_reclaim ();
    }
  return bytes;
}

void
hkm_run_pool_live (uint64_t *runs, uint64_t *slots)
{
  *runs = hkm_load_relaxed (&other_runs);
  *slots = hkm_load_relaxed (&other_slots);
  for (hkm_run_cache *cache = hkm_load_acquire (&caches); cache != NULL;
       cache = cache->next)
    {
      *runs += hkm_load_relaxed (&cache->live_runs);
      *slots += hkm_load_relaxed (&cache->live_slots);
    }
}

void
hkm_run_pool_asked (uint32_t asked[HKM_RUN_CLASSES],
                    uint32_t missed[HKM_RUN_CLASSES])
{
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    {
      asked[k] = missed[k] = 0;
      for (hkm_run_cache *cache = hkm_load_acquire (&caches); cache != NULL;
           cache = cache->next)
        {
          asked[k] += hkm_load_relaxed (&cache->asked[k]);
          missed[k] += hkm_load_relaxed (&cache->missed[k]);
        }
    }
}

void
hkm_run_pool_init (void)
{
  hkm_retain_set_drain (hkm_run_pool_drain);
}
