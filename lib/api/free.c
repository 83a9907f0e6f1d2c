/* free.

   free (p)
     not a live block of this
     thread's heap .............. hkm_free_elsewhere    elsewhere.c  (routing)
                                    NULL, another thread's, run, big, libc's;
                                    a double or invalid free: message, abort
     push on the slab's sink
     its countdown is zero ...... hkm_retire_slow       tiny/retire.c (crossing) */
#include "api/api.h"
#include "tiny/heap.h"
#include "tiny/hot.h"

HKM_ALIGNED (HKM_CACHE_LINE) void
HKM_API (free) (void *p)
{
  hkm_slot *sink;
  hkm_slab *slab = hkm_map_find_near (p, &sink);
  hkm_front *owner = hkm_load_relaxed (&slab->owner);
  uintptr_t key;
  if (hkm_unlikely (owner != hkm_thread_front
                    || !hkm_slab_frees (slab, p, &key)))
    {
      hkm_free_elsewhere (p, slab);
      return;
    }
  if (hkm_unlikely (hkm_slot_push (sink, p, key)))
    hkm_retire_slow (owner, slab);
}
