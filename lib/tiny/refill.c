/* Crossing 1: where the next blocks of a class come from, as an ordered list of
   reasons.  */
#include "os/arena.h"
#include "os/os.h"
#include "policy/dyn.h"
#include "superslab/retain.h"
#include "tiny/heap_impl.h"

/* Full slabs looked at before a fresh one is taken, a few for the best of them
   and many for any, and the share of free blocks that makes one worth having.  */
enum { STUCK_LOOKS = 16, STUCK_LOOKS_ANY = 1024, STUCK_FRACTION = 32 };

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

/* How many full slabs of BIN to look at if none is of use.  After 1, 2, 4 and so
   on searches in vain it is many: a class that only grows has none.  */
static unsigned
stuck_looks (const hkm_bin *bin)
{
  bool many = (bin->barren & (bin->barren - 1)) == 0;
  unsigned most = many ? STUCK_LOOKS_ANY : STUCK_LOOKS;
  return most < bin->slabs ? most : bin->slabs;
}

/* Slabs that stay just below the share of free blocks that would bring them
   back waste it for ever: look at a few, longest full first, for the freest; or
   until there is one.  */
hkm_slab *
hkm_bin_stuck_locked (hkm_bin *bin)
{
  if (hkm_list_empty (&bin->full))
    return NULL;
  hkm_slab *best = NULL;
  hkm_slab *slab = hkm_container_of (bin->full.prev, hkm_slab, link);
  uint32_t least = slab->capacity / STUCK_FRACTION;
  uint32_t most = least != 0 ? least - 1 : 0;
  unsigned looks = stuck_looks (bin);
  for (unsigned i = 0; i < looks && (i < STUCK_LOOKS || best == NULL); i++)
    {
      slab = hkm_container_of (bin->full.prev, hkm_slab, link);
      uint32_t home = hkm_slab_home (slab);
      hkm_list_remove (&slab->link);
      hkm_list_push (&bin->full, &slab->link);
      if (home > most)
        {
          best = slab;
          most = home;
        }
    }
  if (best != NULL)
    bin->barren = 0;
  else if (++bin->barren == 0)
    bin->barren = 128;
  return best;
}

static bool
from_stuck_locked (hkm_heap *heap, unsigned cls)
{
  hkm_slab *slab = hkm_bin_stuck_locked (&heap->bin[cls]);
  return slab != NULL && take_listed_locked (heap, slab);
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
  slab->state = HKM_SLAB_PARTIAL;
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

#ifdef HKM_WITH_WMAX
/* Fill the slot of CLS with what HEAP has at hand, if anything.  */
static bool
at_hand_locked (hkm_heap *heap, unsigned cls, bool *zeroed)
{
  if (heap->front.slot[cls].head != 0
      || from_current_locked (heap, cls, true, zeroed))
    return true;
  if (hkm_list_empty (&heap->bin[cls].partial))
    return false;
  hkm_bin_retire_current_locked (heap, cls);
  return from_partial_locked (heap, cls)
         && from_current_locked (heap, cls, true, zeroed);
}

/* The next larger class than CLS that HEAP has a block of at hand, with blocks
   of SIZE to MOST bytes: its slot is filled, and it is HEAP's lender.  */
static bool
borrow_locked (hkm_heap *heap, unsigned cls, size_t size, size_t most,
               bool *zeroed)
{
  size_t own = hkm_class_size (cls);
  for (unsigned c = hkm_size_to_static_class (size > own ? size : own + 1);
       c < HKM_CLASS_STATIC && hkm_class[c].size <= most; c++)
    if (at_hand_locked (heap, c, zeroed))
      {
        heap->lender = c;
        return true;
      }
  return false;
}

/* A larger mid class's block, within the policy's factor, rather than new memory
   for CLS.  */
static bool
from_larger_locked (hkm_heap *heap, unsigned cls, size_t size, bool *zeroed)
{
  size_t most = size * heap->policy.wmax / 100;
  if (most > HKM_MID_MAX)
    most = HKM_MID_MAX;
  if (most <= hkm_class_size (cls) || hkm_class[cls].group != HKM_GROUP_MID)
    return false;
  return borrow_locked (heap, cls, size, most, zeroed);
}
#else
static bool
from_larger_locked (hkm_heap *heap, unsigned cls, size_t size, bool *zeroed)
{
  (void) heap, (void) cls, (void) size, (void) zeroed;
  return false;
}
#endif

/* Make a slab with blocks to give the current one; or find a lender.  */
static enum hkm_counter
find_slab_locked (hkm_heap *heap, size_t size, unsigned cls, bool *zeroed)
{
  if (from_partial_locked (heap, cls))
    return HKM_COUNT_REFILL_PARTIAL;
  if (from_stuck_locked (heap, cls))
    return HKM_COUNT_REFILL_STUCK;
  if (from_warm_locked (heap, cls))
    return HKM_COUNT_REFILL_WARM;
  if (from_larger_locked (heap, cls, size, zeroed))
    return HKM_COUNT_REFILL_LENT;
  if (from_parked_locked (heap, cls))
    return HKM_COUNT_REFILL_ADOPT;
  if (from_superslabs_locked (heap, cls))
    return HKM_COUNT_REFILL_ACQUIRE;
  return HKM_COUNT_REFILL_FAIL;
}

/* Fill the slot of CLS, or of a lender.  */
static enum hkm_counter
fill_locked (hkm_heap *heap, size_t size, unsigned cls, bool *zeroed)
{
  if (hkm_dyn_is_closed (cls))
    return HKM_COUNT_REFILL_FAIL;
  if (from_current_locked (heap, cls, !partial_is_worth_it (heap, cls), zeroed))
    return HKM_COUNT_REFILL_CARVE;
  hkm_bin_retire_current_locked (heap, cls);
  enum hkm_counter how = find_slab_locked (heap, size, cls, zeroed);
  if (how != HKM_COUNT_REFILL_FAIL && how != HKM_COUNT_REFILL_LENT)
    HKM_CHECK (from_current_locked (heap, cls, true, zeroed));
  return how;
}

/* The class that serves CLS; if another one, HEAP's lender.  The first blocks of
   a class that has no slab are those of the largest class of its group, a power
   of two: a small program, which has few blocks of many classes, then dirties a
   page for each group instead of each class.  Such a block is at least as well
   aligned, in the same domain and on the same route, and half of it or more is
   used, as realloc and free_sized take for granted; whoever asks it gets the
   class it is of.  */
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
  return heap->lender = largest[group];
}

/* Of the refills of tiny classes one in so many is noted, and counts for all: they
   come often.  */
enum { NOTE_TINY = 16 };

/* What a learner wants to know of a refill of CLS for SIZE bytes.  */
static HKM_NOINLINE void
note_refill_locked (hkm_heap *heap, size_t size, unsigned cls,
                    enum hkm_counter how)
{
  if (heap->asked == NULL)
    hkm_store_release (&heap->asked,
                       hkm_arena_alloc (HKM_CLASSES * sizeof *heap->asked,
                                        sizeof *heap->asked));
  if (heap->asked == NULL)
    return;
  hkm_bin_asked *asked = &heap->asked[cls];
  uint32_t n = hkm_class[cls].group == HKM_GROUP_MID ? 1 : NOTE_TINY;
  hkm_store_relaxed (&asked->refills, asked->refills + n);
  if (how == HKM_COUNT_REFILL_ACQUIRE || how == HKM_COUNT_REFILL_FAIL)
    hkm_store_relaxed (&asked->acquires, asked->acquires + n);
  if (hkm_class[cls].group == HKM_GROUP_MID)
    {
      hkm_tick_note_size (size);
      hkm_count (&heap->counts, HKM_COUNT_MID_ASKED_BYTES, size);
      hkm_count (&heap->counts, HKM_COUNT_MID_BYTES, hkm_class_share (cls));
    }
}

void *
hkm_heap_refill_locked (hkm_heap *heap, size_t size, unsigned wanted,
                        bool *zeroed)
{
  unsigned cls = lender_locked (heap, wanted);
  enum hkm_counter how
      = cls != wanted ? HKM_COUNT_REFILL_LENT : HKM_COUNT_REFILL_REMOTE;
  *zeroed = false;
  hkm_count (&heap->counts, HKM_COUNT_REFILL, 1);
  hkm_heap_observe_locked (heap);
  heap->refills++;
  hkm_heap_tend_locked (heap);
  if (heap->front.slot[cls].head == 0)
    how = fill_locked (heap, size, cls, zeroed);
  hkm_count (&heap->counts, how, 1);
  if (hkm_tick_is_told ()
      && (wanted > HKM_CLASS_2048 || heap->refills % NOTE_TINY == 0))
    note_refill_locked (heap, size, wanted, how);
  if (how == HKM_COUNT_REFILL_FAIL)
    return NULL;
  if (hkm_unlikely (how == HKM_COUNT_REFILL_LENT))
    cls = heap->lender;
  void *p = hkm_slot_pop (&heap->front.slot[cls]);
  HKM_WALK (hkm_heap_walk_locked (heap));
  return p;
}

/* CLS is dynamic, and was looked up before HEAP was locked.  With a block in hand
   its size is constant: if it is too short, or there is none, a static class
   has to serve.  */
static HKM_NOINLINE void *
take_dynamic_locked (hkm_heap *heap, size_t size, unsigned cls, bool *zeroed)
{
  void *p = hkm_heap_refill_locked (heap, size, cls, zeroed);
  unsigned got = p != NULL ? hkm_map_find (p)->cls : cls;
  if (p != NULL && hkm_class[got].size < size)
    {
      hkm_slot *slot = &heap->front.slot[got];
      slot->room++; /* back, but not as a free: nobody had it */
      (void) hkm_slot_push (slot, p, hkm_block_key (p));
      p = NULL;
    }
  if (p == NULL)
    p = hkm_heap_refill_locked (heap, size, hkm_size_to_static_class (size),
                                zeroed);
  return p;
}

void *
hkm_heap_take (hkm_heap *heap, size_t size, unsigned cls, bool *zeroed)
{
  hkm_lock_take (&heap->lock);
  void *p = hkm_unlikely (hkm_class_is_dynamic (cls))
                ? take_dynamic_locked (heap, size, cls, zeroed)
                : hkm_heap_refill_locked (heap, size, cls, zeroed);
  hkm_heap_honour_trim_locked (heap);
  hkm_heap_unlock (heap);
  return p;
}

/* One of few that are timed, for those who learn.  */
static HKM_NOINLINE void *
take_timed (hkm_heap *heap, size_t size)
{
  bool zeroed;
  uint64_t start = hkm_os_clock_ns ();
  heap->timed = false;
  void *p = hkm_heap_take (heap, size, hkm_size_to_class (size), &zeroed);
  hkm_tick_note_slow (hkm_os_clock_ns () - start);
  return p;
}

HKM_COLD void *
hkm_refill_slow (size_t size, hkm_front *front)
{
  bool zeroed;
  void *p = NULL;
  if (hkm_likely (hkm_front_is_heap (front)) && !hkm_lock_interrupts ())
    p = hkm_unlikely (hkm_heap_of (front)->timed)
          ? take_timed (hkm_heap_of (front), size)
          : hkm_heap_take (hkm_heap_of (front), size, hkm_size_to_class (size),
                           &zeroed);
  return hkm_likely (p != NULL) ? p : hkm_refill_further (size);
}
