/* Retention: how much idle memory may stay resident.  One budget for all rooms:
   empty slots, cached runs and cached big mappings count against it together.
   What would exceed it is given back at once by whoever brings it, or sees it.

   The budget is the floor (HAKMEM_RETAIN) or an eighth of the live memory,
   plus regret: memory purged and wanted again soon raises it, so that an
   oscillating program is not punished; what stays idle throughout a while
   lowers that part again.  HAKMEM_RETAIN_STRATEGY leaves out regret, or both,
   from the moment that a policy says so.
   Lock-free; any thread.  */
#ifndef HKM_SUPERSLAB_RETAIN_H
#define HKM_SUPERSLAB_RETAIN_H

#include "base/compiler.h"

/* Idle memory that stayed idle for DELAY_MS goes, whatever the budget, when
   somebody calls; 0: it stays.  By init.  */
void hkm_retain_set_delay (uint64_t delay_ms);
/* Set the floor, and forget all regret: by init, and by mallopt at any later
   time.  */
void hkm_retain_init (size_t floor);
/* BYTES become idle, and are counted.  False: idle memory is now over its
   budget, and the caller must give some back (hkm_retain_leave, _purged).  */
bool hkm_retain_admit (size_t bytes);
/* The same for who tends now and then: no look at the clock.  */
bool hkm_retain_admit_tended (size_t bytes);
/* The two for what comes and goes all the time, and live memory likewise: by the
   caller's CPU, or what it takes for that, whose line holds up to 8 MiB of
   either; only what is beyond is written where all write.  Who admits may be told
   that it fits when it does not any more, so it looks now and then
   (hkm_retain_fits).  */
bool hkm_retain_admit_here (unsigned cpu, size_t bytes);
void hkm_retain_leave_here (unsigned cpu, size_t bytes);
void hkm_retain_live_here (unsigned cpu, ptrdiff_t bytes);
/* BYTES of slabs whose owner has not looked yet became idle.  False: there are
   more of those than the floor, and the caller should purge what it brought:
   nobody else will, if the owner sleeps.  hkm_retain_leave_remote undoes it. */
bool hkm_retain_admit_remote (size_t bytes);
void hkm_retain_leave_remote (size_t bytes);
/* BYTES of free pages between blocks in use became idle.  False: there are more
   of those than the floor and regret, or idle memory is over its budget.
   hkm_retain_leave_sparse undoes it.  */
bool hkm_retain_admit_sparse (size_t bytes);
void hkm_retain_leave_sparse (size_t bytes);
/* Idle BYTES are in use again, or were given back.  */
void hkm_retain_leave (size_t bytes);
/* BYTES just purged; they may be regretted.  */
void hkm_retain_purged (size_t bytes);
/* BYTES had to be got from the OS: if as much was purged lately, regret it.  */
void hkm_retain_wanted (size_t bytes);
/* Live memory (slots in use, big mappings) changes by BYTES.  */
void hkm_retain_live (ptrdiff_t bytes);
/* Now and then, by cold calls: regret that the idle memory shows no need of is
   forgotten.  True: idle memory is over its budget now.  */
bool hkm_retain_tick (void);
/* True if idle memory stayed idle for the delay: until hkm_retain_decayed the
   budget is what is idle without it.  Whoever is told so reclaims, then says so.
   Between the two others may see the lower budget, and purge; no harm.  */
bool hkm_retain_decay (void);
void hkm_retain_decayed (void);
/* Freeing anything lowers the live memory and so the budget, for every room that
   keeps idle memory.  RECLAIM (set once, by init) makes a room that this one
   doesn't know give back until idle memory fits; it may take locks of
   HKM_RANK_BIG and above.  */
void hkm_retain_set_reclaim (void (*reclaim) (void));
/* The same for free runs that threads keep, which go first: DRAIN gives back all
   of them, or until idle memory fits, says how many bytes, and may take locks of
   HKM_RANK_PURGE and above.  */
void hkm_retain_set_drain (size_t (*drain) (bool all));
/* Have all of them given back; false: there were none.  */
bool hkm_retain_drain (void);
/* Call it if idle memory is over its budget.  */
void hkm_retain_reclaim (void);
/* Bytes of regret, whether the strategy in force counts them or not.  */
size_t hkm_retain_earned (void);
/* An earlier process ended with BYTES of it: begin with half, if there is less.  */
void hkm_retain_earn (size_t bytes);
/* True if there is much regret in the budget: the process goes on using what it
   has, so that huge pages pay.  */
bool hkm_retain_goes_on (void);
size_t hkm_retain_idle (void);
/* True if idle memory is within its budget.  */
bool hkm_retain_fits (void);
/* Bytes that were idle all the time since the last call; for one caller, the
   learners at a window's end.  */
size_t hkm_retain_unused (void);
size_t hkm_retain_live_bytes (void);
/* The same but for up to 8 MiB a processor, from one word.  */
size_t hkm_retain_live_near (void);
size_t hkm_retain_budget (void);
uint64_t hkm_retain_regretted (void);

#endif
