/* All heaps and the parked ones; private to tiny/.  */
#ifndef HKM_TINY_REGISTRY_H
#define HKM_TINY_REGISTRY_H

#include "base/lock.h"
#include "tiny/heap.h"

typedef struct hkm_registry_data
{
  hkm_lock lock;
  hkm_heap *first;       /* of all heaps, oldest first; read without the lock */
  hkm_heap *last;
  hkm_link parked;       /* last parked first */
  uint32_t parked_count; /* relaxed atomic: read without the lock as a hint */
  uint32_t count;
} hkm_registry_data;

extern hkm_registry_data hkm_registry;

/* A new heap, ACTIVE; NULL: no memory.  */
hkm_heap *hkm_registry_create (void);
void hkm_registry_park (hkm_heap *heap);
/* The heap parked last, off the list; NULL: none.  */
hkm_heap *hkm_registry_unpark (void);
/* Give back what HEAP keeps idle.  Its lock is held.  */
void hkm_heap_strip_locked (hkm_heap *heap);

#endif
