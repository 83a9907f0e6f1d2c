/* Descriptors.  A *slab* is a stretch of 64 KiB slots cut into blocks of one
   class; a *run* is a stretch handed out as one block; a *big* block is a
   mapping of its own.  The address map leads to one of these; the first cache
   line is the same for all, because free() reads it before it knows.

   Who writes what: everything is the owner's (the thread whose heap owns the
   slab, under its heap's cold lock except for `own` and the front slot), except
   the fields with an x, which any thread may write.  Free slots belong to
   superslab/ under its lock.  The memory of a descriptor is never anything
   else: a stale pointer to one may be read at any time.

   Invariants of a slab (out: blocks the program has, or that sit in a front
   slot, an outbound chain or the remote list):
     home = blocks on the slab's own list = mark - own.room   (not current,
            page-local; at any time on the magazine route)
     carved = home + out = the blocks before the frontier that start in no hole
     EMPTY  <=> home == carved  => the remote list is empty
     remote list not empty <=> the slab is on exactly one notify stack, or in
            the hand of one thread that is about to put it there or popped it  */
#ifndef HKM_SUPERSLAB_SLAB_H
#define HKM_SUPERSLAB_SLAB_H

#include "base/atomic.h"
#include "base/compiler.h"
#include "base/hint.h"
#include "base/list.h"
#include "base/size_class.h"
#include "map/map.h"

/* Where frees go and mallocs come from: a list of free blocks and a countdown
   of frees until somebody must look.  */
typedef struct hkm_slot
{
  uintptr_t head; /* the first block, masked; 0: empty */
  uint32_t room;
  uint32_t unused;
} hkm_slot;

/* What the hot path sees of a heap.  */
typedef struct hkm_front
{
  hkm_slot slot[HKM_CLASSES];
} hkm_front;

/* A free block.  Its address masked (hkm_block_mask) is its key, which says that
   it is free, and the word that leads to it: another block's link or a slot's
   head.  So free masks once and copies the old head as it is, and the way from
   one free to the next malloc has no arithmetic on it.  malloc clears both
   words: none of them is left for a program to read or to copy.  */
typedef struct hkm_block
{
  uintptr_t link; /* the next block, masked; 0: none */
  uintptr_t key;
} hkm_block;

/* Constant once the first slab exists; odd, so that no block's mask is 0.  */
extern HKM_HIDDEN uintptr_t hkm_secret_key;

HKM_INLINE uintptr_t
hkm_block_key (const void *p) /* a block's */
{
  return hkm_secret_key ^ (uintptr_t) p;
}

HKM_INLINE uintptr_t
hkm_block_mask (const void *p) /* a block or NULL */
{
  return p != NULL ? hkm_block_key (p) : 0;
}

HKM_INLINE hkm_block *
hkm_block_unmask (uintptr_t masked)
{
  return masked != 0 ? (hkm_block *) (masked ^ hkm_secret_key) : NULL;
}

HKM_INLINE hkm_block *
hkm_block_next (const hkm_block *b)
{
  return hkm_block_unmask (b->link);
}

HKM_INLINE hkm_block *
hkm_slot_first (const hkm_slot *slot)
{
  return hkm_block_unmask (slot->head);
}

enum hkm_kind
{
  HKM_KIND_NONE, /* a free slot with no blocks in it */
  HKM_KIND_SLAB,
  HKM_KIND_RUN,
  HKM_KIND_BIG
};

enum hkm_slab_state
{
  HKM_SLAB_CURRENT, /* the class's source of blocks in its heap */
  HKM_SLAB_PARTIAL, /* on its bin's partial list: has blocks to give */
  HKM_SLAB_FULL,    /* on its bin's full list: not worth a look yet */
  HKM_SLAB_WARM,    /* empty, kept by its heap */
  HKM_SLAB_EMPTY    /* free, in the superslab's hand, still carved */
};

/* The remote word: one 64-bit atomic.
     bits  0-15  index + 1 of the first block of the remote list, 0 = empty
     bits 16-31  blocks on it
     bits 32-47  home: blocks on the own list as last published; never more
                 than are there, except in a current slab
     bits 48-    flags  */
typedef uint64_t hkm_xword;
#define HKM_X_CURRENT ((hkm_xword) 1 << 48) /* the owner hands out of it */
#define HKM_X_IDLE ((hkm_xword) 1 << 49)    /* counted as remote-idle memory */
#define HKM_X_PURGING ((hkm_xword) 1 << 50) /* a pusher is dropping its pages */
#define HKM_X_PURGED ((hkm_xword) 1 << 51)  /* it did; the owner gives it up */
#define HKM_X_DEFERRED ((hkm_xword) 1 << 52) /* popped while PURGING: the purger
                                                notifies again */

typedef struct hkm_slab hkm_slab;
struct hkm_slab
{
  /* Line 0: read by every free.  */
  hkm_front *owner; /* NULL: no heap (run, big, free slot); relaxed atomic */
  hkm_slot *sink;   /* where a local free goes; also in the near table */
  uintptr_t base;   /* block 0's address */
  uint64_t reciprocal; /* least odd number over 2^64 / block size */
  uint64_t limit;   /* of hkm_slab_phase; relaxed atomic */
  hkm_slot own;     /* blocks at home, and frees until retire */
  uint32_t carved;  /* blocks there are now; relaxed atomic */
  uint8_t kind;     /* enum hkm_kind; relaxed atomic */
  uint8_t cls;
  uint8_t state;    /* enum hkm_slab_state */
  uint8_t slots;    /* length in slots */

  /* Line 1: the owner's cold fields.  */
  HKM_ALIGNED (HKM_CACHE_LINE) hkm_link link; /* in a list of its heap's bin,
                                                 or of the superslab pool */
  uint32_t capacity; /* blocks when wholly carved */
  uint32_t mark;     /* home when own.room reaches zero */
  struct hkm_superslab *super;
  uint8_t first;     /* its first slot in SUPER */
  bool zeroed;       /* what is not carved yet reads as zero */
  bool queued;       /* it waits to be swept (tiny/purge.c) */
  uint32_t frontier; /* blocks cut one after the other; relaxed atomic */
  uint64_t holes[2]; /* a bit per HKM_HOLE bytes: what starts there is not
                        carved any more, because the pages were purged; relaxed
                        atomic */
  uint32_t sparse;   /* bytes it counts as idle memory while PARTIAL */
  uint32_t swept;    /* blocks out when it was last swept; 0: not yet */

  /* Line 2: written by any thread.  */
  HKM_ALIGNED (HKM_CACHE_LINE) hkm_xword xword;
  hkm_slab *xnext;   /* on a notify stack; by whoever holds the notification */
  struct hkm_block *xtail; /* of the remote list; written likewise */
  uint32_t written;  /* blocks cut before it was cut anew; the owner's, here
                        because line 1 is full */
  hkm_mark site;     /* of a run or a big block that the program has; relaxed
                        atomic */
};

/* Where P is within its block, as a fraction of 2^64, if block 0 starts at
   SLAB's base.  With r the reciprocal, the start of block i has the phase i * e,
   where e = r * size - 2^64 and 0 < e <= 2 * size; a byte n further,
   0 < n < size, adds n * r, which is over 2^64 / size.  As long as i * e stays
   below that, as it does for sizes up to 2^15 and all addresses of 48 bits, one
   comparison tells the starts of the first blocks from all other addresses.
   And since r is odd, what differs from a start in higher bits alone (a pointer
   with a tag) is a multiple of 2^48 away, and refused too.  */
HKM_INLINE uint64_t
hkm_slab_phase (const hkm_slab *slab, const void *p)
{
  return ((uintptr_t) p - slab->base) * slab->reciprocal;
}

/* True if P is the start of a block carved from SLAB.  Any P.  */
HKM_INLINE bool
hkm_slab_holds (const hkm_slab *slab, const void *p)
{
  return hkm_slab_phase (slab, p) < hkm_load_relaxed (&slab->limit);
}

/* The phase of the start of block N of SLAB.  */
HKM_INLINE uint64_t
hkm_slab_phase_of (const hkm_slab *slab, uint32_t n)
{
  return slab->reciprocal * hkm_class[slab->cls].size * n;
}

/* Holes.  A slab of which few blocks are out may have pages that hold nothing
   but free blocks.  When these are purged, the blocks that start in them stop
   being carved, or their zeros would pass for live blocks.  `limit' then ends at
   the first hole, so that the hot path knows nothing of this; live blocks above
   it fail its check, and the cold path asks hkm_slab_has.  */
#define HKM_HOLE ((size_t) 4096) /* no more than an OS page */

/* The piece of SLAB that P lies in.  A slab starts at a slot's start, and its
   block 0 lies within the first pages.  */
HKM_INLINE unsigned
hkm_slab_piece (const hkm_slab *slab, uintptr_t p)
{
  return (unsigned) ((p - (slab->base & ~(HKM_GRANULE - 1))) / HKM_HOLE);
}

HKM_INLINE bool
hkm_slab_is_hole (const hkm_slab *slab, unsigned piece)
{
  return hkm_load_relaxed (&slab->holes[piece / 64]) >> piece % 64 & 1;
}

HKM_INLINE bool
hkm_slab_has_holes (const hkm_slab *slab)
{
  return (hkm_load_relaxed (&slab->holes[0])
          | hkm_load_relaxed (&slab->holes[1])) != 0;
}

/* True if P is the start of a block carved from SLAB, above a hole or not.  Any
   P.  Any thread may ask, without order: of a live block nobody changes the
   answer, because the frontier is beyond it and its piece no hole from before it
   is handed out until it is free.  The limit, which moves over it, is but a
   shorter way to say yes.  */
HKM_INLINE bool
hkm_slab_has (const hkm_slab *slab, const void *p)
{
  uint32_t frontier = hkm_load_relaxed (&slab->frontier);
  return hkm_slab_holds (slab, p)
         || (hkm_slab_phase (slab, p) < hkm_slab_phase_of (slab, frontier)
             && !hkm_slab_is_hole (slab, hkm_slab_piece (slab, (uintptr_t) p)));
}

/* From now on the first N blocks of SLAB, and no others, are carved.  */
HKM_INLINE void
hkm_slab_set_carved (hkm_slab *slab, uint32_t n)
{
  hkm_store_relaxed (&slab->carved, n);
  hkm_store_relaxed (&slab->frontier, n);
  hkm_store_relaxed (&slab->holes[0], 0);
  hkm_store_relaxed (&slab->holes[1], 0);
  hkm_store_relaxed (&slab->limit, hkm_slab_phase_of (slab, n));
}

/* The number of the block of SLAB that starts at P (hkm_slab_holds).  */
HKM_INLINE uint32_t
hkm_slab_index (const hkm_slab *slab, const void *p)
{
  return (uint32_t) (((uintptr_t) p - slab->base) / hkm_class[slab->cls].size);
}

#endif
