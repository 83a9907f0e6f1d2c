/* Thread start and exit, fork.  */
#ifndef HKM_THREAD_THREAD_H
#define HKM_THREAD_THREAD_H

#include "tiny/heap.h"

/* Once, by init, while no other thread can be here: makes the exit key.
   Allocates nothing.  */
void hkm_thread_init (void);
/* Once, by init, when blocks can be had: registers the fork handlers.  */
void hkm_thread_init_fork (void);

/* This thread's heap, made if need be; after the thread's teardown (or when
   there is no memory for a heap) the shared one.  NULL: no memory.  */
hkm_heap *hkm_thread_heap (void);

#endif
