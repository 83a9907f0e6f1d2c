/* Aligned allocation, with the meaning glibc 2.36 gives each name.  Only
   posix_memalign refuses an alignment: memalign and aligned_alloc round one
   that is no power of two up.

   If another object owns malloc, these build on that malloc: what they return
   is freed by its free.  If that malloc's blocks are libc's, so are these.  */
#include "api/api.h"

#include "base/atomic.h"
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

/* SIZE bytes at a multiple of ALIGN, a power of two, if this thread's front has
   a block for it; else NULL.  A front that isn't empty is that of a heap: nobody
   opted out.  No branch here depends on ALIGN or SIZE, as long as a class serves
   them that is not dynamic, whose blocks may be at multiples of 16 alone.  */
HKM_INLINE void *
pop (size_t align, size_t size)
{
  size_t multiple = hkm_aligned_size (size, align);
  if (hkm_unlikely (multiple - 1 >= hkm_load_relaxed (&hkm_aligned_max)))
    return NULL;
  hkm_front *front = hkm_thread_front;
  size_t at = hkm_aligned_slot (multiple, align);
  if (hkm_unlikely (hkm_class_is_dynamic ((unsigned) at / 2)))
    return NULL;
  uintptr_t *head = hkm_front_head (front, at), masked = *head;
  return hkm_likely (masked != 0) ? hkm_head_pop (head, masked) : NULL;
}

/* The same whatever the front has, for who will return to WHERE; NULL and
   ENOMEM.  */
static HKM_COLD void *
allocate (size_t align, size_t size, const void *where)
{
  if (size > PTRDIFF_MAX)
    return no_memory ();
  if (align <= HKM_MIN_ALIGN)
    return HKM_API (malloc) (size);
  bool opted_out = hkm_init ();
  if (hkm_foreign_owns_malloc () && !hkm_foreign_owner_is_libc ())
    return foreign_aligned (align, size);
  if (opted_out || hkm_foreign_owner_is_libc ())
    return hkm_libc_memalign (align, size);
  return hkm_alloc_aligned (align, size, where);
}

/* ALIGN is 0, or no power of two, or the front has no block.  */
static HKM_COLD void *
round_and_allocate_slow (size_t align, size_t size, const void *where)
{
  /* No power of two is as large as that.  */
  if (align > SIZE_MAX / 2 + 1)
    {
      errno = EINVAL;
      return NULL;
    }
  size_t power = HKM_MIN_ALIGN;
  while (power < align)
    power *= 2;
  return allocate (power, size, where);
}

/* Inlined, so that the return address is that of the entry point; read where it
   is wanted, and not on the way that most calls take.  */
HKM_INLINE void *
round_and_allocate (size_t align, size_t size)
{
  if (hkm_likely ((align & (align - 1)) == 0))
    {
      void *p = pop (align, size);
      if (hkm_likely (p != NULL))
        return p;
    }
  return round_and_allocate_slow (align, size, __builtin_return_address (0));
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

/* POSIX reports by the return value alone.  */
static HKM_COLD int
posix_memalign_slow (void **result, size_t align, size_t size,
                     const void *where)
{
  int saved = errno;
  void *p = allocate (align, size, where);
  errno = saved;
  if (p == NULL)
    return ENOMEM;
  *result = p;
  return 0;
}

HKM_EXPORT int
HKM_API (posix_memalign) (void **result, size_t align, size_t size)
{
  if (hkm_unlikely (!is_power_of_two (align) || align % sizeof (void *) != 0))
    return EINVAL;
  void *p = pop (align, size);
  if (hkm_unlikely (p == NULL))
    return posix_memalign_slow (result, align, size,
                                __builtin_return_address (0));
  *result = p;
  return 0;
}

HKM_EXPORT void *
HKM_API (valloc) (size_t size)
{
  hkm_init (); /* the page size is known after it */
  return allocate (hkm_os_page_size (), size, __builtin_return_address (0));
}

HKM_EXPORT void *
HKM_API (pvalloc) (size_t size)
{
  hkm_init ();
  size_t mask = hkm_os_page_size () - 1;

  if (hkm_unlikely (size > SIZE_MAX - mask))
    return no_memory ();
  return allocate (mask + 1, (size + mask) & ~mask,
                   __builtin_return_address (0));
}
