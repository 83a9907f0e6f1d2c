/* Programs built with a sanitizer whose runtime is a shared library, as gcc
   links them (-fsanitize=address, thread, leak).  The runtime is an allocator
   that must see every block: freed ones to be watched, ones that change threads
   to order what the threads do.  A preload comes before it in the search order
   and hides it, so our functions hand every call on to it.  */
#include "api/api.h"

#ifndef HKM_TEST_NAMES

hkm_next_malloc hkm_next;

/* Every such runtime has it.  Weak: the loader looks for it where no program is
   slowed down by it, and finds nothing in almost all.  */
int __sanitizer_get_ownership (const volatile void *p) __attribute__ ((weak));

bool
hkm_sanitizer_find (void)
{
  if (__sanitizer_get_ownership == NULL)
    return false;
  hkm_next.free = (void (*) (void *)) hkm_foreign_next ("free");
  hkm_next.calloc
      = (void *(*) (size_t, size_t)) hkm_foreign_next ("calloc");
  hkm_next.realloc
      = (void *(*) (void *, size_t)) hkm_foreign_next ("realloc");
  hkm_next.memalign
      = (void *(*) (size_t, size_t)) hkm_foreign_next ("memalign");
  hkm_next.malloc = (void *(*) (size_t)) hkm_foreign_next ("malloc");
  return true;
}

/* AddressSanitizer asks the process for this by name.  It refuses to start
   after another library that might hide its malloc; ours does not.  What the
   program defines itself, or the user sets in ASAN_OPTIONS, counts more.  */
HKM_EXPORT const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "verify_asan_link_order=0";
}

#else

bool
hkm_sanitizer_find (void)
{
  return false;
}

#endif
