/* The magazine route: the slabs of the class have the front slot for a sink,
   and the slot's countdown is the magazine's cap.  Accounting happens here, by
   address, and is exact at every slab whenever it is read.  While a thread only
   frees, slabs become sinks of their own, one after the other (retire.c).  */
#include "opts/trace.h"
#include "policy/dyn.h"
#include "tiny/heap_impl.h"

/* To find where a batch ends is to walk it, a block after the other that no cache
   has.  A list of so many batches or less is taken whole.  */
enum { WHOLE = 4 };

/* The first *N blocks of LIST, which has more, as a list of their own.  Fewer, if an
   overwritten link ends it before.  */
static uintptr_t
cut_off (hkm_slot *list, uint32_t *n)
{
  uintptr_t head = list->head;
  hkm_block *last = hkm_slot_first (list);
  uint32_t got = 1;
  for (; got < *n && last->link != 0; got++)
    last = hkm_block_next (last);
  list->head = last->link;
  last->link = 0;
  *n = got;
  return head;
}

uint32_t
hkm_magazine_batch_locked (hkm_heap *heap, unsigned cls)
{
  hkm_slab *slab = heap->bin[cls].current;
  hkm_slot *slot = &heap->front.slot[cls];
  uint32_t n = hkm_slab_home (slab), want = heap->policy.cls[cls].batch;
  if (n == 0)
    return 0;
  HKM_CHECK (slab->own.head != 0);
  if (n > WHOLE * want)
    {
      n = want;
      slot->head = cut_off (&slab->own, &n);
    }
  else
    {
      slot->head = slab->own.head;
      slab->own.head = 0;
    }
  slab->own.room += n; /* out again */
  heap->bin[cls].fetched = true;
  hkm_count (&heap->counts, HKM_COUNT_BATCH_BLOCKS, n);
  return n;
}

/* One block of the slot goes home: to one of our slabs, or, if the slab was
   adopted by another heap meanwhile, there.  */
static void
send_home_locked (hkm_heap *heap, hkm_block *b)
{
  hkm_slab *slab = hkm_map_find (b);
  if (hkm_slab_owner (slab) == heap)
    hkm_slab_give_locked (heap, slab, b, b, 1);
  else
    hkm_slab_push_remote_locked (heap, slab, b, b, 1);
}

uint32_t
hkm_magazine_drain_locked (hkm_heap *heap, unsigned cls, uint32_t keep)
{
  hkm_slot *slot = &heap->front.slot[cls];
  uint32_t cap = heap->bin[cls].cap;
  hkm_block *last = NULL, *b = hkm_slot_first (slot);
  uint32_t kept = 0, sent = 0;
  for (; kept < keep && b != NULL; kept++)
    {
      last = b;
      b = hkm_block_next (b);
    }
  if (last != NULL)
    last->link = 0;
  else
    slot->head = 0;
  (void) hkm_blocks_count (NULL, b, NULL); /* cuts what was overwritten */
  for (; b != NULL; sent++)
    {
      hkm_block *next = hkm_block_next (b);
      send_home_locked (heap, b);
      b = next;
    }
  if (sent > 0)
    {
      hkm_count (&heap->counts, HKM_COUNT_MAGAZINE_DRAIN, 1);
      hkm_trace (TINY_SLL_DRAIN_DEBUG, "drain: class %u, %u blocks, %u kept",
                 cls, sent, kept);
    }
  hkm_heap_count_frees (heap, cls, heap->bin[cls].armed - slot->room);
  hkm_slot_arm (heap, cls, cap > kept ? cap - kept : 1);
  heap->bin[cls].kept = kept;
  return sent;
}

/* True if HEAP's slabs of class CLS can't be cut in more than MOST blocks.  Not
   known if it has none: a dynamic class's size is constant for those who have a
   slab of it.  */
static bool
all_fit (const hkm_heap *heap, unsigned cls, uint32_t most)
{
  uint64_t slabs = heap->bin[cls].slabs;
  if (slabs == 0)
    return false;
  const hkm_class_info *info = &hkm_class[cls];
  return slabs * (info->slots * HKM_GRANULE / info->size) <= most;
}

/* How far the cap grows over the policy's.  */
enum { CAP_GROWTH = 4 };

/* Each block left in the slot may be the last that keeps its slab from being
   empty.  So while a thread only frees, the cap goes down to a quarter each time,
   to one block in the end, and a malloc restores it; nobody else would notice
   that the current slab is empty.  Blocks that go home and are fetched again say
   that it is too small; and looks that find none too many, each a walk over
   blocks that are in no near cache, that they come too often.  */
void
hkm_magazine_heartbeat_locked (hkm_heap *heap, unsigned cls)
{
  hkm_bin *bin = &heap->bin[cls];
  if (hkm_dyn_is_closed (cls))
    {
      hkm_bin_strip_locked (heap, cls);
      return;
    }
  uint32_t most = bin->cap; /* that many are here if nobody took one */
  uint32_t sent = hkm_magazine_drain_locked (heap, cls, most / 2);
  bool only_frees = !bin->fetched && sent + bin->kept >= most;
  uint32_t usual = heap->policy.cls[cls].cap;
  if (only_frees)
    {
      bin->cap = most > 4 ? most / 4 : 1;
      hkm_magazine_drain_locked (heap, cls, bin->cap / 2);
      if (bin->current != NULL
          && hkm_slab_home (bin->current) == bin->current->carved)
        hkm_bin_retire_current_locked (heap, cls);
    }
  else if (most < usual)
    bin->cap = usual;
  else if ((sent == 0 || bin->fetched) && most < CAP_GROWTH * usual)
    bin->cap = 2 * most;
  bin->fetched = false;
  /* If all there are may be here, nothing can be too many (until there is a
     further slab: hkm_slab_own).  */
  if (!only_frees && all_fit (heap, cls, bin->cap))
    hkm_slot_arm (heap, cls, heap->policy.interval);
}
