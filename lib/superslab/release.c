/* Taking slots back, and giving idle memory to the OS.  */
#include "opts/opts.h"
#include "opts/trace.h"
#include "os/os.h"
#include "policy/dyn.h"
#include "superslab/pool.h"
#include "superslab/retain.h"

#include <string.h>

/* The free slots of a released stretch belong to no slab or run any more; each
   leads to a descriptor of kind NONE, which a stale pointer then finds.  What was
   there, if anything, was described by the first one; the others were nothing
   already.  */
void
hkm_slots_forget_locked (hkm_superslab *ss, unsigned first, unsigned n)
{
  hkm_slab *slab = ss->slab[first];
  if (slab != NULL)
    {
      hkm_store_relaxed (&slab->limit, 0);
      hkm_store_relaxed (&slab->carved, 0);
      hkm_store_relaxed (&slab->frontier, 0);
      hkm_store_relaxed (&slab->kind, HKM_KIND_NONE);
    }
  for (unsigned i = first + 1; i < first + n; i++)
    HKM_ASSERT (ss->slab[i] == NULL
                || (ss->slab[i]->kind == HKM_KIND_NONE
                    && ss->slab[i]->limit == 0));
  hkm_map_set_row (ss->base + first * HKM_SLOT_SIZE, n, &ss->slab[first],
                   &hkm_slab_none);
}

void
hkm_slab_dismantle_locked (hkm_superslab *ss, unsigned slot)
{
  hkm_slab *slab = hkm_map_find (ss->base + slot * HKM_SLOT_SIZE);
  if (slab == NULL || slab->kind != HKM_KIND_SLAB)
    return;
  HKM_ASSERT (slab->super == ss && slab->state == HKM_SLAB_EMPTY);
  hkm_list_remove (&slab->link);
  /* From here on no address of it is a block's start, and none of its slots
     leads to it: its descriptor may be a shorter slab's next.  */
  hkm_slots_forget_locked (ss, slab->first, slab->slots);
}

/* ---- purging ---- */

/* The first stretch of *MASK's slots, taken off it; false if it is empty.  */
static bool
next_stretch (uint32_t *mask, unsigned *first, unsigned *n)
{
  if (*mask == 0)
    return false;
  *first = (unsigned) __builtin_ctz (*mask);
  uint32_t rest = ~(*mask >> *first);
  *n = rest != 0 ? (unsigned) __builtin_ctz (rest) : HKM_SUPERSLAB_SLOTS;
  *mask &= ~hkm_slot_mask (*first, *n);
  return true;
}

/* ACTIVE slots of SS, purged, become UNUSED.  */
static void
slots_untouched_locked (hkm_superslab *ss, unsigned first, unsigned n)
{
  uint32_t mask = hkm_slot_mask (first, n);
  ss->used &= ~mask;
  memset (ss->resident + first, 0, n);
  hkm_retain_live (-(ptrdiff_t) (n * HKM_SLOT_SIZE));
}

/* Purges are gathered: all EMPTY slots of a superslab at once, neighbours by one
   call, and more than the budget asks for.  */
static bool
batched (void)
{
#ifdef HKM_WITH_BATCH_MADVISE
  return hkm_opt (HKM_OPT_BATCH_MADVISE) != 0;
#else
  return false;
#endif
}

/* Take every EMPTY slot of SS, or one; which these are.  */
static uint32_t
claim_empty_locked (hkm_superslab *ss)
{
  uint32_t all = batched () ? ss->empty : ss->empty & -ss->empty, todo = all;
  unsigned first, n;
  if ((ss->used | ss->empty) != all)
    hkm_huge_split_locked (ss);
  while (next_stretch (&todo, &first, &n))
    hkm_slots_take_locked (ss, first, n);
  hkm_superslab_place_locked (ss);
  return all;
}

/* Purge the slots ALL of SS, one call per stretch; those that the OS took.  No
   lock is held that whoever allocates or frees needs: they may be many.  */
static uint32_t
purge_slots (const hkm_superslab *ss, uint32_t all)
{
  uint32_t purged = 0;
  unsigned first, n;
  while (next_stretch (&all, &first, &n))
    if (hkm_os_purge (ss->base + first * HKM_SLOT_SIZE, n * HKM_SLOT_SIZE))
      purged |= hkm_slot_mask (first, n);
  return purged;
}

/* Put back what was claimed, PURGED or not; bytes given back.  */
static size_t
unclaim_locked (hkm_superslab *ss, uint32_t all, uint32_t purged)
{
  hkm_counts *counts = &ss->pool->counts;
  size_t bytes = 0;
  unsigned first, n;
  while (next_stretch (&all, &first, &n))
    {
      size_t resident = 0;
      for (unsigned i = first; i < first + n; i++)
        resident += ss->resident[i] * HKM_RESIDENT_UNIT;
      if (purged >> first & 1)
        {
          slots_untouched_locked (ss, first, n);
          bytes += resident;
          hkm_count (counts, HKM_COUNT_PURGE, 1);
          hkm_trace (SS_FREE_DEBUG, "purge: superslab %p, slot %u, length %u, "
                     "%zu bytes", (void *) ss->base, first, n, resident);
        }
      else /* still there, idle again, and asked for another time */
        hkm_slots_drop_locked (ss, first, n, resident);
    }
  hkm_count (counts, HKM_COUNT_PURGE_BYTES, bytes);
  hkm_superslab_place_locked (ss);
  return bytes;
}

/* Purge POOL's longest idle superslab, adding to *BYTES.  False: there is none,
   or the OS refused (locked memory).  The slots are ACTIVE meanwhile, as if
   somebody had acquired them: nothing else knows that they are purged.  */
static HKM_COLD bool
purge_oldest (hkm_pool *pool, size_t *bytes)
{
  hkm_pool_lock (pool);
  if (hkm_list_empty (&pool->idle))
    {
      hkm_lock_give (&pool->lock);
      return false;
    }
  hkm_superslab *ss
      = hkm_container_of (pool->idle.next, hkm_superslab, idle_link);
  uint32_t claimed = claim_empty_locked (ss);
  hkm_lock_give (&pool->lock);
  uint32_t purged = purge_slots (ss, claimed);
  hkm_pool_lock (pool);
  *bytes += unclaim_locked (ss, claimed, purged);
  hkm_lock_give (&pool->lock);
  return purged != 0;
}

size_t
hkm_pool_purge (hkm_pool *pool)
{
  size_t bytes = 0;
  int purges = 0;
  hkm_lock_take (&pool->lock);
  for (hkm_link *l = pool->idle.next; l != &pool->idle; l = l->next)
    purges += batched () ? 1
                         : __builtin_popcount (
                             hkm_container_of (l, hkm_superslab, idle_link)
                               ->empty);
  hkm_lock_give (&pool->lock);
  /* What is refused goes to the end of the list.  */
  for (; purges > 0; purges--)
    purge_oldest (pool, &bytes);
  return bytes;
}

/* How much below the budget a purge goes, so that the next calls have air and
   stretches get long; of a small budget an eighth.  Not more: memory that grows
   by a little beyond the budget in every cycle of its use, as fragments do, would
   have many times that purged and faulted in again.  */
enum { AIR = 4 << 20 };

/* Idle memory went over its budget: purge, each pool's longest idle superslabs
   first, until there is air.  False: it does not fit, and that is all there
   is.  */
static bool
purge_to_budget (void)
{
  static uint32_t turn; /* guarded by the purge lock */
  size_t budget = hkm_retain_budget ();
  size_t air = budget / 8 < AIR ? budget / 8 : AIR;
  size_t low = batched () ? budget - air : budget;
  uint32_t pools = hkm_load_acquire (&hkm_pool_count), in_vain = 0;
  while (hkm_retain_idle () > low && in_vain < pools)
    {
      size_t bytes = 0;
      if (purge_oldest (hkm_pool_at (turn++ % pools), &bytes))
        in_vain = 0;
      else
        in_vain++;
      if (bytes > 0)
        hkm_retain_purged (bytes);
    }
  return in_vain < pools;
}

static void
reclaim (void)
{
  bool fits = true;
  /* If another thread is at it, it sees to our memory too: it looks again after
     it gave the lock back.  What it does not see yet then waits for the next
     call, whoever makes it.  */
  while (fits && !hkm_retain_fits () && hkm_lock_try (&hkm_purge_lock))
    {
      fits = purge_to_budget ();
      hkm_lock_give (&hkm_purge_lock);
    }
}

void
hkm_superslab_reclaim (void)
{
  if (hkm_unlikely (hkm_retain_decay ()))
    {
      reclaim ();
      hkm_retain_reclaim ();
      hkm_retain_decayed ();
    }
  else
    reclaim ();
}

void
hkm_superslab_tend (void)
{
  bool over = hkm_retain_tick ();
  hkm_superslab_reclaim ();
  if (over)
    hkm_retain_reclaim ();
}

/* After any of the below: less is live, and more may be idle.  */
static void
fit_budget (void)
{
  hkm_superslab_reclaim ();
  hkm_retain_reclaim ();
}

/* ---- taking back ---- */

void
hkm_slots_drop_locked (hkm_superslab *ss, unsigned first, unsigned n,
                       size_t resident)
{
  size_t units = (resident + HKM_RESIDENT_UNIT - 1) / HKM_RESIDENT_UNIT;
  size_t per_slot = HKM_SLOT_SIZE / HKM_RESIDENT_UNIT;
  uint32_t mask = hkm_slot_mask (first, n);
  size_t counted = 0; /* as they will leave again */
  HKM_ASSERT ((ss->used & mask) == mask);
  ss->used &= ~mask;
  if (ss->empty == 0 && !ss->huge)
    hkm_list_append (&ss->pool->idle, &ss->idle_link);
  ss->empty |= mask;
  for (unsigned i = first; i < first + n; i++)
    {
      size_t here = units < per_slot ? units : per_slot;
      units -= here;
      if (ss->huge)
        here = 0;
      else if (here < ss->resident[i]) /* an earlier user's pages beyond */
        here = ss->resident[i];
      ss->resident[i] = (uint8_t) here;
      counted += here * HKM_RESIDENT_UNIT;
    }
  hkm_retain_live (-(ptrdiff_t) (n * HKM_SLOT_SIZE));
  hkm_retain_admit (counted);
  if (ss->huge && ss->used == 0)
    hkm_huge_sleep_locked (ss);
}

void
hkm_slab_release (hkm_slab *slab)
{
  hkm_superslab *ss = slab->super;
  unsigned cls = slab->cls;
  hkm_pool_lock (ss->pool);
  size_t resident
      = (slab->base - (uintptr_t) hkm_slab_address (slab))
        + (size_t) slab->carved * hkm_class[slab->cls].size;
  slab->state = HKM_SLAB_EMPTY;
  hkm_trace (SS_FREE_DEBUG, "release: class %u, superslab %p, slot %u, "
             "length %u, %zu bytes", slab->cls, (void *) ss->base, slab->first,
             slab->slots, resident);
  if (hkm_class_is_dynamic (cls)) /* the next may have another size */
    hkm_slots_forget_locked (ss, slab->first, slab->slots);
  else
    hkm_list_push (&ss->pool->class_empty[cls], &slab->link);
  hkm_slots_drop_locked (ss, slab->first, slab->slots, resident);
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&ss->pool->lock);
  hkm_dyn_leave (cls);
  fit_budget ();
}

void
hkm_slab_parts_go (hkm_slab *slab)
{
  hkm_superslab *ss = slab->super;
  hkm_pool_lock (ss->pool);
  memset (ss->resident + slab->first, 0, slab->slots);
  slab->written = 0;
  hkm_huge_split_locked (ss);
  hkm_lock_give (&ss->pool->lock);
}

void
hkm_slab_release_purged (hkm_slab *slab)
{
  hkm_superslab *ss = slab->super;
  unsigned cls = slab->cls;
  hkm_pool_lock (ss->pool);
  unsigned n = slab->slots;
  hkm_trace (SS_FREE_DEBUG, "release: class %u, superslab %p, slot %u, "
             "length %u, purged", slab->cls, (void *) ss->base, slab->first, n);
  hkm_slots_forget_locked (ss, slab->first, n);
  slots_untouched_locked (ss, slab->first, n);
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&ss->pool->lock);
  hkm_dyn_leave (cls);
  fit_budget ();
}

void
hkm_run_drop (hkm_slab *run)
{
  hkm_superslab *ss = run->super;
  hkm_pool_lock (ss->pool);
  hkm_trace (SS_FREE_DEBUG, "release: run, superslab %p, slot %u, length %u",
             (void *) ss->base, run->first, run->slots);
  hkm_slots_forget_locked (ss, run->first, run->slots);
  hkm_slots_drop_locked (ss, run->first, run->slots,
                         run->slots * HKM_SLOT_SIZE);
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&ss->pool->lock);
}

void
hkm_run_release (hkm_slab *run)
{
  hkm_run_drop (run);
  fit_budget ();
}

HKM_COLD void
hkm_run_return (hkm_slab *run)
{
  hkm_superslab *ss = run->super;
  unsigned first = run->first, n = run->slots;
  /* Nobody else can reach the run, so that no lock is held meanwhile.  */
  if (hkm_load_relaxed (&ss->earned))
    {
      hkm_pool_lock (ss->pool);
      hkm_huge_split_locked (ss);
      hkm_lock_give (&ss->pool->lock);
    }
  if (ss->huge || !hkm_os_purge (hkm_slab_address (run), n * HKM_SLOT_SIZE))
    {
      hkm_run_release (run);
      return;
    }
  hkm_pool_lock (ss->pool);
  hkm_trace (SS_FREE_DEBUG, "release: run, superslab %p, slot %u, length %u, "
             "purged", (void *) ss->base, first, n);
  hkm_count (&ss->pool->counts, HKM_COUNT_PURGE, 1);
  hkm_count (&ss->pool->counts, HKM_COUNT_PURGE_BYTES, n * HKM_SLOT_SIZE);
  hkm_slots_forget_locked (ss, first, n);
  slots_untouched_locked (ss, first, n);
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&ss->pool->lock);
  fit_budget ();
}
