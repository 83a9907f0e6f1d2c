/* L2 big: blocks above 1 MiB (or aligned beyond what runs give), each a mapping
   of its own at a multiple of 64 KiB, or a piece of one; a cache of freed ones
   with a byte budget (big/cache.h); growth by moving pages.  Only a block's first
   granule is registered.  Thread-safe (HKM_RANK_BIG).  */
#ifndef HKM_BIG_BIG_H
#define HKM_BIG_BIG_H

#include "stats/stats.h"
#include "superslab/slab.h"

/* SIZE bytes aligned to ALIGN (a power of two), by the hints of MARK; beyond the
   first *dirty they read as zero.  NULL: no memory, errno is not touched.  */
void *hkm_big_alloc (size_t size, size_t align, hkm_mark mark, size_t *dirty);
/* Free the block at P, which hkm_map_find led to SLAB for; WHO is the entry
   point for the message if P isn't right.  */
void hkm_big_free (hkm_slab *slab, void *p, const char *who);
/* True if P, which the map does not know, may be where a block began that was
   freed: its mapping is part of a cached one.  It searches, if P is a multiple of
   the granule.  */
bool hkm_big_was_freed (const void *p);
/* The block at P with SIZE bytes (above 1 MiB), moved or not; NULL: no memory,
   the block is unchanged.  */
void *hkm_big_realloc (hkm_slab *slab, void *p, size_t size);
/* Usable bytes of the block at P; 0 if P is not its start or it is free.  */
size_t hkm_big_usable (const hkm_slab *slab, const void *p);
/* Empty the cache; bytes given back.  */
size_t hkm_big_trim (void);
typedef struct hkm_big_facts
{
  uint64_t count, bytes;   /* of blocks the program has */
  uint64_t mapped_bytes;   /* of all mappings */
  uint64_t cached_bytes;   /* of these, of the cached ones */
  uint64_t idle_bytes;     /* counted as idle memory */
  uint64_t kept_bytes;     /* resident though free, and not counted */
} hkm_big_facts;
void hkm_big_facts_get (hkm_big_facts *facts, hkm_counts *counts);
void hkm_big_init (void);
void hkm_big_fork_prepare (void);
void hkm_big_fork_done (void);

#endif
