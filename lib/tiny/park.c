/* Heaps without a thread.  A thread that ends leaves its heap whole; the next
   new thread takes it, slots filled.  Meanwhile whoever frees one of its blocks
   looks after it, and whoever is short of a slab adopts one from it.  So there
   are no orphaned slabs: a slab always has an owner, and a heap always has
   somebody who can act for it.

   A second heap's lock is only ever tried, never waited for.  That nothing is
   lost: the pusher pushes, then tries the lock; the holder gives the lock back,
   then looks at the stack.  All four are sequentially consistent, so one of the
   two sees the other.  */
#include "opts/fail.h"
#include "superslab/retain.h"
#include "tiny/heap_impl.h"
#include "tiny/registry.h"

/* Heaps kept whole; one more is stripped of what it holds idle, and so is every
   one once idle memory is half its budget.  */
enum { PARK_WHOLE = 8 };
/* Parked heaps an adopter looks into.  */
enum { ADOPT_LOOKS = 4 };

/* This thread is mending a heap.  */
static __thread bool mending __attribute__ ((tls_model ("initial-exec")));

void
hkm_heap_service (hkm_heap *heap)
{
  do
    {
      if (!hkm_lock_try (&heap->lock))
        return; /* its holder looks at the stack after giving the lock back */
      if (heap->state == HKM_HEAP_PARKED)
        {
          if (heap->torn && mending)
            {
              /* Mending one heap may push to the next torn one, and so on: one
                 is enough of the stack.  Its turn comes.  */
              hkm_lock_give (&heap->lock);
              return;
            }
          if (heap->torn)
            hkm_heap_mend_locked (heap);
          hkm_heap_observe_locked (heap);
          hkm_heap_collect_locked (heap);
        }
      hkm_lock_give (&heap->lock);
    }
  while (hkm_load_seq_cst (&heap->state) == HKM_HEAP_PARKED
         && hkm_load_seq_cst (&heap->xnotify) != NULL);
}

void
hkm_heap_unlock (hkm_heap *heap)
{
  bool parked = heap->state == HKM_HEAP_PARKED;
  hkm_lock_give (&heap->lock);
  if (hkm_unlikely (parked) && hkm_load_seq_cst (&heap->xnotify) != NULL)
    hkm_heap_service (heap);
}

void
hkm_bin_strip_locked (hkm_heap *heap, unsigned cls)
{
  if (heap->policy.cls[cls].magazine)
    hkm_magazine_drain_locked (heap, cls, 0);
  hkm_bin_retire_current_locked (heap, cls);
  hkm_bin_drop_warm_locked (heap, cls, 0);
}

void
hkm_heap_strip_locked (hkm_heap *heap)
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    hkm_bin_strip_locked (heap, c);
  hkm_run_cache_flush (&heap->runs);
}

void
hkm_heap_leave (hkm_heap *heap)
{
  hkm_outbound_leave ();
  if (hkm_lock_interrupts ())
    return; /* it is locked for good (base/lock.h): nobody can have it */
  hkm_lock_take (&heap->lock);
  hkm_heap_observe_locked (heap);
  hkm_outbound_flush_locked (heap);
  hkm_store_seq_cst (&heap->state, HKM_HEAP_PARKED);
  hkm_heap_collect_locked (heap);
  if (hkm_load_relaxed (&hkm_registry.parked_count) >= PARK_WHOLE
      || hkm_retain_idle () >= hkm_retain_budget () / 2)
    hkm_heap_strip_locked (heap);
  HKM_WALK (hkm_heap_walk_locked (heap));
  hkm_heap_unlock (heap);
  hkm_registry_park (heap);
}

hkm_heap *
hkm_heap_enter (void)
{
  hkm_heap *heap = hkm_registry_unpark ();
  if (heap == NULL)
    return hkm_registry_create ();
  hkm_lock_take (&heap->lock);
  if (heap->torn)
    hkm_heap_mend_locked (heap);
  hkm_heap_observe_locked (heap);
  hkm_store_seq_cst (&heap->state, HKM_HEAP_ACTIVE);
  hkm_count (&heap->counts, HKM_COUNT_HEAP_REUSE, 1);
  hkm_lock_give (&heap->lock);
  return heap;
}

/* A slab of CLS worth having, out of the parked FROM's lists; or NULL.  */
static hkm_slab *
give_away_locked (hkm_heap *from, unsigned cls)
{
  hkm_bin *bin = &from->bin[cls];
  hkm_slab *slab;
  if (hkm_list_empty (&bin->partial) && hkm_list_empty (&bin->warm))
    hkm_bin_retire_current_locked (from, cls);
  if (!hkm_list_empty (&bin->partial))
    slab = hkm_container_of (bin->partial.next, hkm_slab, link);
  else if (!hkm_list_empty (&bin->warm))
    {
      slab = hkm_container_of (bin->warm.next, hkm_slab, link);
      bin->warm_count--;
      hkm_retain_leave (hkm_slab_resident (slab));
    }
  else if ((slab = hkm_bin_stuck_locked (bin)) == NULL)
    return NULL;
  if (hkm_load_relaxed (&slab->xword) & (HKM_X_PURGING | HKM_X_PURGED))
    return NULL; /* its owner's to give up */
  hkm_list_remove (&slab->link);
  bin->slabs--;
  return slab;
}

hkm_slab *
hkm_heap_adopt_locked (hkm_heap *heap, unsigned cls)
{
  hkm_slab *slab = NULL;
  if (hkm_load_relaxed (&hkm_registry.parked_count) == 0)
    return NULL;
  hkm_lock_take (&hkm_registry.lock);
  for (int i = 0; i < ADOPT_LOOKS && slab == NULL; i++)
    {
      if (hkm_list_empty (&hkm_registry.parked))
        break;
      /* From the back, where the longest parked are; the next look begins at
         another.  */
      hkm_link *l = hkm_registry.parked.prev;
      hkm_heap *from = hkm_container_of (l, hkm_heap, parked);
      hkm_list_remove (l);
      hkm_list_push (&hkm_registry.parked, l);
      if (!hkm_lock_try (&from->lock))
        continue;
      if (from->torn)
        hkm_heap_mend_locked (from);
      slab = give_away_locked (from, cls);
      if (slab != NULL)
        {
          hkm_slab_own (heap, slab);
          hkm_count (&heap->counts, HKM_COUNT_SLAB_ADOPTED, 1);
        }
      hkm_heap_unlock (from);
    }
  hkm_lock_give (&hkm_registry.lock);
  return slab;
}

/* ---- after fork ---- */

/* Count SLAB's own list anew and put it where it belongs.  */
static void
recount_locked (hkm_heap *heap, hkm_slab *slab)
{
  hkm_list_remove (&slab->link);
  /* One whose last blocks came home since the fork may have been purged.  */
  if (!hkm_slab_publish_locked (slab, 0, false))
    {
      slab->state = HKM_SLAB_PARTIAL;
      hkm_list_push (&heap->bin[slab->cls].partial, &slab->link);
      return;
    }
  uint32_t home = hkm_blocks_count (slab, hkm_slot_first (&slab->own), NULL);
  hkm_slab_settle_locked (heap, slab, home);
}

static void
recount_list_locked (hkm_heap *heap, hkm_link *list)
{
  hkm_link todo, *l;
  /* Settling puts slabs back on these lists: empty them first.  */
  hkm_list_init (&todo);
  while (!hkm_list_empty (list))
    {
      l = list->next;
      hkm_list_remove (l);
      hkm_list_append (&todo, l);
    }
  while (!hkm_list_empty (&todo))
    recount_locked (heap, hkm_container_of (todo.next, hkm_slab, link));
}

/* The hot path of the thread that had this heap stopped anywhere.  Its lists
   are whole, because links are written before heads; its countdowns may be one
   too high, and a block it had in its hands is lost.  So count everything.  */
void
hkm_heap_mend_locked (hkm_heap *heap)
{
  bool outer = !mending;
  mending = true;
  heap->torn = false;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      hkm_bin *bin = &heap->bin[c];
      recount_list_locked (heap, &bin->full);
      recount_list_locked (heap, &bin->partial);
      if (heap->policy.cls[c].magazine)
        hkm_magazine_drain_locked (heap, c, 0);
      hkm_bin_retire_current_locked (heap, c);
      hkm_slot_arm (heap, c, heap->policy.cls[c].magazine
                               ? bin->cap
                               : heap->policy.interval);
    }
  hkm_outbound_mend_locked (heap);
  hkm_run_cache_flush (&heap->runs);
  if (outer)
    mending = false;
  HKM_WALK (hkm_heap_walk_locked (heap));
}
