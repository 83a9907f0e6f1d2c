/* Fork: every lock is held across it, in rank order, so that the child finds
   every list whole.  Only the hot paths of other threads, which take no lock,
   can be cut in half; their heaps are flagged and mended when first needed
   (tiny/park.c).  Handlers registered before ours run while we hold the locks,
   and may allocate: base/lock lets the forking thread through.  */
#include "base/lock.h"
#include "big/big.h"
#include "map/map.h"
#include "os/arena.h"
#include "policy/policy.h"
#include "policy/tick.h"
#include "superslab/superslab.h"
#include "thread/helper.h"
#include "thread/thread.h"

#include <pthread.h>

/* A fork from a signal handler that interrupted a call of ours: the locks that
   call holds can't be waited for.  Then nothing is prepared.  In a process of
   one thread nothing needs to be: the child's lists are as the interrupted
   frame, which goes on in parent and child, left them.  With more threads the
   child may find a lock held for ever, as it may with glibc's malloc.  */
static __thread bool interrupted __attribute__ ((tls_model ("initial-exec")));

static void
prepare (void)
{
  interrupted = hkm_lock_holds_any ();
  if (interrupted)
    return;
  hkm_tick_hold ();
  hkm_heap_fork_prepare ();
  hkm_big_fork_prepare ();
  hkm_superslab_fork_prepare ();
  hkm_map_fork_prepare ();
  hkm_arena_fork_prepare ();
  hkm_policy_fork_prepare ();
  hkm_lock_own_all ();
}

static void
done_below_heaps (void)
{
  hkm_policy_fork_done ();
  hkm_arena_fork_done ();
  hkm_map_fork_done ();
  hkm_superslab_fork_done ();
  hkm_big_fork_done ();
}

static void
parent (void)
{
  if (interrupted)
    return;
  hkm_lock_own_none ();
  done_below_heaps ();
  hkm_heap_fork_parent ();
  hkm_tick_go_on ();
  hkm_lock_hold_none ();
}

static void
child (void)
{
  hkm_helper_fork_child ();
  if (interrupted)
    return;
  hkm_lock_own_none ();
  done_below_heaps ();
  hkm_heap_fork_child (hkm_heap_mine ());
  hkm_tick_go_on ();
  hkm_lock_hold_none ();
  hkm_helper_came ();
}

void
hkm_thread_init_fork (void)
{
  pthread_atfork (prepare, parent, child);
}
