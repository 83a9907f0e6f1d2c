/* mallopt.  M_TRIM_THRESHOLD, how much free memory glibc keeps before it gives
   some back, is our retention floor (HAKMEM_RETAIN).  Nothing else of glibc's
   means anything here: there are no arenas (M_ARENA_MAX, M_ARENA_TEST), no
   fast bins (M_MXFAST), no top of a heap (M_TOP_PAD); the size at which a block
   gets a mapping of its own is fixed (M_MMAP_THRESHOLD, M_MMAP_MAX); and no
   byte pattern is written (M_PERTURB).  For these and for unknown parameters
   the answer is 0, "no effect"; glibc's is 1 for some of them.  */
#include "api/api.h"

#include "superslab/retain.h"

#include <malloc.h>

/* Far beyond any memory, far from overflow: "never trim", which glibc spells
   as -1.  */
#define RETAIN_ALL (SIZE_MAX / 4)

HKM_EXPORT int
HKM_API (mallopt) (int param, int value)
{
  if (hkm_init () || hkm_foreign_owns_malloc ())
    {
      int (*next) (int, int)
          = (int (*) (int, int)) hkm_foreign_next ("mallopt");
      return next != NULL ? next (param, value) : 0;
    }
  if (param != M_TRIM_THRESHOLD)
    return 0;
  hkm_retain_init (value < 0 ? RETAIN_ALL : (size_t) value);
  return 1;
}
