/* Metadata arena: memory for the allocator's own descriptors, far from user
   blocks.  It only grows; callers keep free lists of their own types, so that
   a descriptor's memory never changes its type (lock-free readers rely on
   that).  Thread-safe (HKM_RANK_ARENA).  */
#ifndef HKM_OS_ARENA_H
#define HKM_OS_ARENA_H

#include "base/compiler.h"

/* SIZE zeroed bytes aligned to ALIGN (a power of two, at most a page);
   NULL if the OS has no memory.  */
void *hkm_arena_alloc (size_t size, size_t align);
/* Bytes handed out and bytes mapped so far.  */
size_t hkm_arena_used (void);
size_t hkm_arena_mapped (void);
/* For fork: hold and let go the arena's lock.  */
void hkm_arena_fork_prepare (void);
void hkm_arena_fork_done (void);

#endif
