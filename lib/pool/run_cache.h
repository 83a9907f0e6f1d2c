/* Free runs that wait for their next user: each thread's cache, and behind it a
   pool all threads share (pool/run_shared.c).  A run is cached under its exact
   length; lengths that lie between two powers of two form a class (64, 128,
   256, 512 KiB, 1 MiB), which has a cap.  What is cached counts as idle
   memory.

   A cache's lists belong to whoever exchanged them for NULL: to its thread for
   the length of a call, and to anybody who must give memory back.  Nobody but
   its thread puts one there.  Knows no heap.  */
#ifndef HKM_POOL_RUN_CACHE_H
#define HKM_POOL_RUN_CACHE_H

#include "policy/policy.h"
#include "stats/stats.h"
#include "superslab/slab.h"

enum
{
  HKM_RUN_LONGEST = 16 /* slots; what is longer is a big block */
};

/* A list of free runs of one length, linked by xnext.  NULL: none.  */
typedef hkm_slab hkm_run_list;

typedef struct hkm_run_cache
{
  hkm_run_list *xlist[HKM_RUN_LONGEST]; /* by length, from 1; newest first */
  /* The rest is the thread's own.  */
  uint32_t count[HKM_RUN_LONGEST]; /* of the list, unless somebody took it */
  uint32_t held[HKM_RUN_CLASSES]; /* sums of count */
  uint32_t used[HKM_RUN_LONGEST]; /* `clock' when a run last came or went */
  uint32_t clock;   /* runs put so far */
  uint32_t forget;  /* runs to be put until what is unused is forgotten */
  uint32_t wanted;  /* bit k: a run of class k came or went lately */
  uint32_t kept;    /* bit k: one came that is kept with preference, and at no
                       time to forget were all of class k gone */
  unsigned cpu;     /* the thread's, some 16 runs ago or later */
  uint32_t present; /* bit n-1: count[n-1] is not 0 */
  /* As the policy says: */
  uint32_t most[HKM_RUN_CLASSES]; /* runs of a class */
  bool keeps;       /* any at all */
  uint32_t bundle;  /* runs */
  uint32_t wmax;    /* percent */
  uint32_t asked[HKM_RUN_CLASSES]; /* runs that the thread wanted so far */
  uint32_t missed[HKM_RUN_CLASSES]; /* of these, from the superslabs; both
                                       relaxed, and may wrap */
  uint64_t live_runs, live_slots; /* handed out by the thread, less what it freed,
                                     whoever's it was: only the sum over all
                                     means something; relaxed */
  bool known;       /* to those who give memory back */
  struct hkm_run_cache *next; /* of all there are; constant once known */
} hkm_run_cache;

/* The class of runs of SLOTS slots, 1..HKM_RUN_LONGEST.  */
HKM_INLINE unsigned
hkm_run_class (unsigned slots)
{
  return slots == 1 ? 0 : 32 - (unsigned) __builtin_clz (slots - 1);
}

/* A free run of SLOTS slots, or of as few more as there is one, up to MOST; or
   NULL.  COUNTS are the thread's.  */
hkm_slab *hkm_run_cache_take (hkm_run_cache *cache, hkm_counts *counts,
                              unsigned slots, unsigned most);
/* Keep RUN, which is free; false: the cap is 0.  */
bool hkm_run_cache_put (hkm_run_cache *cache, hkm_counts *counts,
                        hkm_slab *run);
/* CACHE keeps runs of the class of SLOTS slots with preference.  */
void hkm_run_cache_prefer (hkm_run_cache *cache, unsigned slots);
/* Hand every run of CACHE to the superslabs.  */
void hkm_run_cache_flush (hkm_run_cache *cache);
/* Act by POLICY from now on.  */
void hkm_run_cache_observe (hkm_run_cache *cache, const hkm_policy *policy);

/* RUNS more (or less) of SLOTS slots in all are the program's, by the thread of
   CACHE (NULL: one without).  */
void hkm_run_cache_note_live (hkm_run_cache *cache, int runs, int slots);
/* The thread of CACHE wanted a run of SLOTS slots; MISSED: neither its cache nor
   the shared pool had one.  */
HKM_INLINE void
hkm_run_cache_note_asked (hkm_run_cache *cache, unsigned slots, bool missed)
{
  if (cache == NULL)
    return;
  unsigned k = hkm_run_class (slots);
  hkm_store_relaxed (&cache->asked[k], cache->asked[k] + 1);
  if (missed)
    hkm_store_relaxed (&cache->missed[k], cache->missed[k] + 1);
}
/* Of all threads together, by class; they wrap.  */
void hkm_run_pool_asked (uint32_t asked[HKM_RUN_CLASSES],
                         uint32_t missed[HKM_RUN_CLASSES]);
/* Runs that the program has, and their slots.  */
void hkm_run_pool_live (uint64_t *runs, uint64_t *slots);

/* Give runs back to the superslabs, the shared pool's first, then those of all
   caches: while idle memory is over its budget, or all of them.  Any thread;
   takes HKM_RANK_PURGE and HKM_RANK_SUPERSLAB.  Bytes.  */
size_t hkm_run_pool_drain (bool all);
void hkm_run_pool_init (void);

#endif
