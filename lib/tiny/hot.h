/* All the hot path needs: the thread's front, a pop and a push.  Outside
   tiny/ and thread/ it is for api/malloc.c, api/free.c and those entry points
   that begin as these do.  */
#ifndef HKM_TINY_HOT_H
#define HKM_TINY_HOT_H

#include "superslab/slab.h"

/* This thread's front: that of its heap; hkm_front_none before its first call;
   hkm_front_dead after its teardown.  The last two are constant and empty, so
   that nothing needs to be tested before a pop.  */
extern __thread HKM_HIDDEN hkm_front *hkm_thread_front
    __attribute__ ((tls_model ("initial-exec")));
extern HKM_HIDDEN const hkm_front hkm_front_none, hkm_front_dead;

/* Where the head of the slot is that starts AT half slots into FRONT: malloc's
   way, with what hkm_slot_of says and no address computed.  */
HKM_INLINE uintptr_t *
hkm_front_head (hkm_front *front, size_t at)
{
  _Static_assert (sizeof (hkm_slot) == 16 || sizeof (void *) == 4,
                  "hkm_slot_of counts half slots");
  _Static_assert (offsetof (hkm_slot, head) == 0, "a slot starts with its head");
  return (uintptr_t *) ((uintptr_t) front + at * (sizeof (hkm_slot) / 2));
}

/* The slot that serves SIZE bytes (at most HKM_MID_MAX).  */
HKM_INLINE hkm_slot *
hkm_front_slot (hkm_front *front, size_t size)
{
  size_t at = hkm_load_relaxed (&hkm_slot_of[(size + 15) / 16]);
  return (hkm_slot *) hkm_front_head (front, at);
}

/* Take the block that HEAD, which is not 0, leads to.  */
HKM_INLINE void *
hkm_head_pop (uintptr_t *head, uintptr_t masked)
{
  hkm_block *block = (hkm_block *) (masked ^ hkm_secret_key);
  *head = block->link;
  /* Two stores, not a vector's: the program's own and the check in free read
     single words of it at once.  */
  block->link = 0;
  __atomic_signal_fence (__ATOMIC_RELEASE);
  block->key = 0;
  return block;
}

/* The block at the head of SLOT, which is not empty.  */
HKM_INLINE void *
hkm_slot_pop (hkm_slot *slot)
{
  return hkm_head_pop (&slot->head, slot->head);
}

/* Put P, whose key is KEY, on SLOT; true if the countdown reached zero.  The
   order of the stores (link, key, head, room) is what a fork child relies on. */
HKM_INLINE bool
hkm_slot_push (hkm_slot *slot, void *p, uintptr_t key)
{
  hkm_block *block = p;
  block->link = slot->head;
  __atomic_signal_fence (__ATOMIC_RELEASE);
  block->key = key;
  __atomic_signal_fence (__ATOMIC_RELEASE);
  slot->head = key;
  return --slot->room == 0;
}

#ifdef HKM_WITH_POINTER_CHECK
/* `limit` is read as the owner's own: the only other writer is who purges a
   slab of which every block is free (tiny/remote.c), ordered by the remote
   word before and after.  */
#define HKM_HOT_HOLDS(slab, p) (hkm_slab_phase ((slab), (p)) < (slab)->limit)
#else
#define HKM_HOT_HOLDS(slab, p) ((uintptr_t) (p) - (slab)->base <= UINT32_MAX)
#endif

/* True if P is the start of a live block of SLAB, whose owner is this thread:
   then freeing it is a push of P with *KEY on the slab's sink.  */
HKM_INLINE bool
hkm_slab_frees (const hkm_slab *slab, const void *p, uintptr_t *key)
{
  *key = hkm_block_key (p);
  return HKM_HOT_HOLDS (slab, p) && ((const hkm_block *) p)->key != *key;
}

/* The slab of P and its sink, if P is a live block of this thread's own; NULL: it
   is anything else.  As free asks, for those that then do not free.  */
HKM_INLINE hkm_slab *
hkm_own_slab (const void *p, hkm_slot **sink)
{
  uintptr_t key;
  hkm_slab *slab = hkm_map_find_near (p, sink);
  return hkm_load_relaxed (&slab->owner) == hkm_thread_front
             && hkm_slab_frees (slab, p, &key)
           ? slab : NULL;
}

#endif
