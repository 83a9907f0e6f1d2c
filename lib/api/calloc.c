/* calloc: malloc with the clearing left out where memory is fresh.  */
#include "api/api.h"
#include "tiny/hot.h"

#include <errno.h>
#include <string.h>

/* A function, so that calloc calls none but as its last step, and needs no
   frame.  */
static HKM_COLD void *
too_large (void)
{
  errno = ENOMEM;
  return NULL;
}

void *
HKM_API (calloc) (size_t n, size_t size)
{
  size_t total;
  if (hkm_unlikely (__builtin_mul_overflow (n, size, &total)))
    return too_large ();
  if (hkm_likely (total <= HKM_MID_MAX))
    {
      hkm_slot *slot = hkm_front_slot (hkm_thread_front, total);
      if (hkm_likely (slot->head != 0))
        return memset (hkm_slot_pop (slot), 0, total);
    }
  return hkm_calloc_slow (total, __builtin_return_address (0));
}
