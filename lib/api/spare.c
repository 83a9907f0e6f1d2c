/* What stands in where our own allocator can't: libc's, for blocks, and a list
   of blocks that are freed later.

   It can't when a call interrupts another call of ours that holds a lock.  That
   is a malloc in a signal handler, which no standard allows and many programs
   make, or one made by a debugger; and every call off the hot path once a
   handler left the interrupted one by siglongjmp, because its lock stays held
   and what it guards half changed.  And it can't when the OS refuses memory.
   Knows nothing of heaps; free, realloc and the rest know libc's blocks as
   foreign ones (api/foreign.c).  */
#include "api/api.h"

#include "base/atomic.h"
#include "base/size_class.h"

#include <errno.h>

static uint32_t used; /* 1 once libc was asked */

bool
hkm_spare_used (void)
{
  return hkm_load_relaxed (&used) != 0;
}

#ifndef HKM_TEST_NAMES

void *
hkm_spare_alloc (size_t align, size_t size)
{
  int saved = errno;
  hkm_store_relaxed (&used, 1);
  void *p = align <= HKM_MIN_ALIGN ? hkm_libc_malloc (size)
                                   : hkm_libc_memalign (align, size);
  if (p != NULL)
    errno = saved;
  return p;
}

#else /* the sanitizer has libc's */

void *
hkm_spare_alloc (size_t align, size_t size)
{
  (void) align, (void) size;
  errno = ENOMEM;
  return NULL;
}

#endif

/* Blocks to be freed, linked by their first words.  A stack that is pushed by
   one and taken whole: no ABA.  */
static void *later;

void
hkm_free_later (void *p)
{
  void *top = hkm_load_relaxed (&later);
  do
    *(void **) p = top;
  while (!hkm_cas_acq_rel (&later, &top, p));
}

void
hkm_spare_tend (void)
{
  if (hkm_likely (hkm_load_relaxed (&later) == NULL))
    return;
  void *p = hkm_exchange_acq_rel (&later, NULL);
  while (p != NULL)
    {
      void *next = *(void **) p;
      hkm_free_as (p, "free");
      p = next;
    }
}
