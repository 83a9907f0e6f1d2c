/* Aligned allocation, with the meaning glibc 2.36 gives each name.  Only
   posix_memalign refuses an alignment: memalign and aligned_alloc round one
   that is no power of two up.

   If another object owns malloc, these build on that malloc: what they return
   is freed by its free.  */
#include "api/api.h"

#include "base/size_class.h"
#include "os/os.h"
#include "tiny/hot.h"

#include <errno.h>

static bool
is_power_of_two (size_t n)
{
  return n != 0 && (n & (n - 1)) == 0;
}

static void *
no_memory (void)
{
  errno = ENOMEM;
  return NULL;
}

/* The first block of SIZE bytes of somebody else's malloc that happens to lie
   at a multiple of ALIGN, tried with sizes that many allocators align by
   themselves.  An aligned address inside a larger block would not do: it could
   not be freed.  */
static void *
foreign_aligned (size_t align, size_t size)
{
  int saved = errno;
  size_t want = size > align ? size : align;

  if (want > PTRDIFF_MAX / 4)
    return no_memory ();
  size_t power = align;
  while (power < want)
    power *= 2;
  const size_t attempts[] = { (want + align - 1) & ~(align - 1), power,
                              2 * power, size };
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
    {
      void *p = HKM_API (malloc) (attempts[i]);
      if (p != NULL && ((uintptr_t) p & (align - 1)) == 0)
        {
          errno = saved;
          return p;
        }
      HKM_API (free) (p);
    }
  return no_memory ();
}

/* SIZE bytes at a multiple of ALIGN, a power of two; NULL and ENOMEM.  */
static void *
allocate (size_t align, size_t size)
{
  if (align <= HKM_MIN_ALIGN && size <= PTRDIFF_MAX)
    return HKM_API (malloc) (size);
  bool opted_out = hkm_init ();
  if (hkm_unlikely (size > PTRDIFF_MAX))
    return no_memory ();
  if (hkm_unlikely (hkm_foreign_owns_malloc ()))
    return foreign_aligned (align, size);
  int cls = hkm_class_for_aligned (size, align);
  if (hkm_likely (cls >= 0))
    {
      /* A slot that isn't empty is that of a heap: nobody opted out.  */
      hkm_slot *slot = &hkm_thread_front->slot[cls];
      if (hkm_likely (slot->head != 0))
        return hkm_slot_pop (slot);
    }
  if (hkm_unlikely (opted_out))
    return hkm_libc_memalign (align, size);
  return hkm_alloc_aligned (align, size, NULL);
}

static void *
round_and_allocate (size_t align, size_t size)
{
  /* No power of two is as large as that.  */
  if (hkm_unlikely (align > SIZE_MAX / 2 + 1))
    {
      errno = EINVAL;
      return NULL;
    }
  if (hkm_unlikely (!is_power_of_two (align)))
    {
      size_t power = HKM_MIN_ALIGN;
      while (power < align)
        power *= 2;
      align = power;
    }
  return allocate (align, size);
}

HKM_EXPORT void *
HKM_API (memalign) (size_t align, size_t size)
{
  return round_and_allocate (align, size);
}

HKM_EXPORT void *
HKM_API (aligned_alloc) (size_t align, size_t size)
{
  return round_and_allocate (align, size);
}

HKM_EXPORT int
HKM_API (posix_memalign) (void **result, size_t align, size_t size)
{
  int saved = errno; /* POSIX reports by the return value alone */

  if (!is_power_of_two (align) || align % sizeof (void *) != 0)
    return EINVAL;
  void *p = allocate (align, size);
  errno = saved;
  if (p == NULL)
    return ENOMEM;
  *result = p;
  return 0;
}

HKM_EXPORT void *
HKM_API (valloc) (size_t size)
{
  hkm_init (); /* the page size is known after it */
  return allocate (hkm_os_page_size (), size);
}

HKM_EXPORT void *
HKM_API (pvalloc) (size_t size)
{
  hkm_init ();
  size_t mask = hkm_os_page_size () - 1;

  if (hkm_unlikely (size > SIZE_MAX - mask))
    return no_memory ();
  return allocate (mask + 1, (size + mask) & ~mask);
}
