/* A futex lock with a rank.  One word, no spinning beyond a few tries: with
   more threads than CPUs a spinner only delays the holder.

   Ranks order every lock of the library; a thread takes them upwards only.
   Debug builds check that at each take.  Taking a lock out of order is allowed
   only by trying (hkm_lock_try): a try never waits, so it can't deadlock.  */
#ifndef HKM_BASE_LOCK_H
#define HKM_BASE_LOCK_H

#include "base/compiler.h"

enum hkm_rank
{
  HKM_RANK_INIT,      /* api/init: the process's first call */
  HKM_RANK_TICK,      /* policy: the learners; ticks only try it */
  HKM_RANK_HEAP,      /* a heap's cold lock; a second one is only ever tried */
  HKM_RANK_REGISTRY,  /* thread: lists of parked heaps */
  HKM_RANK_BIG,       /* big mappings and their cache */
  HKM_RANK_PURGE,     /* superslab: one thread purges at a time */
  HKM_RANK_SUPERSLAB, /* a pool of superslabs and their slots */
  HKM_RANK_MAP,       /* growth of the address map */
  HKM_RANK_ARENA,     /* metadata arena */
  HKM_RANK_POLICY,    /* the published policy: taken under any of the above */
  HKM_RANKS
};

/* word: 0 free, 1 held, 2 held and somebody may sleep on it.  */
typedef struct hkm_lock
{
  uint32_t word;
  uint32_t rank; /* enum hkm_rank, constant; 0 but in debug builds */
} hkm_lock;

/* Zero where ranks are not looked at, so that what holds a lock may lie in .bss:
   see "Start" in README.  */
#ifdef HKM_DEBUG
#define HKM_LOCK_INIT(rank_) { 0, (rank_) }
#else
#define HKM_LOCK_INIT(rank_) { 0, 0 }
#endif

/* Take LOCK, sleeping if need be; false if it was not free.  errno is kept.  */
bool hkm_lock_take (hkm_lock *lock);
/* As hkm_lock_take, for locks of one rank taken in a fixed order by whoever
   holds several of them (fork).  */
bool hkm_lock_take_peer (hkm_lock *lock);
/* Take LOCK if it is free; false means no effect.  The attempt is
   sequentially consistent (heap parking relies on it).  */
bool hkm_lock_try (hkm_lock *lock);
/* Give LOCK back.  A sequentially consistent read-modify-write.  errno is kept.  */
void hkm_lock_give (hkm_lock *lock);
/* Between the two, the calling thread holds every lock there is: its takes and
   tries succeed and its gives do nothing, so that other fork handlers may
   allocate while ours stand in the middle of theirs.  */
void hkm_lock_own_all (void);
void hkm_lock_own_none (void);
/* True if this thread holds a lock, or is about to, or just did: asked by a
   fork handler, which may run in a signal handler that interrupted one of our
   calls.  hkm_lock_hold_none says that it holds none now.  */
bool hkm_lock_holds_any (void);
void hkm_lock_hold_none (void);
/* Locks that this thread holds.  */
extern __thread HKM_HIDDEN uint32_t hkm_locks_held
    __attribute__ ((tls_model ("initial-exec")));
/* For the next function: false between hkm_lock_own_all and _own_none.  */
bool hkm_lock_owns_not_all (void);
/* True if the call that asks interrupts another call of ours by this thread,
   which holds a lock: in a signal handler, in a debugger, and for good after a
   handler left the interrupted call by siglongjmp.  What it would wait for
   can't come.  */
HKM_INLINE bool
hkm_lock_interrupts (void)
{
  return hkm_unlikely (hkm_locks_held != 0) && hkm_lock_owns_not_all ();
}
/* In a fork child: forget whoever held LOCK.  */
void hkm_lock_reset (hkm_lock *lock);

#endif
