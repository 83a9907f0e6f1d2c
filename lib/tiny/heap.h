/* Thread heaps, as the rest of the library sees them.  The hot path is in
   tiny/hot.h; the two crossings below are its only ways out.  */
#ifndef HKM_TINY_HEAP_H
#define HKM_TINY_HEAP_H

#include "pool/run_cache.h"
#include "stats/stats.h"
#include "superslab/slab.h"

typedef struct hkm_heap hkm_heap;

/* Crossing 1: FRONT has no block for SIZE bytes (at most HKM_MID_MAX).  Returns
   a block, or NULL with errno ENOMEM.  SIZE comes first because malloc has it
   there.  */
HKM_HIDDEN void *hkm_refill_slow (size_t size, hkm_front *front);
/* Crossing 2: a free into SLAB counted its sink down to zero.  */
HKM_HIDDEN void hkm_retire_slow (hkm_front *front, hkm_slab *slab);
/* Where crossing 1 goes for a thread without a heap of its own (before its
   first call, after its teardown), when there is no memory, and when it
   interrupts a call that holds the heap; api/ implements it.  */
void *hkm_refill_further (size_t size);
/* Where crossing 2 and full chains of remote frees go with a block then.  */
void hkm_free_later (void *p);

/* A block of class CLS for SIZE bytes from HEAP: this thread's, or the shared
   one.  *zeroed: it reads as zero but for its first two words.  NULL: no memory;
   errno is not touched.  The block may be of another class: a larger one that has
   one at hand, or a static one if CLS is dynamic and changed since it was looked
   up.  With SIZE 0 it is of CLS, which is static.  */
void *hkm_heap_take (hkm_heap *heap, size_t size, unsigned cls, bool *zeroed);
/* Free P, which lies in SLAB (kind SLAB) but could not be freed by the hot
   path: another heap's block, or a bad pointer.  WHO for the message.  */
void hkm_heap_free_remote (hkm_slab *slab, void *p, const char *who);
/* True if P is a live block of SLAB as far as can be told.  */
bool hkm_heap_block_live (const hkm_slab *slab, const void *p);
/* Say what is wrong with P, a pointer into SLAB (kind SLAB or NONE).  */
void hkm_heap_fault (const hkm_slab *slab, const void *p, const char *who);

/* This thread's heap if it has one, else NULL (hkm_thread_heap makes one).  */
hkm_heap *hkm_heap_mine (void);
hkm_run_cache *hkm_heap_run_cache (hkm_heap *heap);
hkm_counts *hkm_heap_counts (hkm_heap *heap);

/* A heap for this thread: a parked one, or new.  NULL: no memory.  */
hkm_heap *hkm_heap_enter (void);
/* This thread ends: park HEAP for another.  */
void hkm_heap_leave (hkm_heap *heap);
/* Does some thread have a heap?  */
bool hkm_heap_any_active (void);
/* The heap of threads in teardown; it has no thread of its own.  NULL: no
   memory.  */
hkm_heap *hkm_heap_shared (void);
hkm_front *hkm_heap_front (hkm_heap *heap);

/* Fork: hold every heap, and in parent or child let them go.  In the child
   every heap but MINE (may be NULL) belongs to nobody and may be torn.  */
void hkm_heap_fork_prepare (void);
void hkm_heap_fork_parent (void);
void hkm_heap_fork_child (hkm_heap *mine);

/* Give back what this thread's heap and the parked ones hold idle.  */
void hkm_heap_trim (void);
/* Let this thread's heap and the parked ones, which nobody else may act for in
   a long time, act by the policy just published.  */
void hkm_heap_observe_all (void);
/* Every heap's counters, added up, and by class the refills so far and those of
   them that took a slab of the superslabs, which wrap.  No lock: of threads at
   work it is as of some moment just now, not of one for all.  How many heaps.  */
uint32_t hkm_heap_counts_all (hkm_counts *counts, uint32_t refills[HKM_CLASSES],
                              uint32_t acquires[HKM_CLASSES]);
/* Add every heap's counters and slabs to REPORT and LINE (HKM_CLASSES). */
void hkm_heap_facts (hkm_report *report, hkm_class_line *line);

#endif
