/* Blocks of other threads, gathered by slab on their way home, so that one
   atomic moves many.  Adding to a chain that was begun is all that most of them
   cost here: api/elsewhere.c does it without a call.  Everything else is in
   tiny/remote.c.  */
#ifndef HKM_TINY_OUTBOUND_H
#define HKM_TINY_OUTBOUND_H

#include "superslab/slab.h"

/* Blocks of one slab on their way home.  Link order: HEAD is the last
   gathered, TAIL the first.  */
typedef struct hkm_chain
{
  hkm_slab *slab;  /* NULL: the entry is free */
  uintptr_t head;  /* masked */
  hkm_block *tail;
  uint32_t room;   /* blocks until it is pushed */
  uint16_t most;   /* room at the start */
  uint16_t size;   /* of a block */
} hkm_chain;

/* Chains a thread has, and how much waits in all of them together.  */
enum { HKM_OUTBOUND_ENTRIES = 128, HKM_OUTBOUND_BYTES = 131072 };

/* What a thread gathered: a direct-mapped table.  Only its thread touches it;
   what is pushed leaves it under the heap's lock.  room and what the chains
   hold add up to HKM_OUTBOUND_BYTES.  */
typedef struct hkm_outbound
{
  hkm_chain chain[HKM_OUTBOUND_ENTRIES];
  int32_t room;    /* bytes until some are pushed */
  uint32_t cursor; /* the next chain to go when room runs out */
} hkm_outbound;

/* This thread's, that of its heap; NULL before it gathers and after its
   teardown.  */
extern __thread HKM_HIDDEN hkm_outbound *hkm_thread_outbound
    __attribute__ ((tls_model ("initial-exec")));

/* CHAIN, or all together, ran out of room.  errno is kept.  */
HKM_HIDDEN void hkm_outbound_full (hkm_chain *chain);

/* Where blocks of SLAB are gathered.  Descriptors are made one after the other,
   an odd number of lines each, so that no two neighbours meet here.  */
HKM_INLINE hkm_chain *
hkm_chain_for (hkm_outbound *out, const hkm_slab *slab)
{
  _Static_assert (sizeof (hkm_slab) % (2 * HKM_CACHE_LINE) == HKM_CACHE_LINE,
                  "neighbours go to different entries");
  return &out->chain[(uintptr_t) slab / HKM_CACHE_LINE % HKM_OUTBOUND_ENTRIES];
}

/* Add B, whose key is KEY, to CHAIN.  The order of the stores (link before
   head) is what a fork child relies on.  */
HKM_INLINE void
hkm_chain_add (hkm_outbound *out, hkm_chain *chain, hkm_block *b, uintptr_t key)
{
  b->link = chain->head;
  __atomic_signal_fence (__ATOMIC_RELEASE);
  b->key = key;
  __atomic_signal_fence (__ATOMIC_RELEASE);
  chain->head = key;
  out->room -= chain->size;
  if (hkm_unlikely (--chain->room == 0) || hkm_unlikely (out->room < 0))
    hkm_outbound_full (chain);
}

/* Free P, if it is a live block of SLAB, which is what the near table has for it,
   and there is a chain.  P: what the hot path did not free.  So if the slab
   became this thread's own after the chain was begun, P is no live block, or one
   above a hole, which fails the check here as well.  */
HKM_INLINE bool
hkm_outbound_free (hkm_slab *slab, void *p)
{
  hkm_outbound *out = hkm_thread_outbound;
  if (hkm_unlikely (out == NULL))
    return false;
  hkm_chain *chain = hkm_chain_for (out, slab);
  uintptr_t key = hkm_block_key (p);
  if (chain->slab != slab || !hkm_slab_holds (slab, p)
      || ((hkm_block *) p)->key == key)
    return false;
  hkm_chain_add (out, chain, p, key);
  return true;
}

#endif
