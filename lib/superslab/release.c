/* Taking slots back, and giving idle memory to the OS.  */
#include "opts/trace.h"
#include "os/os.h"
#include "superslab/pool.h"
#include "superslab/retain.h"

#define pool hkm_pool_state

/* The free slots of a released stretch belong to no slab or run any more; each
   gets its own descriptor back, so that a stale pointer finds kind NONE.  */
static void
slots_forget_locked (hkm_superslab *ss, unsigned first, unsigned n)
{
  for (unsigned i = first; i < first + n; i++)
    {
      hkm_slab *slab = &ss->slab[i];
      hkm_store_relaxed (&slab->limit, 0);
      hkm_store_relaxed (&slab->carved, 0);
      hkm_store_relaxed (&slab->kind, HKM_KIND_NONE);
      hkm_map_set (ss->base + i * HKM_SLOT_SIZE, 1, slab);
    }
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
  slots_forget_locked (ss, slab->first, slab->slots);
}

size_t
hkm_superslab_purge_locked (hkm_superslab *ss)
{
  size_t bytes = 0;
  uint32_t todo = ss->empty;
  while (todo != 0)
    {
      /* One call per contiguous range.  */
      unsigned first = (unsigned) __builtin_ctz (todo);
      uint32_t rest = ~(todo >> first);
      unsigned n = rest != 0 ? (unsigned) __builtin_ctz (rest) : 32 - first;
      if (n > 32 - first)
        n = 32 - first;
      uint32_t mask = hkm_slot_mask (first, n);
      todo &= ~mask;
      size_t resident = 0;
      for (unsigned i = first; i < first + n; i++)
        {
          hkm_slab_dismantle_locked (ss, i);
          resident += ss->resident[i] * HKM_RESIDENT_UNIT;
        }
      if (!hkm_os_purge (ss->base + first * HKM_SLOT_SIZE, n * HKM_SLOT_SIZE))
        continue; /* still there, still idle */
      ss->empty &= ~mask;
      ss->purged |= mask;
      bytes += resident;
      hkm_count (&pool.counts, HKM_COUNT_PURGE, 1);
      hkm_trace (SS_FREE_DEBUG, "purge: superslab %p, slot %u, length %u, "
                 "%zu bytes", (void *) ss->base, first, n, resident);
    }
  if (ss->empty == 0)
    hkm_list_remove (&ss->idle_link);
  if (bytes > 0)
    {
      hkm_count (&pool.counts, HKM_COUNT_PURGE_BYTES, bytes);
      hkm_retain_leave (bytes);
    }
  return bytes;
}

/* Idle memory went over its budget: purge, longest idle superslabs first, until
   an eighth of the budget is free again, so that the next calls have air.  */
static void
purge_to_budget_locked (void)
{
  size_t budget = hkm_retain_budget ();
  size_t low = budget - budget / 8;
  while (hkm_retain_idle () > low && !hkm_list_empty (&pool.idle))
    {
      hkm_superslab *ss
          = hkm_container_of (pool.idle.next, hkm_superslab, idle_link);
      hkm_retain_purged (hkm_superslab_purge_locked (ss));
      if (ss->empty != 0)
        {
          /* The OS refused (locked memory): ask again another time.  */
          hkm_list_remove (&ss->idle_link);
          hkm_list_append (&pool.idle, &ss->idle_link);
          break;
        }
    }
}

void
hkm_superslab_reclaim (void)
{
  if (hkm_retain_idle () <= hkm_retain_budget ())
    return;
  hkm_lock_take (&pool.lock);
  if (pool.ready)
    purge_to_budget_locked ();
  hkm_lock_give (&pool.lock);
}

void
hkm_slots_drop_locked (hkm_superslab *ss, unsigned first, unsigned n,
                       size_t resident)
{
  size_t units = (resident + HKM_RESIDENT_UNIT - 1) / HKM_RESIDENT_UNIT;
  size_t per_slot = HKM_SLOT_SIZE / HKM_RESIDENT_UNIT;
  uint32_t mask = hkm_slot_mask (first, n);
  size_t counted = units * HKM_RESIDENT_UNIT; /* as they will leave again */
  HKM_ASSERT ((ss->used & mask) == mask);
  if (hkm_map_find (ss->base + first * HKM_SLOT_SIZE)->kind != HKM_KIND_SLAB)
    slots_forget_locked (ss, first, n);
  ss->used &= ~mask;
  if (ss->empty == 0)
    hkm_list_append (&pool.idle, &ss->idle_link);
  ss->empty |= mask;
  for (unsigned i = first; i < first + n; i++)
    {
      size_t here = units < per_slot ? units : per_slot;
      ss->resident[i] = (uint8_t) here;
      units -= here;
    }
  hkm_retain_live (-(ptrdiff_t) (n * HKM_SLOT_SIZE));
  if (!hkm_retain_admit (counted))
    purge_to_budget_locked ();
}

void
hkm_slab_release (hkm_slab *slab)
{
  hkm_lock_take (&pool.lock);
  hkm_superslab *ss = slab->super;
  size_t resident
      = (slab->base - (uintptr_t) hkm_slab_address (slab))
        + (size_t) slab->carved * hkm_class[slab->cls].size;
  slab->state = HKM_SLAB_EMPTY;
  hkm_trace (SS_FREE_DEBUG, "release: class %u, superslab %p, slot %u, "
             "length %u, %zu bytes", slab->cls, (void *) ss->base, slab->first,
             slab->slots, resident);
  hkm_list_push (&pool.class_empty[slab->cls], &slab->link);
  hkm_slots_drop_locked (ss, slab->first, slab->slots, resident);
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&pool.lock);
  hkm_retain_reclaim ();
}

void
hkm_slab_release_purged (hkm_slab *slab)
{
  hkm_lock_take (&pool.lock);
  hkm_superslab *ss = slab->super;
  uint32_t mask = hkm_slot_mask (slab->first, slab->slots);
  unsigned n = slab->slots;
  hkm_trace (SS_FREE_DEBUG, "release: class %u, superslab %p, slot %u, "
             "length %u, purged", slab->cls, (void *) ss->base, slab->first, n);
  slots_forget_locked (ss, slab->first, n);
  ss->used &= ~mask;
  ss->purged |= mask;
  hkm_retain_live (-(ptrdiff_t) (n * HKM_SLOT_SIZE));
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&pool.lock);
  hkm_retain_reclaim ();
}

void
hkm_run_release (hkm_slab *run)
{
  hkm_lock_take (&pool.lock);
  hkm_superslab *ss = run->super;
  pool.run_count--;
  pool.run_slots -= run->slots;
  hkm_trace (SS_FREE_DEBUG, "release: run, superslab %p, slot %u, length %u",
             (void *) ss->base, run->first, run->slots);
  hkm_slots_drop_locked (ss, run->first, run->slots,
                         run->slots * HKM_SLOT_SIZE);
  hkm_superslab_place_locked (ss);
  hkm_lock_give (&pool.lock);
  hkm_retain_reclaim ();
}
