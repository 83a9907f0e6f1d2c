/* A program whose own malloc, complete in the four names that the C standard had
   first, hands out libc's blocks: it counts, say.  All further entry points must
   do so too, because its free takes nothing else.  */
#include "../lib/check.h"
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

extern void *__libc_malloc (size_t), *__libc_calloc (size_t, size_t),
    *__libc_realloc (void *, size_t);
extern void __libc_free (void *);

static long made, freed;

void *
malloc (size_t size)
{
  made++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  made++;
  return __libc_calloc (n, size);
}

void *
realloc (void *p, size_t size)
{
  return __libc_realloc (p, size);
}

void
free (void *p)
{
  freed += p != NULL;
  __libc_free (p);
}

TEST (aligned)
{
  for (size_t align = 16; align <= 1 << 21; align *= 4)
    for (size_t size = 1; size < 5 << 20; size = size * 3 + 1)
      {
        void *p = NULL;
        CHECKF (posix_memalign (&p, align, size) == 0 && p != NULL
                    && (uintptr_t) p % align == 0,
                "%zu bytes at a multiple of %zu: %p", size, align, p);
        memset (p, 1, size);
        CHECK (malloc_usable_size (p) >= size);
        p = realloc (p, size + 100);
        CHECK (malloc_usable_size (p) >= size + 100);
        free (p);
        free (memalign (align, size));
        free (aligned_alloc (align, (size + align - 1) & -align));
      }
  free (valloc (100));
  free (pvalloc (100));
}

TEST (others)
{
  long before = made;
  free (strdup ("text"));
  free (reallocarray (malloc (5), 100, 30));
  CHECK (made > before && freed > 0);
  malloc_trim (0);
  CHECK (mallinfo2 ().uordblks > 0);
}

int
main (void)
{
  RUN (aligned);
  RUN (others);
  return check_done ();
}
