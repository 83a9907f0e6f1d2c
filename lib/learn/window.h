/* What happened between two observations, as the learners see it: how much work
   the program had done, and what the allocator's cold paths and the memory beyond
   what was asked for cost it, as factors.  Pure.

     time     (work + cold) / work: WORK is what the blocks that came and went
              would take the program if cold paths cost nothing, but no more than
              it had time for, COLD what the counters say that these cost, both
              by the table of prices in window.c
     waste    given / asked: bytes of blocks that nobody asked for, by the share
              that slabs and runs have of the memory, live and idle
     kept     1 + idle / live: free memory that stays resident

     back     1 + what it costs that memory goes back to the OS and comes again,
              in proportion to WORK

   A reward is the sum of minus the logarithms of those that a change is to make
   better: one that makes time 1 % less and waste 1 % more is worth nothing.
   What is kept, and so what goes back, is retention's to decide
   (superslab/retain.h), by a budget for all rooms together that follows what a
   process did in the last seconds: it counts for changes that say what is kept,
   and would be noise for others.  */
#ifndef HKM_LEARN_WINDOW_H
#define HKM_LEARN_WINDOW_H

#include "learn/fix.h"
#include "os/os.h"
#include "policy/policy.h"
#include "stats/stats.h"

/* Totals since the process started; those of 32 bits wrap.  */
typedef struct hkm_observation
{
  uint64_t time_ms;
  uint32_t heaps; /* as many threads may have been at work; 0: not known */
  hkm_counts counts;
  uint64_t calls[HKM_OS_CALLS];
  uint64_t live_bytes; /* now, as the next */
  uint64_t slab_bytes; /* of these in slabs and runs; 0: not known */
  uint64_t kept_bytes; /* free and resident */
  uint64_t unused_bytes; /* of these: nobody wanted them of late */
  uint64_t faults;                 /* page faults; 0: nobody asked */
  uint32_t refills[HKM_CLASSES], acquires[HKM_CLASSES];
  uint32_t runs[HKM_RUN_CLASSES], runs_new[HKM_RUN_CLASSES];
} hkm_observation;

typedef struct hkm_window
{
  uint64_t blocks;       /* that came or went, of which it is known */
  uint64_t work_ns;
  uint64_t priced_ns, had_ns; /* of late: work by its price; of that, what there was
                                 time for */
  uint64_t cold_ns;      /* without what is next */
  uint64_t back_ns;
  hkm_fix time, waste, kept, back;
  hkm_fix share; /* of slabs and runs, of late */
  uint64_t hits, misses; /* requests of refills and runs that needed, or did not
                            need, anything from the superslabs or the OS */
  hkm_fix faults;        /* pages touched anew, for a millisecond of work */
} hkm_window;

/* BEFORE and AFTER, a window apart.  *W is the window before that, or all zero.  */
void hkm_window_make (hkm_window *w, const hkm_observation *before,
                      const hkm_observation *after);

#endif
