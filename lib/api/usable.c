/* What is left of the family: a block's usable size, and the calls that are
   another one plus a check.  They go through the public malloc, realloc and
   free, so that whoever owns those owns these.  */
#include "api/api.h"

#include "base/size_class.h"
#include "large/run.h"
#include "map/map.h"
#include "opts/fail.h"
#include "superslab/slab.h"
#include "tiny/heap.h"
#include "tiny/hot.h"

#include <errno.h>

static HKM_NOINLINE size_t
usable_elsewhere (void *p)
{
  bool ours;

  if (p == NULL)
    return 0;
  if (hkm_unlikely (hkm_init ()))
    return hkm_libc_usable_size (p);
  size_t size = hkm_usable_size (p, "malloc_usable_size", &ours);
  if (hkm_likely (ours))
    return size;
  if (hkm_foreign_owns_malloc () || hkm_foreign_is_libc (p))
    return hkm_libc_usable_size (p);
  hkm_fail (HKM_FAULT_INVALID, "malloc_usable_size", p, 0, -1);
  return 0;
}

/* Redis and SQLite ask it of every block they take or free: so a live block of
   the thread's own is known as free knows it.  */
HKM_EXPORT size_t
HKM_API (malloc_usable_size) (void *p)
{
  hkm_slot *sink;
  hkm_slab *slab = hkm_own_slab (p, &sink);

  return hkm_likely (slab != NULL) ? hkm_class[slab->cls].size
                                   : usable_elsewhere (p);
}

HKM_EXPORT void *
HKM_API (reallocarray) (void *p, size_t n, size_t size)
{
  size_t bytes;

  if (hkm_unlikely (__builtin_mul_overflow (n, size, &bytes)))
    {
      errno = ENOMEM;
      return NULL;
    }
  return HKM_API (realloc) (p, bytes);
}

HKM_EXPORT void
HKM_API (cfree) (void *p)
{
  HKM_API (free) (p);
}

/* True if a block of USABLE bytes may be what a request for SIZE bytes at a
   multiple of ALIGN got.  Classes and runs are exact, but realloc leaves a
   block of a class where it is until half of it would be wasted, a mid request
   may have got a block of a larger class or of one that had another size then;
   a big mapping may come longer out of the cache.  */
static bool
size_possible (size_t align, size_t size, size_t usable)
{
  if (size > usable)
    return false;
  int cls = hkm_class_for_aligned (size, align);
  if (cls >= 0)
    return hkm_class_size ((unsigned) cls) >= usable
           || (usable <= HKM_MID_MAX && size >= usable / 2);
  if (size <= HKM_LARGE_MAX && align <= HKM_GRANULE)
    return hkm_run_may_serve (size, usable) || size == 0;
  return true;
}

/* free (P) for WHO, who claims that P was got for SIZE bytes at a multiple of
   ALIGN.  */
static void
free_checked (void *p, size_t align, size_t size, const char *who)
{
  bool ours;

  if (p == NULL)
    return;
  if (hkm_unlikely (hkm_init () || hkm_foreign_owns_malloc ()))
    {
      HKM_API (free) (p);
      return;
    }
  size_t usable = hkm_usable_size (p, who, &ours);
  if (hkm_unlikely (!ours))
    hkm_free_as (p, who);
  else if (hkm_unlikely (usable == 0))
    return; /* reported */
  else if (hkm_unlikely (((uintptr_t) p & (align - 1)) != 0
                         || !size_possible (align, size, usable)))
    {
      const hkm_slab *slab = hkm_map_find (p);
      bool tiny = slab != NULL && slab->kind == HKM_KIND_SLAB
                  && hkm_class[slab->cls].group < HKM_GROUP_MID;
      hkm_fail (HKM_FAULT_SIZE_MISMATCH, who, p, usable,
                tiny ? hkm_class[slab->cls].group : -1);
    }
  else
    HKM_API (free) (p);
}

HKM_EXPORT void
HKM_API (free_sized) (void *p, size_t size)
{
  free_checked (p, HKM_MIN_ALIGN, size, "free_sized");
}

/* ALIGN as memalign takes it: one that is no power of two means the next.  */
HKM_EXPORT void
HKM_API (free_aligned_sized) (void *p, size_t align, size_t size)
{
  size_t power = HKM_MIN_ALIGN;

  while (power < align && power <= SIZE_MAX / 4)
    power *= 2;
  free_checked (p, power, size, "free_aligned_sized");
}
