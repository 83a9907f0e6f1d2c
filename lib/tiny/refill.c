/* Crossing 1: where the next blocks of a class come from, as an ordered list of
   reasons.  */
#include "superslab/retain.h"
#include "tiny/heap_impl.h"

/* Full slabs looked at before a fresh one is taken, and the share of free
   blocks that makes one worth having.  */
enum { STUCK_LOOKS = 16, STUCK_FRACTION = 32 };

/* Bytes of another class's blocks that a class gets before a slab of its own,
   which dirties a page at once: half of one.  */
enum { LENT_MAX = 2048 };

/* True if the most promising partial slab has as many blocks at home as bring a
   full one back: these were written before, and are taken before a page that
   was not.  */
static bool
partial_is_worth_it (const hkm_heap *heap, unsigned cls)
{
  const hkm_bin *bin = &heap->bin[cls];
  if (bin->partial.next == &bin->partial)
    return false;
  const hkm_slab *slab = hkm_container_of (bin->partial.next, hkm_slab, link);
  return hkm_slab_home (slab) >= hkm_slab_worth (heap, slab);
}

/* Blocks from the current slab; false: it has none left, or none but what to
   CARVE, which it may not.  */
static bool
from_current_locked (hkm_heap *heap, unsigned cls, bool carve, bool *zeroed)
{
  hkm_slab *slab = heap->bin[cls].current;
  hkm_slot *slot = &heap->front.slot[cls];
  if (slab == NULL)
    return false;
  if (slot->head != 0) /* made current with blocks at home */
    return true;
  if (heap->policy.cls[cls].magazine
      && hkm_magazine_batch_locked (heap, cls) > 0)
    return true;
  if (slab->carved == slab->capacity || !carve)
    return false;
  uint32_t n = hkm_slab_carve (slab, slot, heap->policy.bump_bytes);
  hkm_count (&heap->counts, HKM_COUNT_BLOCKS_CARVED, n);
  *zeroed = slab->zeroed;
  return true;
}

/* Make SLAB, on a list of the bin, the current one.  */
static bool
take_listed_locked (hkm_heap *heap, hkm_slab *slab)
{
  if (!hkm_slab_make_current_locked (heap, slab))
    return false; /* being purged: stays where it is until that is over */
  hkm_list_remove (&slab->link);
  return true;
}

static bool
from_partial_locked (hkm_heap *heap, unsigned cls)
{
  hkm_bin *bin = &heap->bin[cls];
  for (hkm_link *l = bin->partial.next; l != &bin->partial; l = l->next)
    if (take_listed_locked (heap, hkm_container_of (l, hkm_slab, link)))
      return true;
  return false;
}

/* Slabs that stay just below the share of free blocks that would bring them
   back waste it for ever: look at a few, longest full first, and take the
   freest.  */
static bool
from_stuck_locked (hkm_heap *heap, unsigned cls)
{
  hkm_bin *bin = &heap->bin[cls];
  hkm_slab *best = NULL;
  uint32_t most = 0;
  for (int i = 0; i < STUCK_LOOKS && !hkm_list_empty (&bin->full); i++)
    {
      hkm_slab *slab = hkm_container_of (bin->full.prev, hkm_slab, link);
      uint32_t home = hkm_slab_home (slab);
      hkm_list_remove (&slab->link);
      hkm_list_push (&bin->full, &slab->link);
      if (home > most && home >= slab->capacity / STUCK_FRACTION)
        {
          best = slab;
          most = home;
        }
      if (bin->full.prev == bin->full.next)
        break;
    }
  return best != NULL && take_listed_locked (heap, best);
}

static bool
from_warm_locked (hkm_heap *heap, unsigned cls)
{
  hkm_bin *bin = &heap->bin[cls];
  if (hkm_list_empty (&bin->warm))
    return false;
  hkm_slab *slab = hkm_container_of (bin->warm.next, hkm_slab, link);
  hkm_list_remove (&slab->link);
  bin->warm_count--;
  hkm_retain_leave (hkm_slab_resident (slab));
  return hkm_slab_make_current_locked (heap, slab);
}

static bool
from_parked_locked (hkm_heap *heap, unsigned cls)
{
  hkm_slab *slab = hkm_heap_adopt_locked (heap, cls);
  if (slab == NULL)
    return false;
  if (hkm_slab_make_current_locked (heap, slab))
    return true;
  /* Purged for its former owner just now: ours to give up in time.  */
  hkm_list_push (&heap->bin[cls].partial, &slab->link);
  return false;
}

static bool
from_superslabs_locked (hkm_heap *heap, unsigned cls)
{
  hkm_slab *slab = hkm_slab_acquire (cls);
  if (slab == NULL)
    return false;
  hkm_slab_own (heap, slab);
  return hkm_slab_make_current_locked (heap, slab);
}

/* Make a slab with blocks to give the current one.  */
static enum hkm_counter
find_slab_locked (hkm_heap *heap, unsigned cls)
{
  if (from_partial_locked (heap, cls))
    return HKM_COUNT_REFILL_PARTIAL;
  if (from_stuck_locked (heap, cls))
    return HKM_COUNT_REFILL_STUCK;
  if (from_warm_locked (heap, cls))
    return HKM_COUNT_REFILL_WARM;
  if (from_parked_locked (heap, cls))
    return HKM_COUNT_REFILL_ADOPT;
  if (from_superslabs_locked (heap, cls))
    return HKM_COUNT_REFILL_ACQUIRE;
  return HKM_COUNT_REFILL_FAIL;
}

static enum hkm_counter
fill_locked (hkm_heap *heap, unsigned cls, bool *zeroed)
{
  if (from_current_locked (heap, cls, !partial_is_worth_it (heap, cls), zeroed))
    return HKM_COUNT_REFILL_CARVE;
  hkm_bin_retire_current_locked (heap, cls);
  enum hkm_counter how = find_slab_locked (heap, cls);
  if (how != HKM_COUNT_REFILL_FAIL)
    HKM_CHECK (from_current_locked (heap, cls, true, zeroed));
  return how;
}

/* The class that serves CLS.  The first blocks of a class that has no slab are
   those of the largest class of its group, a power of two: a small program,
   which has few blocks of many classes, then dirties a page for each group
   instead of each class.  Such a block is at least as well aligned, in the same
   domain and on the same route, and half of it or more is used, as realloc and
   free_sized take for granted; whoever asks it gets the class it is of.  */
static unsigned
lender_locked (hkm_heap *heap, unsigned cls)
{
  static const uint8_t largest[HKM_GROUP_MID]
      = { HKM_CLASS_16,  HKM_CLASS_32,  HKM_CLASS_64,   HKM_CLASS_128,
          HKM_CLASS_256, HKM_CLASS_512, HKM_CLASS_1024, HKM_CLASS_2048 };
  hkm_bin *bin = &heap->bin[cls];
  unsigned group = hkm_class[cls].group;
  if (bin->slabs != 0 || group == HKM_GROUP_MID || largest[group] == cls)
    return cls;
  unsigned lent = bin->lent + hkm_class[largest[group]].size;
  if (lent > LENT_MAX)
    return cls;
  bin->lent = (uint16_t) lent;
  return largest[group];
}

void *
hkm_heap_refill_locked (hkm_heap *heap, unsigned wanted, bool *zeroed)
{
  unsigned cls = lender_locked (heap, wanted);
  hkm_slot *slot = &heap->front.slot[cls];
  enum hkm_counter how
      = cls != wanted ? HKM_COUNT_REFILL_LENT : HKM_COUNT_REFILL_REMOTE;
  *zeroed = false;
  hkm_count (&heap->counts, HKM_COUNT_REFILL, 1);
  hkm_heap_observe_locked (heap);
  hkm_heap_tend_locked (heap);
  if (slot->head == 0)
    how = fill_locked (heap, cls, zeroed);
  hkm_count (&heap->counts, how, 1);
  if (how == HKM_COUNT_REFILL_FAIL)
    return NULL;
  void *p = hkm_slot_pop (slot);
  HKM_WALK (hkm_heap_walk_locked (heap));
  return p;
}

void *
hkm_heap_take (hkm_heap *heap, unsigned cls, bool *zeroed)
{
  hkm_lock_take (&heap->lock);
  void *p = hkm_heap_refill_locked (heap, cls, zeroed);
  hkm_heap_unlock (heap);
  return p;
}

HKM_COLD void *
hkm_refill_slow (size_t size, hkm_front *front)
{
  bool zeroed;
  void *p = NULL;
  if (hkm_likely (hkm_front_is_heap (front)))
    p = hkm_heap_take (hkm_heap_of (front), hkm_size_to_class (size), &zeroed);
  return hkm_likely (p != NULL) ? p : hkm_refill_further (size);
}
