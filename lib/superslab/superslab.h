/* Superslabs: 2 MiB regions of 32 slots, shared by all classes and threads.
   Hands out slabs and runs (stretches of slots), takes them back, and decides
   what idle memory is given to the OS.  Knows no heap and no thread.

   All functions take the locks they need (HKM_RANK_PURGE, HKM_RANK_SUPERSLAB)
   themselves.  */
#ifndef HKM_SUPERSLAB_SUPERSLAB_H
#define HKM_SUPERSLAB_SUPERSLAB_H

#include "stats/stats.h"
#include "superslab/slab.h"

#define HKM_SUPERSLAB_SIZE ((size_t) 2 << 20)
#define HKM_SUPERSLAB_SLOTS 32

/* A slab for class CLS: formatted, owner NULL, remote word zero, `own` holding
   whatever is already carved.  NULL: no memory, or a dynamic class that is
   closed (policy/dyn.h).  */
hkm_slab *hkm_slab_acquire (unsigned cls);
/* Take back SLAB, whose blocks are all home and whose owner is NULL.  */
void hkm_slab_release (hkm_slab *slab);
/* As release, for a slab whose pages were purged: it becomes unused slots.  */
void hkm_slab_release_purged (hkm_slab *slab);

/* Pages of SLAB, which is in use, are about to be purged.  */
void hkm_slab_parts_go (hkm_slab *slab);

/* A run of SLOTS slots (1..32), registered in the address map; *zeroed says
   whether it reads as zero.  NULL: no memory.  */
hkm_slab *hkm_run_acquire (unsigned slots, bool *zeroed);
void hkm_run_release (hkm_slab *run);
/* As release, its memory goes to the OS at once (but with HAKMEM_THP=always, where
   superslabs give back all or nothing).  */
void hkm_run_return (hkm_slab *run);
/* As release, for several in a row: the caller sees to the budget of idle memory
   after the last one (hkm_superslab_reclaim).  */
void hkm_run_drop (hkm_slab *run);
/* Make RUN SLOTS long where it lies.  Shrinking always works; growing needs
   free neighbours.  False: unchanged.  */
bool hkm_run_resize (hkm_slab *run, unsigned slots);

void *hkm_slab_address (const hkm_slab *slab); /* of its first slot */

/* Map N superslabs ahead.  */
void hkm_superslab_prewarm (unsigned n);
/* Give every idle page and every empty superslab back to the OS, free runs that
   threads keep among them.  Bytes.  */
size_t hkm_superslab_trim (void);
/* If idle memory is over its budget, give idle slots back until it fits.  */
void hkm_superslab_reclaim (void);
/* Now and then, by who holds no lock of HKM_RANK_BIG or above: that, and what
   was idle for long enough goes, and regret that is of no use.  */
void hkm_superslab_tend (void);
/* Facts for reports.  sparse: superslabs of which some slots, but less than a
   quarter, are part of slabs or runs.  */
typedef struct hkm_superslab_facts
{
  uint64_t superslabs, lru, sparse, empty_bytes;
} hkm_superslab_facts;
void hkm_superslab_facts_get (hkm_superslab_facts *facts, hkm_counts *counts);
void hkm_superslab_fork_prepare (void);
void hkm_superslab_fork_done (void);

#endif
