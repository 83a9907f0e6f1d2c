/* See helper.h.  The thread has no heap and calls nothing that allocates; it
   takes locks of ours from HKM_RANK_TICK on, for a moment each, and none while
   it waits.  So fork waits for it as for any thread that is in a cold call, and
   a process may end at any time.

   libc's functions for threads are looked up when the first one is wanted: bound
   at load they would cost every process that starts, and before glibc 2.34 they
   are in a library that may not be there.  Then, or if the thread is refused,
   ticks go on as without it.  */
#include "thread/helper.h"
#include "base/atomic.h"
#include "base/kernel.h"
#include "base/lock.h"
#include "opts/opts.h"
#include "os/os.h"
#include "os/out.h"
#include "policy/tick.h"
#include "superslab/superslab.h"
#include "tiny/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* NONE: not wanted, or refused.  Whoever makes it STARTING or STOPPING is the
   one who goes on.  The helper sleeps on it.  */
enum { NONE, WANTED, STARTING, RUNNING, STOPPING };
static uint32_t state;
static pthread_t thread;  /* guarded by STARTING, STOPPING */
static uint64_t decay_ms; /* constant after begin; UINT64_MAX: never */

/* ---- the thread ---- */

/* Sleep for MS, give or take.  False: it is time to end, or this process may not
   wait any more (a filter refuses it).  */
static bool
sleep_for (uint64_t ms)
{
  uint32_t was = hkm_load_acquire (&state);
  struct { long s, ns; } most = { (long) (ms / 1000),
                                  (long) (ms % 1000 * 1000000) };
  if (was == STOPPING)
    return false;
  return hkm_syscall (SYS_futex, &state, FUTEX_WAIT_PRIVATE, was, &most) == 0
         || errno == ETIMEDOUT || errno == EAGAIN || errno == EINTR;
}

static HKM_COLD void *
help (void *unused)
{
  uint64_t ms;
  (void) unused;
  hkm_syscall (SYS_prctl, PR_SET_NAME, "hakmem-learn");
  hkm_tick_by_thread (true);
  do
    {
      ms = hkm_tick_run ();
      hkm_superslab_tend ();
      if (ms > decay_ms)
        ms = decay_ms;
    }
  /* A little longer: the clock that says what is due lags behind.  */
  while (sleep_for (ms + ms / 64 + 1));
  hkm_tick_by_thread (false);
  return NULL;
}

/* ---- starting and ending it ---- */

static struct
{
  __typeof__ (pthread_create) *create;
  __typeof__ (pthread_join) *join;
  __typeof__ (pthread_attr_init) *attr_init;
  __typeof__ (pthread_attr_setstacksize) *set_stack;
  __typeof__ (dl_iterate_phdr) *each_object;
} libc; /* found by the first to be STARTING */

static bool
find_libc (void)
{
  if (libc.create != NULL)
    return true;
  libc.join = (__typeof__ (libc.join)) dlsym (RTLD_NEXT, "pthread_join");
  libc.attr_init
    = (__typeof__ (libc.attr_init)) dlsym (RTLD_NEXT, "pthread_attr_init");
  libc.set_stack = (__typeof__ (libc.set_stack)) dlsym (
      RTLD_NEXT, "pthread_attr_setstacksize");
  libc.each_object
    = (__typeof__ (libc.each_object)) dlsym (RTLD_NEXT, "dl_iterate_phdr");
  if (libc.join != NULL && libc.attr_init != NULL && libc.set_stack != NULL
      && libc.each_object != NULL)
    libc.create
      = (__typeof__ (libc.create)) dlsym (RTLD_NEXT, "pthread_create");
  return libc.create != NULL;
}

static int
add_tls (struct dl_phdr_info *object, size_t size, void *sum)
{
  (void) size;
  for (unsigned i = 0; i < object->dlpi_phnum; i++)
    if (object->dlpi_phdr[i].p_type == PT_TLS)
      *(size_t *) sum += object->dlpi_phdr[i].p_memsz
                         + object->dlpi_phdr[i].p_align;
  return 0;
}

/* Block every signal of the program's for the calling thread, and so for one it
   makes; what was blocked goes to BEFORE.  Signals 32 and 33 are libc's own: a
   thread that does not take them has setuid wait for ever.  */
typedef struct { unsigned long word[_NSIG / 8 / sizeof (long)]; } signals;

static int
block_signals (signals *before)
{
  enum { BITS = 8 * sizeof (long), OWN = 32, OWNS = 2 };
  signals all;
  memset (&all, 0xff, sizeof all);
  for (unsigned s = OWN - 1; s < OWN - 1 + OWNS; s++)
    all.word[s / BITS] &= ~(1ul << s % BITS);
  return hkm_syscall (SYS_rt_sigprocmask, SIG_SETMASK, &all, before, sizeof all)
             == 0
           ? 0 : errno;
}

/* Its stack: far more than it needs, to which comes what libc puts there.  */
enum { STACK = 64 << 10 };

static int
create (void)
{
  pthread_attr_t attr;
  signals before;
  size_t stack = STACK;
  if (!find_libc ())
    return ENOSYS;
  libc.each_object (add_tls, &stack);
  stack = (stack + HKM_GRANULE - 1) & -(size_t) HKM_GRANULE;
  int error = libc.attr_init (&attr);
  if (error == 0)
    error = libc.set_stack (&attr, stack);
  if (error == 0)
    error = block_signals (&before);
  if (error != 0)
    return error;
  error = libc.create (&thread, &attr, help, NULL);
  hkm_syscall (SYS_rt_sigprocmask, SIG_SETMASK, &before, (void *) 0,
               sizeof before);
  return error;
}

void
hkm_helper_begin (void)
{
  uint64_t delay = hkm_opt (HKM_OPT_PURGE_DELAY_MS);
  /* Without an environment libc's own constructors are still to come; and a
     privileged program has no thread that it doesn't know of.  */
  if (!hkm_opt (HKM_OPT_LEARN_THREAD) || hkm_os_environ () == NULL
      || hkm_os_secure () || (delay == 0 && !hkm_tick_is_told ()))
    return;
  decay_ms = delay != 0 ? delay : UINT64_MAX;
  hkm_store_release (&state, WANTED);
}

HKM_COLD void
hkm_helper_came (void)
{
  uint32_t wanted = WANTED;
  if (hkm_likely (hkm_load_relaxed (&state) != WANTED)
      || hkm_lock_holds_any () || hkm_heap_mine () == NULL
      || !hkm_cas_acquire (&state, &wanted, STARTING))
    return;
  int saved = errno, error = create ();
  hkm_store_release (&state, error == 0 ? RUNNING : NONE);
  if (error != 0 && hkm_opts_may_speak ())
    hkm_out_line ("HAKMEM_LEARN_THREAD: no thread (errno %d), calls do its work",
                  error);
  errno = saved;
}

void
hkm_helper_went (void)
{
  uint32_t running = RUNNING;
  if (hkm_likely (hkm_load_relaxed (&state) != RUNNING)
      || hkm_heap_any_active ()
      || !hkm_cas_acquire (&state, &running, STOPPING))
    return;
  hkm_syscall (SYS_futex, &state, FUTEX_WAKE_PRIVATE, 1);
  libc.join (thread, NULL);
  hkm_store_release (&state, WANTED);
}

void
hkm_helper_fork_child (void)
{
  if (hkm_load_relaxed (&state) == NONE)
    return;
  hkm_tick_by_thread (false);
  hkm_store_release (&state, WANTED);
}
