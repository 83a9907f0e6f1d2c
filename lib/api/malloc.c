/* malloc.

   malloc (size)
     size > 32 KiB .............. hkm_alloc_elsewhere   elsewhere.c  (routing)
                                    run or big block
     slot of its class empty .... hkm_refill_slow       tiny/refill.c (crossing)
     else ....................... pop  */
#include "api/api.h"
#include "tiny/heap.h"
#include "tiny/hot.h"

HKM_ALIGNED (HKM_CACHE_LINE) void *
HKM_API (malloc) (size_t size)
{
  hkm_front *front = hkm_thread_front;
  if (hkm_unlikely (size > HKM_MID_MAX))
    return hkm_alloc_elsewhere (size);
  size_t at = hkm_load_relaxed (&hkm_slot_of[(size + 15) / 16]);
  uintptr_t head = *hkm_front_head (front, at);
  /* Opaque, so that the slot's address is no value to be kept: load and store
     scale the index themselves.  */
  HKM_OPAQUE (front);
  if (hkm_unlikely (head == 0))
    return hkm_refill_slow (size, front);
  return hkm_head_pop (hkm_front_head (front, at), head);
}
