/* malloc.

   malloc (size)
     size > 32 KiB .............. hkm_alloc_elsewhere   elsewhere.c  (routing)
                                    run or big block
     slot of its class empty .... hkm_refill_slow       tiny/refill.c (crossing)
     else ....................... pop, two stores  */
#include "api/api.h"
#include "tiny/heap.h"
#include "tiny/hot.h"

void *
HKM_API (malloc) (size_t size)
{
  hkm_front *front = hkm_thread_front;
  if (hkm_unlikely (size > HKM_MID_MAX))
    return hkm_alloc_elsewhere (size);
  hkm_slot *slot = hkm_front_slot (front, size);
  if (hkm_unlikely (slot->head == NULL))
    return hkm_refill_slow (front, size);
  return hkm_slot_pop (slot);
}
