/* The futex lock.  States as in Drepper's "Futexes are tricky", third form:
   0 free, 1 held, 2 held with possible sleepers.  */
#include "base/lock.h"
#include "base/atomic.h"
#include "base/kernel.h"

#include <errno.h>
#include <linux/futex.h>
#include <unistd.h>

#ifdef HKM_DEBUG
/* Ranks this thread holds, as bits.  A try may go against the order, but what
   is waited for must rank above everything held.  */
static __thread uint32_t held_ranks
    __attribute__ ((tls_model ("initial-exec")));
static __thread uint32_t held_count[HKM_RANKS]
    __attribute__ ((tls_model ("initial-exec")));

static void
rank_waits (const hkm_lock *lock)
{
  HKM_CHECK (held_ranks >> lock->rank == 0);
}

static void
rank_taken (const hkm_lock *lock)
{
  held_count[lock->rank]++;
  held_ranks |= 1u << lock->rank;
}

static void
rank_given (const hkm_lock *lock)
{
  if (held_count[lock->rank] > 0 && --held_count[lock->rank] == 0)
    held_ranks &= ~(1u << lock->rank);
}
#else
#define rank_waits(lock) ((void) 0)
#define rank_taken(lock) ((void) 0)
#define rank_given(lock) ((void) 0)
#endif

/* Counted before a take and after a give, so that a signal handler never sees one
   too few.  */
__thread uint32_t hkm_locks_held __attribute__ ((tls_model ("initial-exec")));

static void
count_held (int change)
{
  hkm_locks_held += (uint32_t) change;
  __atomic_signal_fence (__ATOMIC_SEQ_CST);
}

bool
hkm_lock_holds_any (void)
{
  return hkm_locks_held != 0;
}

void
hkm_lock_hold_none (void)
{
  hkm_locks_held = 0;
}

/* The thread between fork's prepare and parent or child handler, told by where
   its count is; NULL: none.  A thread compares it with itself only, hence
   relaxed.  */
static uint32_t *owner_of_all;

static bool
own_all (void)
{
  return hkm_unlikely (hkm_load_relaxed (&owner_of_all) == &hkm_locks_held);
}

HKM_COLD bool
hkm_lock_owns_not_all (void)
{
  return !own_all ();
}

void
hkm_lock_own_all (void)
{
  hkm_store_relaxed (&owner_of_all, &hkm_locks_held);
}

void
hkm_lock_own_none (void)
{
  hkm_store_relaxed (&owner_of_all, NULL);
}

/* What is done under a lock takes less time than to sleep and be woken, unless
   its holder lost its processor.  */
static bool
lock_take_soon (hkm_lock *lock)
{
  enum { LOOKS = 64 };
  for (int looks = LOOKS; looks > 0; looks--)
    {
      uint32_t expected = 0;
      hkm_pause ();
      if (hkm_load_relaxed (&lock->word) == 0
          && hkm_cas_acquire (&lock->word, &expected, 1))
        return true;
    }
  return false;
}

static HKM_COLD void
lock_take_slow (hkm_lock *lock)
{
  if (lock_take_soon (lock))
    return;
  int saved = errno;
  /* No yield before: a sandbox that knows what libc's malloc calls may end the
     process for it.  */
  while (hkm_exchange_acquire (&lock->word, 2) != 0)
    if (hkm_syscall (SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2,
                     (void *) 0) != 0
        && errno != EAGAIN && errno != EINTR)
      hkm_syscall (SYS_sched_yield); /* futex is refused */
  errno = saved;
}

bool
hkm_lock_take (hkm_lock *lock)
{
  if (own_all ())
    return true;
  rank_waits (lock);
  return hkm_lock_take_peer (lock);
}

bool
hkm_lock_take_peer (hkm_lock *lock)
{
  uint32_t expected = 0;
  count_held (1);
  bool free = hkm_cas_acquire (&lock->word, &expected, 1);
  if (hkm_unlikely (!free))
    lock_take_slow (lock);
  rank_taken (lock);
  return free;
}

bool
hkm_lock_try (hkm_lock *lock)
{
  uint32_t expected = 0;
  if (own_all ())
    return true;
  count_held (1);
  if (!hkm_cas_seq_cst (&lock->word, &expected, 1))
    {
      count_held (-1);
      return false;
    }
  rank_taken (lock);
  return true;
}

void
hkm_lock_give (hkm_lock *lock)
{
  if (own_all ())
    return;
  rank_given (lock);
  if (hkm_unlikely (hkm_exchange_seq_cst (&lock->word, 0) == 2))
    {
      int saved = errno;
      hkm_syscall (SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1);
      errno = saved;
    }
  __atomic_signal_fence (__ATOMIC_SEQ_CST);
  count_held (-1);
}

void
hkm_lock_reset (hkm_lock *lock)
{
  rank_given (lock);
  hkm_store_release (&lock->word, 0);
}
