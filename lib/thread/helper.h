/* A thread of the library's own, where HAKMEM_LEARN_THREAD asks for one: it ends
   the learners' windows, and gives back what was idle for long enough, in a
   process that makes no calls.  It lives while some thread has a heap.  */
#ifndef HKM_THREAD_HELPER_H
#define HKM_THREAD_HELPER_H

#include "base/compiler.h"

#ifdef HKM_WITH_LEARN
/* Once, by init, when the learners have begun.  */
void hkm_helper_begin (void);
/* The calling thread, which holds no lock, has a heap: start the helper, if it
   is wanted and not there.  */
void hkm_helper_came (void);
/* The calling thread gave up its heap.  If nobody has one now, end the helper
   and wait until it is gone: as long as it runs, libc takes it for a reason to
   go on.  */
void hkm_helper_went (void);
/* In a fork's child, first of all: the helper is the parent's.  */
void hkm_helper_fork_child (void);
#else
HKM_INLINE void
hkm_helper_begin (void)
{
}

HKM_INLINE void
hkm_helper_came (void)
{
}

HKM_INLINE void
hkm_helper_went (void)
{
}

HKM_INLINE void
hkm_helper_fork_child (void)
{
}
#endif

#endif
