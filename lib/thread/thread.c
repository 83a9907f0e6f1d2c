/* Thread start and exit.  A thread gets its heap at its first cold call, and
   leaves it in the second round of the thread-specific data destructors it
   sees, because other destructors allocate and free too.  What comes after that
   goes to the shared heap.  */
#include "thread/thread.h"
#include "thread/helper.h"
#include "tiny/hot.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>

/* Of the rounds there are (four), not the last: a thread whose first call here
   comes from some destructor in the first round or the second has fewer left,
   and its heap would stay behind with nobody to leave it.  */
enum { LAST_ROUND = 2 };
_Static_assert (LAST_ROUND + 2 <= PTHREAD_DESTRUCTOR_ITERATIONS,
                "a heap made in the second round is left in time");

static pthread_key_t exit_key;
static bool have_key;

/* VALUE counts the rounds we see; glibc runs PTHREAD_DESTRUCTOR_ITERATIONS of
   them as long as some destructor sets its value anew.  */
static void
thread_exit (void *value)
{
  uintptr_t round = (uintptr_t) value;
  if (round < LAST_ROUND
      && pthread_setspecific (exit_key, (void *) (round + 1)) == 0)
    return;
  hkm_heap *heap = hkm_heap_mine ();
  if (heap == NULL)
    return;
  hkm_thread_front = (hkm_front *) &hkm_front_dead;
  hkm_heap_leave (heap);
  hkm_helper_went ();
}

void
hkm_thread_init (void)
{
  have_key = pthread_key_create (&exit_key, thread_exit) == 0;
}

hkm_heap *
hkm_thread_heap (void)
{
  hkm_heap *heap = hkm_heap_mine ();
  if (heap != NULL)
    return heap;
  if (hkm_thread_front == &hkm_front_none)
    heap = hkm_heap_enter ();
  if (heap == NULL)
    return hkm_heap_shared ();
  /* The front first: setting a key beyond the first 32 allocates.  */
  hkm_thread_front = hkm_heap_front (heap);
  if (have_key)
    {
      int saved = errno;
      pthread_setspecific (exit_key, (void *) 1);
      errno = saved;
    }
  hkm_helper_came ();
  return heap;
}
