/* base/lock.c with two eyes: one hook that runs once, in a chosen thread that
   has just taken a lock of a chosen rank; and the rank of the lock that another
   thread last went to sleep on.  Include it after inside.h, once.  */
#ifndef RULES_LOCK_STALLS_H
#define RULES_LOCK_STALLS_H

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

static void (*lock_hook) (void);
static uint32_t stall_rank;     /* of the lock it waits for */
static pthread_t stall_thread;
static uint32_t sleeps_on = HKM_RANKS;

static UNUSED void
hook_lock (uint32_t rank, void (*what) (void))
{
  stall_rank = rank;
  __atomic_store_n (&lock_hook, what, __ATOMIC_RELEASE);
}

static bool
lock_taken (const uint32_t *word)
{
  const hkm_lock *lock = hkm_container_of (word, hkm_lock, word);
  void (*what) (void) = __atomic_load_n (&lock_hook, __ATOMIC_ACQUIRE);
  if (what != NULL && lock->rank == stall_rank
      && pthread_equal (pthread_self (), stall_thread))
    {
      __atomic_store_n (&lock_hook, NULL, __ATOMIC_RELEASE);
      what ();
    }
  return true;
}

static long
futex_call (long number, uint32_t *word, int op, int value, const void *timeout)
{
  if (op == FUTEX_WAIT_PRIVATE)
    __atomic_store_n (&sleeps_on, hkm_container_of (word, hkm_lock, word)->rank,
                      __ATOMIC_SEQ_CST);
  return syscall (number, word, op, value, timeout);
}

#undef hkm_cas_acquire
#define hkm_cas_acquire(p, expected_ptr, v)                                   \
  (__atomic_compare_exchange_n ((p), (expected_ptr), (v), false,             \
                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)           \
   && lock_taken (p))
#define syscall(...) futex_call (FUTEX_ARGUMENTS (__VA_ARGS__, NULL, 0, 0, NULL, NULL))
#define FUTEX_ARGUMENTS(number, word, op, value, timeout, ...)                \
  number, word, op, value, timeout

#include "base/lock.c"

#undef syscall

#endif
