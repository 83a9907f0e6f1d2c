/* Blocks that change threads.  The freeing thread gathers them by slab, so that
   one atomic moves many; the owner takes a slab's list whole at its next cold
   call.  NOTIFIED needs no bit of its own: a slab is on a notify stack exactly
   while its remote list is not empty, because the push that fills the list puts
   it there and only the pop that removes it empties the list.  So a slab with
   a pusher stalled between the two can't be emptied, released or reformatted:
   the block being pushed still counts as out.  It may change owners, and then
   whoever pops it passes it on.  */
#include "opts/fail.h"
#include "os/arena.h"
#include "os/os.h"
#include "superslab/retain.h"
#include "tiny/heap_impl.h"

#include <errno.h>

/* ---- the pushing side ---- */

/* Put SLAB, whose remote list this thread made non-empty or whose notification
   it holds, on its owner's stack.  */
static void
notify (hkm_slab *slab)
{
  hkm_heap *owner = hkm_slab_owner (slab);
  hkm_slab *top = hkm_load_relaxed (&owner->xnotify);
  do
    slab->xnext = top;
  /* Sequentially consistent, as the load of the state after it: either we see
     the heap parked, or the thread parking it sees our push.  Releases xnext to
     the exchange in collect.  */
  while (!hkm_cas_seq_cst (&owner->xnotify, &top, slab));
  if (hkm_load_seq_cst (&owner->state) == HKM_HEAP_PARKED)
    hkm_heap_service (owner);
}

/* True if word W of SLAB says that every block is free.  */
static bool
all_free (const hkm_slab *slab, hkm_xword w)
{
  return !(w & (HKM_X_CURRENT | HKM_X_PURGING | HKM_X_PURGED))
         && hkm_x_count (w) > 0
         && hkm_x_count (w) + hkm_x_home (w)
                == hkm_load_relaxed (&slab->carved);
}

/* SLAB's owner is idle and idle memory is over its budget: drop its pages on
   the owner's behalf.  While PURGING stands the owner leaves the slab alone;
   PURGED tells it to give the slab up.  */
static void
purge_for_owner (hkm_heap *heap, hkm_slab *slab)
{
  hkm_xword w = hkm_load_acquire (&slab->xword);
  do
    if (!all_free (slab, w))
      return;
  while (!hkm_cas_acq_rel (&slab->xword, &w,
                           (w & ~HKM_X_IDLE) | HKM_X_PURGING));
  uint32_t carved = hkm_load_relaxed (&slab->carved);
  uint32_t frontier = hkm_load_relaxed (&slab->frontier);
  size_t bytes = hkm_x_idle_bytes (slab, w);
  hkm_xword flag = 0;
  if (w & HKM_X_IDLE) /* given back, or (refused) not worth another try */
    hkm_retain_leave_remote (bytes);
  /* Now that the slab is held still, look again: the word may be that of
     before while more was carved between.  Then make every address of it
     invalid: the zeros to come carry no keys.  */
  bool still = hkm_x_count (w) + hkm_x_home (w) == carved;
  if (still)
    {
      hkm_store_relaxed (&slab->carved, 0);
      hkm_store_relaxed (&slab->frontier, 0);
      hkm_store_relaxed (&slab->limit, 0);
      hkm_slab_parts_go (slab);
    }
  if (still
      && hkm_os_purge (hkm_slab_address (slab), slab->slots * HKM_GRANULE))
    {
      flag = HKM_X_PURGED;
      hkm_retain_purged (bytes);
      if (heap != NULL)
        hkm_count (&heap->counts, HKM_COUNT_REMOTE_PURGE, 1);
    }
  else if (still)
    {
      hkm_store_relaxed (&slab->carved, carved);
      hkm_store_relaxed (&slab->frontier, frontier);
      hkm_slab_set_limit (slab);
    }
  w = hkm_load_relaxed (&slab->xword);
  /* Release: the owner that sees the flag sees `carved`.  */
  while (!hkm_cas_acq_rel (
      &slab->xword, &w, (w & ~(HKM_X_PURGING | HKM_X_DEFERRED)) | flag))
    ;
  if (w & HKM_X_DEFERRED) /* it was popped meanwhile; the notice is ours */
    notify (slab);
}

void
hkm_slab_push_remote_locked (hkm_heap *heap, hkm_slab *slab, hkm_block *head,
                             hkm_block *tail, uint32_t n)
{
  uint32_t index = hkm_slab_index (slab, head) + 1;
  hkm_xword w = hkm_load_relaxed (&slab->xword), next;
  size_t was_idle, idle;
  do
    {
      uint32_t old = hkm_x_head (w);
      tail->link = old != 0 ? hkm_block_key (hkm_block_at (slab, old - 1)) : 0;
      next = hkm_x_make (index, hkm_x_count (w) + n, hkm_x_home (w),
                         w & HKM_X_FLAGS & ~HKM_X_IDLE);
      if (all_free (slab, next))
        next |= HKM_X_IDLE;
      /* Told while our block still holds the slab in place.  Idle before: the
         count of carved blocks was stale when that was said.  */
      was_idle = w & HKM_X_IDLE ? hkm_x_idle_bytes (slab, w) : 0;
      idle = next & HKM_X_IDLE ? hkm_x_idle_bytes (slab, next) : 0;
    }
  /* Releases the blocks' links to the owner's exchange; acquires a home count
     the owner published, should we purge.  */
  while (!hkm_cas_acq_rel (&slab->xword, &w, next));
  bool first = hkm_x_count (w) == 0;
  if (first)
    slab->xtail = tail;
  if (was_idle != 0)
    hkm_retain_leave_remote (was_idle);
  bool over = idle != 0 && !hkm_retain_admit_remote (idle);
  if (heap != NULL)
    {
      hkm_count (&heap->counts, HKM_COUNT_REMOTE_PUSH, 1);
      if (first)
        hkm_count (&heap->counts, HKM_COUNT_REMOTE_NOTIFY, 1);
    }
  if (first)
    notify (slab);
  if (over)
    purge_for_owner (heap, slab);
}

/* ---- gathering ---- */

__thread hkm_outbound *hkm_thread_outbound
    __attribute__ ((tls_model ("initial-exec")));

static void
chain_push_locked (hkm_heap *heap, hkm_chain *chain)
{
  hkm_slab *slab = chain->slab;
  hkm_block *head = hkm_block_unmask (chain->head);
  uint32_t n = chain->most - chain->room;
  chain->head = 0;
  chain->slab = NULL;
  heap->outbound->room += (int32_t) (n * chain->size);
  hkm_count (&heap->counts, HKM_COUNT_REMOTE_FREE, n);
  hkm_slab_push_remote_locked (heap, slab, head, chain->tail, n);
}

/* Push chains, in turn, until there is room for BYTES.  */
static void
make_room_locked (hkm_heap *heap, int32_t bytes)
{
  hkm_outbound *out = heap->outbound;
  for (int i = 0; i < HKM_OUTBOUND_ENTRIES && out->room < bytes; i++)
    {
      hkm_chain *chain = &out->chain[out->cursor++ % HKM_OUTBOUND_ENTRIES];
      if (chain->slab != NULL)
        chain_push_locked (heap, chain);
    }
}

void
hkm_outbound_flush_locked (hkm_heap *heap)
{
  if (heap->outbound != NULL)
    make_room_locked (heap, HKM_OUTBOUND_BYTES);
}

void
hkm_outbound_leave (void)
{
  hkm_thread_outbound = NULL;
}

void
hkm_outbound_mend_locked (hkm_heap *heap)
{
  hkm_outbound *out = heap->outbound;
  if (out == NULL)
    return;
  for (unsigned i = 0; i < HKM_OUTBOUND_ENTRIES; i++)
    {
      hkm_chain *chain = &out->chain[i];
      hkm_slab *slab = chain->slab;
      hkm_block *head = hkm_block_unmask (chain->head), *tail;
      chain->head = 0;
      chain->slab = NULL;
      uint32_t n = hkm_blocks_count (slab, head, &tail);
      if (n > 0)
        hkm_slab_push_remote_locked (heap, slab, head, tail, n);
    }
  out->room = HKM_OUTBOUND_BYTES;
}

/* The table of this thread, whose heap is HEAP; NULL: no memory.  */
static hkm_outbound *
outbound_of (hkm_heap *heap)
{
  if (heap->outbound == NULL)
    {
      heap->outbound = hkm_arena_alloc (sizeof (hkm_outbound), HKM_CACHE_LINE);
      if (heap->outbound == NULL)
        return NULL;
      heap->outbound->room = HKM_OUTBOUND_BYTES;
    }
  return hkm_thread_outbound = heap->outbound;
}

/* The free that filled CHAIN interrupts a call that holds the heap: undo it, and
   keep the block for later.  */
static HKM_NOINLINE void
put_off (hkm_chain *chain)
{
  hkm_block *block = hkm_block_unmask (chain->head);
  chain->room = 1;
  hkm_thread_outbound->room += chain->size;
  chain->head = block->link;
  if (chain->head == 0)
    chain->slab = NULL;
  block->link = block->key = 0;
  hkm_free_later (block);
}

/* Of all together a quarter goes, in turn: chains get nearly twice as long as
   if all went at once, and none is forgotten.  */
HKM_COLD void
hkm_outbound_full (hkm_chain *chain)
{
  hkm_heap *heap = hkm_heap_mine ();
  int saved = errno;
  if (hkm_lock_interrupts ())
    {
      if (chain->room == 0)
        put_off (chain);
      return;
    }
  hkm_lock_take (&heap->lock);
  hkm_heap_observe_locked (heap);
  if (chain->room == 0)
    chain_push_locked (heap, chain);
  if (heap->outbound->room < 0)
    make_room_locked (heap, HKM_OUTBOUND_BYTES / 4);
  /* For a thread that only frees this is the only tick.  */
  hkm_heap_collect_locked (heap);
  hkm_heap_honour_trim_locked (heap);
  hkm_heap_unlock (heap);
  errno = saved;
}

/* Begin CHAIN, which is free, with room for blocks of SLAB: no more than half
   of those still out.  If this thread frees them all, every chain gets full,
   the last ones with one block: so none stays here and keeps a slab that is
   free but for it.  A fork child that adopts the table looks at chains with a
   head only; what is stored here is there before that.  */
static void
chain_begin (const hkm_heap *heap, hkm_chain *chain, hkm_slab *slab,
             hkm_block *first)
{
  hkm_xword w = hkm_load_relaxed (&slab->xword);
  uint32_t most = heap->policy.cls[slab->cls].remote;
  uint32_t carved = hkm_load_relaxed (&slab->carved);
  uint32_t in = hkm_x_count (w) + hkm_x_home (w);
  uint32_t half = carved > in ? (carved - in + 1) / 2 : 1;
  chain->tail = first;
  chain->size = (uint16_t) hkm_class[slab->cls].size;
  chain->room = chain->most = (uint16_t) (most < half ? most : half);
  chain->slab = slab;
}

/* Push P by itself; HEAP is this thread's, or the shared one if there is.  */
static void
push_one (hkm_heap *heap, hkm_slab *slab, hkm_block *p)
{
  p->key = hkm_block_key (p);
  p->link = 0;
  if (heap == NULL)
    {
      hkm_slab_push_remote_locked (NULL, slab, p, p, 1);
      return;
    }
  hkm_lock_take (&heap->lock);
  hkm_count (&heap->counts, HKM_COUNT_REMOTE_FREE, 1);
  hkm_slab_push_remote_locked (heap, slab, p, p, 1);
  hkm_heap_unlock (heap);
}

/* Gather P, a live block of SLAB.  */
static void
gather (hkm_heap *heap, hkm_slab *slab, hkm_block *p)
{
  hkm_outbound *out = outbound_of (heap);
  if (out == NULL)
    {
      push_one (heap, slab, p);
      return;
    }
  hkm_chain *chain = hkm_chain_for (out, slab);
  if (chain->slab != NULL && chain->slab != slab)
    {
      hkm_lock_take (&heap->lock);
      chain_push_locked (heap, chain);
      hkm_heap_unlock (heap);
    }
  if (chain->slab == NULL)
    chain_begin (heap, chain, slab, p);
  hkm_chain_add (out, chain, p, hkm_block_key (p));
}

void
hkm_heap_fault (const hkm_slab *slab, const void *p, const char *who)
{
  unsigned group = hkm_class[slab->cls].group;
  bool block = hkm_slab_has (slab, p);
  hkm_fail (block && ((const hkm_block *) p)->key == hkm_block_key (p)
                ? HKM_FAULT_DOUBLE_FREE
                : HKM_FAULT_INVALID,
            who, p, block ? hkm_class[slab->cls].size : 0,
            block && group < HKM_GROUP_MID ? (int) group : -1);
}

bool
hkm_heap_block_live (const hkm_slab *slab, const void *p)
{
  return hkm_load_relaxed (&slab->owner) != NULL && hkm_slab_has (slab, p)
         && ((const hkm_block *) p)->key != hkm_block_key (p);
}

void
hkm_heap_free_remote (hkm_slab *slab, void *p, const char *who)
{
  if (!hkm_heap_block_live (slab, p))
    {
      hkm_heap_fault (slab, p, who);
      return;
    }
  hkm_heap *heap = hkm_heap_mine ();
  if (heap != NULL)
    gather (heap, slab, p);
  else /* a thread in teardown: nobody would push what it gathers */
    push_one (hkm_heap_shared (), slab, p);
}

/* ---- the owner's side ---- */

/* SLAB was purged for us: it has no block left; give it up.  */
static void
give_up_purged_locked (hkm_heap *heap, hkm_slab *slab)
{
  hkm_list_remove (&slab->link);
  hkm_slab_forget_sparse (slab);
  hkm_store_relaxed (&slab->xword, 0);
  hkm_slab_disown (heap, slab);
  hkm_count (&heap->counts, HKM_COUNT_SLAB_RELEASED, 1);
  hkm_slab_release_purged (slab);
}

static void
absorb_locked (hkm_heap *heap, hkm_slab *slab)
{
  hkm_xword w = hkm_load_acquire (&slab->xword), next;
  /* Before the list is taken: the next push to an empty one writes it.  */
  hkm_block *tail = slab->xtail;
  do
    {
      /* While it is being purged it is not ours to touch: whoever purges it
         notifies anew.  Else the home count stays until the blocks are home: if
         it went ahead of them, a pusher of the last block out would find all
         free and purge the slab under our hands.  */
      next = w & HKM_X_PURGING
                 ? w | HKM_X_DEFERRED
                 : hkm_x_make (0, 0, hkm_x_home (w), w & HKM_X_CURRENT);
    }
  /* Acquires the chain's links.  */
  while (!hkm_cas_acq_rel (&slab->xword, &w, next));
  if (w & HKM_X_PURGING)
    return;
  if (w & HKM_X_PURGED)
    {
      give_up_purged_locked (heap, slab);
      return;
    }
  if (w & HKM_X_IDLE)
    hkm_retain_leave_remote (hkm_x_idle_bytes (slab, w));
  hkm_block *head = hkm_block_at (slab, hkm_x_head (w) - 1);
  uint32_t n = hkm_x_count (w);
  /* Counting would wait for every block to come from the cache of the CPU it
     was freed on, one after the other.  So the links are looked at only if that
     was asked for, as those of blocks freed here.  */
  if (hkm_unlikely (heap->policy.reuse_guard))
    n = hkm_blocks_count (slab, head, &tail);
  hkm_count (&heap->counts, HKM_COUNT_REMOTE_COLLECT, n);
  /* It may be released by giving, unless it just has less room then.  */
  bool stays = slab->state != HKM_SLAB_CURRENT && n < slab->own.room;
  hkm_slab_give_locked (heap, slab, head, tail, n);
  if (stays)
    hkm_slab_publish_locked (slab, hkm_slab_home (slab), false);
}

void
hkm_heap_collect_locked (hkm_heap *heap)
{
  if (hkm_load_relaxed (&heap->xnotify) == NULL)
    return;
  /* Acquire: pairs with the push in notify.  */
  hkm_slab *slab = hkm_exchange_acq_rel (&heap->xnotify, NULL);
  while (slab != NULL)
    {
      hkm_slab *next = slab->xnext;
      if (hkm_slab_owner (slab) == heap)
        absorb_locked (heap, slab);
      else
        notify (slab); /* adopted meanwhile: pass it on */
      slab = next;
    }
}
