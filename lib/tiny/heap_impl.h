/* A heap from the inside; private to tiny/.

   Call tree of the two crossings:
     hkm_refill_slow                 refill.c   malloc found its slot empty
       collect                       remote.c   blocks other threads freed
       carve / partial / stuck / warm / adopt / acquire
     hkm_retire_slow                 retire.c   a sink counted down to zero
       heartbeat or magazine drain   magazine.c
       settle: FULL -> PARTIAL -> emptied -> warm or released
     hkm_heap_free_remote            remote.c   gather, flush, notify
   Beside them: trim, and slabs of few blocks, give pages back (purge.c).

   Every cold call holds its heap's cold lock, so that fork() and those who look
   after parked heaps find lists whole; the hot path never takes it and touches
   only the front, own.head and own.room of slabs it owns.

   Suffixes: _locked: the caller holds the lock of the heap named.  */
#ifndef HKM_TINY_HEAP_IMPL_H
#define HKM_TINY_HEAP_IMPL_H

#include "base/lock.h"
#include "policy/policy.h"
#include "policy/tick.h"
#include "pool/run_cache.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"
#include "tiny/heap.h"
#include "tiny/hot.h"
#include "tiny/outbound.h"

/* A class of a heap.  */
typedef struct hkm_bin
{
  hkm_slab *current; /* NULL: none yet */
  hkm_link partial;  /* most promising first */
  hkm_link full;
  hkm_link warm;     /* empty slabs kept */
  uint32_t warm_count;
  uint32_t slabs;    /* on all lists, and the current one */
  uint32_t cap;      /* of the magazine now: the policy's, less while the thread
                        only frees, more while blocks come and go */
  uint32_t kept;     /* blocks in the magazine after it was last drained */
  uint32_t armed;    /* frees from the start of the slot's countdown to its end */
  uint16_t lent;     /* bytes of another class's blocks handed out for it */
  bool fetched;      /* since then some came from a slab's own list */
  uint8_t barren;    /* searches in a row that found no full slab of use */
} hkm_bin;

/* What a learner asks of a class: refills so far, and those of them that took a
   slab of the superslabs.  Relaxed, and may wrap.  */
typedef struct hkm_bin_asked
{
  uint32_t refills, acquires;
} hkm_bin_asked;

/* Slabs that wait to be swept: so one whose last blocks go soon is never.  */
enum { HKM_SPARSE = 8 };

/* Who looks after a heap.  */
enum hkm_heap_state
{
  HKM_HEAP_ACTIVE, /* its thread */
  HKM_HEAP_PARKED  /* whoever holds its lock; the shared heap is always so */
};

struct hkm_heap
{
  hkm_front front; /* first: hot, and the slabs' owner field points here */

  HKM_ALIGNED (HKM_CACHE_LINE) hkm_lock lock;
  uint32_t state;  /* enum hkm_heap_state; written under the lock, any reads */
  bool torn;       /* taken over by fork from a thread at work: mend first */
  bool shared;     /* the heap of threads in teardown: never taken over */
  bool timed;      /* the next refill is to be timed; its thread's */
  uint32_t cold_calls;
  uint32_t refills;
  uint32_t audit;  /* cursor over classes */
  uint32_t lender; /* the class that served the last borrowed block */
  uint32_t audited; /* refills at the last audit */
  uint32_t trimmed; /* of hkm_trim_posted: what was honoured; atomic */
  uint32_t sparse_at; /* cursor over SPARSE */
  hkm_slab *sparse[HKM_SPARSE]; /* slabs of few blocks, to be swept soon */
  hkm_outbound *outbound; /* NULL until needed */
  hkm_bin_asked *asked;   /* by class; NULL until somebody learns; release */
  hkm_run_cache runs;
  hkm_policy policy; /* its copy; written under the lock by who acts for the
                        heap, so its thread may read it without */
  hkm_heap *next;      /* of all heaps ever made, oldest first; never changes
                          once set; release */
  hkm_link parked;     /* guarded by the registry lock */
  hkm_bin bin[HKM_CLASSES];
  hkm_counts counts;

  /* Slabs with a remote list, pushed by whoever made the first entry.  */
  HKM_ALIGNED (HKM_CACHE_LINE) hkm_slab *xnotify;
};

/* How much room a slab's own countdown has while nobody may act on it: the
   current slab of a magazine, or a warm one.  */
#define HKM_ROOM_OPEN ((uint32_t) 1 << 30)

HKM_INLINE hkm_heap *
hkm_heap_of (hkm_front *front)
{
  return hkm_container_of (front, hkm_heap, front);
}

HKM_INLINE bool
hkm_front_is_heap (const hkm_front *front)
{
  return front != &hkm_front_none && front != &hkm_front_dead;
}

/* The heap that owns SLAB.  Acquire: pairs with hkm_slab_own.  */
HKM_INLINE hkm_heap *
hkm_slab_owner (const hkm_slab *slab)
{
  hkm_front *front = hkm_load_acquire (&slab->owner);
  return front != NULL ? hkm_heap_of (front) : NULL;
}

HKM_INLINE uint32_t
hkm_slab_home (const hkm_slab *slab) /* not for a page-local current slab */
{
  return slab->mark - slab->own.room;
}

/* Start the countdown of the front slot of CLS at ROOM.  */
HKM_INLINE void
hkm_slot_arm (hkm_heap *heap, unsigned cls, uint32_t room)
{
  heap->bin[cls].armed = room;
  heap->front.slot[cls].room = room;
}

/* Let it end after MOST further frees at the latest.  */
HKM_INLINE void
hkm_slot_shorten (hkm_heap *heap, unsigned cls, uint32_t most)
{
  hkm_slot *slot = &heap->front.slot[cls];
  if (slot->room <= most)
    return;
  heap->bin[cls].armed -= slot->room - most;
  slot->room = most;
}

/* Of a class with so many slabs one is soon worth it in any case: so each may
   wait until more is home, and many are empty before that.  */
enum { HKM_SLABS_MANY = 4, HKM_SLABS_MANY_WAIT = 4 };

/* Blocks at home that make SLAB worth taking blocks from.  */
HKM_INLINE uint32_t
hkm_slab_worth (const hkm_heap *heap, const hkm_slab *slab)
{
  uint32_t worth = slab->capacity / heap->policy.return_fraction;
  uint32_t half = slab->capacity / 2;
  if (heap->bin[slab->cls].slabs >= HKM_SLABS_MANY && worth < half)
    worth = worth * HKM_SLABS_MANY_WAIT < half ? worth * HKM_SLABS_MANY_WAIT
                                               : half;
  return worth != 0 ? worth : 1;
}

/* Fields of the remote word.  */
HKM_INLINE uint32_t hkm_x_head (hkm_xword w) { return w & 0xffff; }
HKM_INLINE uint32_t hkm_x_count (hkm_xword w) { return w >> 16 & 0xffff; }
HKM_INLINE uint32_t hkm_x_home (hkm_xword w) { return w >> 32 & 0xffff; }
HKM_INLINE hkm_xword
hkm_x_make (uint32_t head, uint32_t count, uint32_t home, hkm_xword flags)
{
  return flags | (hkm_xword) home << 32 | (hkm_xword) count << 16 | head;
}
#define HKM_X_FLAGS (~(hkm_xword) 0 << 48)

/* What a slab counts as idle memory while its word W says IDLE: told from the
   word alone, so that what is admitted is what leaves.  */
HKM_INLINE size_t
hkm_x_idle_bytes (const hkm_slab *slab, hkm_xword w)
{
  return (size_t) (hkm_x_count (w) + hkm_x_home (w))
         * hkm_class[slab->cls].size;
}

/* ---- heap.c ---- */

/* If another policy was published: copy it, and give up what it no longer lets
   HEAP keep.  At the start of cold calls, by who acts for HEAP.  */
void hkm_heap_observe_locked (hkm_heap *heap);
/* What each cold call does for others: take home what they freed, and now and
   then send what was gathered for them and look at idle memory.  */
void hkm_heap_tend_locked (hkm_heap *heap);

/* ---- blocks.c: lists of free blocks ---- */

/* Blocks from HEAD on; *tail is the last.  A link that leads outside OF's
   carved blocks (NULL: any slab) was overwritten: reported, and the list is
   cut there.  */
uint32_t hkm_blocks_count (const hkm_slab *of, hkm_block *head,
                           hkm_block **tail);
/* The carved block number INDEX of SLAB.  */
hkm_block *hkm_block_at (const hkm_slab *slab, uint32_t index);
/* Cut up to LIMIT bytes (at least one block) from SLAB, which has uncarved
   blocks, onto SLOT.  */
uint32_t hkm_slab_carve (hkm_slab *slab, hkm_slot *slot, uint32_t limit);
/* The first block of SLAB that starts in PIECE or after it, or its frontier.  */
uint32_t hkm_slab_first_from (const hkm_slab *slab, unsigned piece);
/* The first hole of SLAB, which has one.  */
unsigned hkm_slab_first_hole (const hkm_slab *slab);
/* Let SLAB's limit be what its frontier and holes say.  */
HKM_INLINE void
hkm_slab_set_limit (hkm_slab *slab)
{
  uint32_t n = slab->frontier;
  if (hkm_unlikely (hkm_slab_has_holes (slab)))
    n = hkm_slab_first_from (slab, hkm_slab_first_hole (slab));
  hkm_store_relaxed (&slab->limit, hkm_slab_phase_of (slab, n));
}
/* Walk SLAB's own list and compare (paranoid and debug builds).  */
void hkm_slab_verify (const hkm_slab *slab);

/* ---- retire.c: where a slab belongs ---- */

/* Tell pushers how many blocks of SLAB are home, and whether it is current.
   False: it is being purged, or was, for its idle owner, and must be left
   alone until the notice about it is popped; nothing was published.  */
bool hkm_slab_publish_locked (hkm_slab *slab, uint32_t home, bool current);

/* Make SLAB, in HEAP's hand and on no list, the current one of its bin.  False:
   its pages are being purged; it was left alone.  */
bool hkm_slab_make_current_locked (hkm_heap *heap, hkm_slab *slab);
/* N blocks of CLS were freed by their owner.  */
void hkm_heap_count_frees (hkm_heap *heap, unsigned cls, uint32_t n);
/* The bin's current slab, if any, stops being current.  */
void hkm_bin_retire_current_locked (hkm_heap *heap, unsigned cls);
/* Put SLAB, on no list and not current, with HOME blocks on its own list, where
   it belongs.  */
void hkm_slab_settle_locked (hkm_heap *heap, hkm_slab *slab, uint32_t home);
/* N blocks HEAD..TAIL of SLAB, which HEAP owns, come home.  */
void hkm_slab_give_locked (hkm_heap *heap, hkm_slab *slab, hkm_block *head,
                           hkm_block *tail, uint32_t n);
/* SLAB leaves HEAP; on no list.  */
void hkm_slab_disown (hkm_heap *heap, hkm_slab *slab);
/* HEAP owns SLAB from now on.  */
void hkm_slab_own (hkm_heap *heap, hkm_slab *slab);
/* A warm slab goes to the superslabs.  */
void hkm_bin_drop_warm_locked (hkm_heap *heap, unsigned cls, uint32_t keep);
/* All that the bin holds idle goes home, and to the superslabs.  */
void hkm_bin_strip_locked (hkm_heap *heap, unsigned cls);
size_t hkm_slab_resident (const hkm_slab *slab);

/* ---- magazine.c: the route whose slots hold blocks of many slabs ---- */

/* Move a batch from the current slab's own list to the slot, which is empty; or
   all of it, if that is not much more.  How many blocks that are.  */
uint32_t hkm_magazine_batch_locked (hkm_heap *heap, unsigned cls);
/* Send all but KEEP blocks of the slot home; how many that were.  */
uint32_t hkm_magazine_drain_locked (hkm_heap *heap, unsigned cls, uint32_t keep);

/* The slot's countdown is zero.  */
void hkm_magazine_heartbeat_locked (hkm_heap *heap, unsigned cls);

/* ---- refill.c ---- */

/* A full slab of BIN with some blocks at home, still listed; or NULL.  */
hkm_slab *hkm_bin_stuck_locked (hkm_bin *bin);

/* A block of CLS, whose slot is empty, for SIZE bytes (hkm_heap_take); or
   NULL.  */
void *hkm_heap_refill_locked (hkm_heap *heap, size_t size, unsigned cls,
                              bool *zeroed);

/* ---- remote.c: blocks that change threads ---- */

/* Push HEAD..TAIL, N blocks of SLAB, to its owner.  The caller holds its own
   heap's lock, or the shared heap's.  */
void hkm_slab_push_remote_locked (hkm_heap *heap, hkm_slab *slab,
                                  hkm_block *head, hkm_block *tail,
                                  uint32_t n);
/* Push everything gathered.  */
void hkm_outbound_flush_locked (hkm_heap *heap);
/* This thread gathers nothing more.  */
void hkm_outbound_leave (void);
/* Push what a torn heap's thread had gathered.  */
void hkm_outbound_mend_locked (hkm_heap *heap);
/* Take home what others freed.  */
void hkm_heap_collect_locked (hkm_heap *heap);

/* ---- park.c: heaps without a thread ---- */

/* Let go of HEAP's lock; if the heap is parked and somebody notified it
   meanwhile, look after it.  */
void hkm_heap_unlock (hkm_heap *heap);
/* If HEAP is parked and its lock is free: collect for it.  */
void hkm_heap_service (hkm_heap *heap);
/* A slab of CLS with blocks to give, from some parked heap, now HEAP's; or
   NULL.  */
hkm_slab *hkm_heap_adopt_locked (hkm_heap *heap, unsigned cls);
/* Make a heap that fork tore whole again.  */
void hkm_heap_mend_locked (hkm_heap *heap);

/* ---- purge.c: pages of slabs in use ---- */

/* How many blocks out of SLAB, which has OUT and becomes PARTIAL, are worth the
   next look; 0: none before it is empty.  *sparse: there are so few now that it
   may have pages to give back.  */
uint32_t hkm_slab_stop (const hkm_slab *slab, uint32_t out, bool *sparse);
/* SLAB is PARTIAL and sparse, with OUT blocks out: what its free pages hold is
   idle memory, within the budget, or some slab is swept.  */
void hkm_slab_note_sparse_locked (hkm_heap *heap, hkm_slab *slab,
                                  uint32_t out);
/* SLAB counts as no idle memory: it is to be used, or goes.  */
HKM_INLINE void
hkm_slab_forget_sparse (hkm_slab *slab)
{
  if (hkm_unlikely (slab->sparse != 0))
    hkm_retain_leave_sparse (slab->sparse);
  slab->sparse = 0;
}
/* Give back every page of HEAP's slabs that holds free blocks alone.  */
void hkm_heap_sweep_locked (hkm_heap *heap);

/* Trims of all heaps asked for so far.  A heap at work can't be trimmed by
   others: it does it itself, at the end of its next cold call.  */
extern uint32_t hkm_trim_posted;
void hkm_heap_trim_locked (hkm_heap *heap);
HKM_INLINE void
hkm_heap_honour_trim_locked (hkm_heap *heap)
{
  if (hkm_unlikely (heap->trimmed != hkm_load_relaxed (&hkm_trim_posted)))
    hkm_heap_trim_locked (heap);
}

/* ---- walk.c: debug builds ---- */
void hkm_heap_walk_locked (hkm_heap *heap);

#endif
