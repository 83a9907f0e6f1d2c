/* Crossing 2, and the life of a slab in its heap:
   current -> full -> partial -> current ... until it is emptied.  */
#include "os/os.h"
#include "policy/dyn.h"
#include "superslab/retain.h"
#include "tiny/heap_impl.h"

size_t
hkm_slab_resident (const hkm_slab *slab)
{
  uint32_t blocks = hkm_load_relaxed (&slab->carved);
  if (blocks < slab->written)
    blocks = slab->written;
  return (size_t) blocks * hkm_class[slab->cls].size;
}

static void
set_sink (hkm_slab *slab, hkm_slot *sink)
{
  slab->sink = sink;
  hkm_map_set_sink (hkm_slab_address (slab), slab->slots, sink);
}

void
hkm_slab_own (hkm_heap *heap, hkm_slab *slab)
{
  hkm_bin *bin = &heap->bin[slab->cls];
  hkm_slot *slot = &heap->front.slot[slab->cls];
  bool magazine = heap->policy.cls[slab->cls].magazine;
  set_sink (slab, magazine ? slot : &slab->own);
  if (magazine)
    hkm_slot_shorten (heap, slab->cls, bin->cap);
  slab->queued = false;
  bin->slabs++;
  /* Release: whoever finds the heap here finds it made.  */
  hkm_store_release (&slab->owner, &heap->front);
}

void
hkm_slab_disown (hkm_heap *heap, hkm_slab *slab)
{
  heap->bin[slab->cls].slabs--;
  set_sink (slab, &slab->own);
  hkm_store_release (&slab->owner, NULL);
}

/* Blocks of SLAB at home when that was last told: what came home since was
   freed, and is not counted yet.  */
static uint32_t
told_home (const hkm_slab *slab)
{
  return hkm_x_home (hkm_load_relaxed (&slab->xword));
}

bool
hkm_slab_publish_locked (hkm_slab *slab, uint32_t home, bool current)
{
  hkm_xword w = hkm_load_relaxed (&slab->xword), next;
  do
    {
      if (w & (HKM_X_PURGING | HKM_X_PURGED))
        return false;
      hkm_xword flags = w & HKM_X_FLAGS & ~(HKM_X_CURRENT | HKM_X_IDLE);
      next = hkm_x_make (hkm_x_head (w), hkm_x_count (w), current ? 0 : home,
                         flags | (current ? HKM_X_CURRENT : 0));
    }
  /* Acquire and release: who reads our home may purge what we wrote.  */
  while (!hkm_cas_acq_rel (&slab->xword, &w, next));
  if (w & HKM_X_IDLE)
    hkm_retain_leave_remote (hkm_x_idle_bytes (slab, w));
  return true;
}

void
hkm_heap_count_frees (hkm_heap *heap, unsigned cls, uint32_t n)
{
  hkm_count (&heap->counts, HKM_COUNT_FREE_COUNTED, n);
  hkm_count (&heap->counts, HKM_COUNT_FREE_BYTES,
             (uint64_t) n * hkm_class_size (cls));
}

bool
hkm_slab_make_current_locked (hkm_heap *heap, hkm_slab *slab)
{
  hkm_bin *bin = &heap->bin[slab->cls];
  hkm_slot *slot = &heap->front.slot[slab->cls];
  HKM_ASSERT (bin->current == NULL);
  bool listed = slab->state == HKM_SLAB_PARTIAL || slab->state == HKM_SLAB_FULL;
  uint32_t told = told_home (slab);
  if (!hkm_slab_publish_locked (slab, 0, true))
    return false;
  hkm_slab_forget_sparse (slab);
  slab->swept = 0;
  slab->state = HKM_SLAB_CURRENT;
  bin->current = slab;
  bool itself = slab->sink != slot;
  if (itself) /* first: a handler's free may come until then */
    set_sink (slab, slot);
  uint32_t home = hkm_slab_home (slab);
  if (itself && listed && home > told)
    hkm_heap_count_frees (heap, slab->cls, home - told);
  if (heap->policy.cls[slab->cls].magazine)
    {
      slab->own.room = HKM_ROOM_OPEN;
      slab->mark = HKM_ROOM_OPEN + home;
    }
  else
    {
      HKM_ASSERT (slot->head == 0);
      slot->head = slab->own.head;
      slab->own.head = 0;
    }
  return true;
}

/* Did COUNTDOWN end?  A signal handler's free may have come between its end and the
   one who acts on it.  */
static bool
has_ended (uint32_t countdown)
{
  return (int32_t) countdown <= 0;
}

/* A thread that only frees has a magazine of one block, and would take its lock for
   each.  So SLAB, to which the last one went home, is the sink of its own blocks
   from now on, as on the other route, until it is current again: then what is a
   cold call is that it becomes of use, or empty.  */
static void
sink_itself_locked (hkm_heap *heap, hkm_slab *slab)
{
  if (hkm_slab_owner (slab) == heap
      && (slab->state == HKM_SLAB_FULL || slab->state == HKM_SLAB_PARTIAL)
      && hkm_slab_publish_locked (slab, hkm_slab_home (slab), false))
    {
      hkm_slot *slot = slab->sink;
      set_sink (slab, &slab->own);
      if (has_ended (slot->room))
        slot->room = 1;
    }
}

void
hkm_bin_retire_current_locked (hkm_heap *heap, unsigned cls)
{
  hkm_bin *bin = &heap->bin[cls];
  hkm_slab *slab = bin->current;
  hkm_slot *slot = &heap->front.slot[cls];
  if (slab == NULL)
    return;
  uint32_t home;
  bin->current = NULL;
  if (heap->policy.cls[cls].magazine)
    home = hkm_slab_home (slab);
  else
    {
      home = hkm_blocks_count (slab, hkm_slot_first (slot), NULL);
      slab->own.head = slot->head;
      slot->head = 0;
      set_sink (slab, &slab->own);
    }
  hkm_slab_settle_locked (heap, slab, home);
}

/* Every block of SLAB is home.  Keep it warm, or let it go.  */
static void
slab_emptied_locked (hkm_heap *heap, hkm_slab *slab)
{
  hkm_bin *bin = &heap->bin[slab->cls];
  hkm_count (&heap->counts, HKM_COUNT_SLAB_EMPTIED, 1);
  if (heap->policy.reuse_guard)
    hkm_slab_verify (slab);
  if (bin->warm_count < heap->policy.cls[slab->cls].warm
      && !hkm_dyn_is_closed (slab->cls))
    {
      size_t bytes = hkm_slab_resident (slab);
      if (hkm_retain_admit (bytes))
        {
          slab->state = HKM_SLAB_WARM;
          hkm_list_push (&bin->warm, &slab->link);
          bin->warm_count++;
          return;
        }
      hkm_retain_leave (bytes);
    }
  hkm_slab_disown (heap, slab);
  hkm_count (&heap->counts, HKM_COUNT_SLAB_RELEASED, 1);
  hkm_slab_release (slab);
  /* Still over the budget, which goes down as memory is freed: it must be warm
     slabs that hold it.  */
  for (unsigned c = 0;
       c < HKM_CLASSES && hkm_retain_idle () > hkm_retain_budget (); c++)
    hkm_bin_drop_warm_locked (heap, c, 0);
}

void
hkm_bin_drop_warm_locked (hkm_heap *heap, unsigned cls, uint32_t keep)
{
  hkm_bin *bin = &heap->bin[cls];
  while (bin->warm_count > keep)
    {
      hkm_slab *slab = hkm_container_of (bin->warm.prev, hkm_slab, link);
      hkm_list_remove (&slab->link);
      bin->warm_count--;
      hkm_retain_leave (hkm_slab_resident (slab));
      hkm_slab_disown (heap, slab);
      hkm_count (&heap->counts, HKM_COUNT_SLAB_RELEASED, 1);
      hkm_slab_release (slab);
    }
}

void
hkm_slab_settle_locked (hkm_heap *heap, hkm_slab *slab, uint32_t home)
{
  hkm_bin *bin = &heap->bin[slab->cls];
  uint32_t carved = slab->carved, out = carved - home;
  uint32_t worth = hkm_slab_worth (heap, slab);
  bool sparse = false;
  hkm_slab_forget_sparse (slab);
  if (out == 0)
    {
      slab->own.room = HKM_ROOM_OPEN;
      slab->mark = HKM_ROOM_OPEN + home;
      hkm_slab_publish_locked (slab, home, false);
      slab_emptied_locked (heap, slab);
      return;
    }
  if (home >= worth || carved < slab->capacity)
    {
      slab->state = HKM_SLAB_PARTIAL;
      slab->own.room = out - hkm_slab_stop (slab, out, &sparse);
      slab->mark = home + slab->own.room;
      /* A sparse one is the last to be used again.  */
      if (home >= worth && !sparse)
        hkm_list_push (&bin->partial, &slab->link);
      else
        hkm_list_append (&bin->partial, &slab->link);
    }
  else
    {
      uint32_t room = worth - home < out ? worth - home : out;
      slab->state = HKM_SLAB_FULL;
      slab->mark = home + room;
      slab->own.room = room;
      hkm_list_push (&bin->full, &slab->link);
    }
  hkm_slab_publish_locked (slab, home, false);
  if (sparse)
    hkm_slab_note_sparse_locked (heap, slab, out);
}

void
hkm_slab_give_locked (hkm_heap *heap, hkm_slab *slab, hkm_block *head,
                      hkm_block *tail, uint32_t n)
{
  if (slab->state == HKM_SLAB_CURRENT
      && !heap->policy.cls[slab->cls].magazine)
    {
      hkm_slot *slot = &heap->front.slot[slab->cls];
      tail->link = slot->head;
      slot->head = hkm_block_mask (head);
      return;
    }
  tail->link = slab->own.head;
  slab->own.head = hkm_block_mask (head);
  if (n < slab->own.room)
    {
      slab->own.room -= n;
      return;
    }
  /* Collecting as many as there was room for is the transition itself.  */
  uint32_t home = hkm_slab_home (slab) + n;
  hkm_list_remove (&slab->link);
  hkm_slab_settle_locked (heap, slab, home);
}

/* A current slab may be wholly home and nobody would notice: each slab that
   empties pays for a look at another class's, once idle memory is half its
   budget.  If the thread took nothing since the last look, it frees: then the
   current slab stops being current, and is known to be empty when it is.  */
static void
audit_locked (hkm_heap *heap)
{
  if (hkm_retain_idle () < hkm_retain_budget () / 2)
    return;
  unsigned cls;
  do
    cls = heap->audit++ % HKM_CLASSES;
  while (hkm_class_size (cls) == 0); /* a dynamic class that is off */
  bool only_frees = heap->audited == heap->refills;
  heap->audited = heap->refills;
  hkm_slab *slab = heap->bin[cls].current;
  if (slab == NULL)
    return;
  if (heap->policy.cls[cls].magazine)
    hkm_magazine_drain_locked (heap, cls, 0);
  if (heap->bin[cls].current == NULL)
    return;
  bool goes
      = only_frees
        || (heap->policy.cls[cls].magazine
              ? hkm_slab_home (slab)
              : hkm_blocks_count (
                  slab, hkm_slot_first (&heap->front.slot[cls]), NULL))
             == slab->carved;
  if (goes)
    {
      hkm_bin_retire_current_locked (heap, cls);
      hkm_bin_drop_warm_locked (heap, cls, 0);
    }
}

static void
heartbeat_locked (hkm_heap *heap, unsigned cls)
{
  hkm_count (&heap->counts, HKM_COUNT_HEARTBEAT, 1);
  if (heap->policy.cls[cls].magazine)
    {
      hkm_magazine_heartbeat_locked (heap, cls);
      return;
    }
  hkm_heap_count_frees (heap, cls, heap->bin[cls].armed);
  hkm_slot_arm (heap, cls, heap->policy.interval);
}

/* This free interrupts a call that holds the heap: undo it, so that the next one
   counts down to zero again, and keep the block for later.  */
static HKM_NOINLINE void
put_off (hkm_slot *sink)
{
  if (sink->room != 0 || sink->head == 0)
    return; /* the interrupted call was about to change the slab's sink */
  sink->room = 1;
  hkm_free_later (hkm_slot_pop (sink));
}

HKM_COLD void
hkm_retire_slow (hkm_front *front, hkm_slab *slab)
{
  hkm_heap *heap = hkm_heap_of (front);
  unsigned cls = slab->cls;
  if (hkm_lock_interrupts ())
    {
      put_off (slab->sink);
      return;
    }
  hkm_lock_take (&heap->lock);
  hkm_count (&heap->counts, HKM_COUNT_RETIRE, 1);
  /* Before a new policy acts: it may let go of a slab whose sink is a slot.  */
  bool heartbeat = slab->sink == &front->slot[cls];
  hkm_heap_observe_locked (heap);
  if (heartbeat)
    {
      heartbeat_locked (heap, cls);
      if (heap->policy.cls[cls].magazine && heap->bin[cls].cap == 1)
        sink_itself_locked (heap, slab);
    }
  else if (has_ended (slab->own.room))
    {
      /* A stop on its way to being empty is no event for others.  */
      uint32_t home = hkm_slab_home (slab);
      bool stop = slab->state == HKM_SLAB_PARTIAL && home != slab->carved;
      hkm_heap_count_frees (heap, cls, home - told_home (slab));
      hkm_list_remove (&slab->link);
      hkm_slab_settle_locked (heap, slab, home);
      if (!stop)
        audit_locked (heap);
    }
  hkm_heap_tend_locked (heap);
  hkm_heap_honour_trim_locked (heap);
  HKM_WALK (hkm_heap_walk_locked (heap));
  hkm_heap_unlock (heap);
}
