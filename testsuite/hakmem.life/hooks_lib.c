/* A second preload, as tracers and sandboxes are: it hooks mmap, munmap, open
   and getenv, and its hooks themselves allocate.  If the allocator called any
   of them on its way, it would come round in a circle.  */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static __thread int depth;

static void
allocate (void)
{
  if (++depth > 3) /* the allocator came back through a hook */
    abort ();
  free (malloc (100));
  free (malloc (100000));
  depth--;
}

#define HOOK __attribute__ ((visibility ("default")))
#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

HOOK void *
mmap (void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
  allocate ();
  return NEXT (mmap) (addr, size, prot, flags, fd, offset);
}

HOOK int
munmap (void *addr, size_t size)
{
  allocate ();
  return NEXT (munmap) (addr, size);
}

HOOK int
madvise (void *addr, size_t size, int advice)
{
  allocate ();
  return NEXT (madvise) (addr, size, advice);
}

HOOK int
open (const char *path, int flags, ...)
{
  va_list args;
  va_start (args, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg (args, mode_t) : 0;
  va_end (args);
  allocate ();
  return NEXT (open) (path, flags, mode);
}

HOOK char *
getenv (const char *name)
{
  allocate ();
  return NEXT (getenv) (name);
}
