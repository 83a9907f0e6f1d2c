/* A preload that makes the kernel look like one with pages of PAGE bytes: the
   start block says so, mappings begin at multiples of it and are as long, and
   calls that such a kernel would refuse are refused.  It sees what goes through
   syscall (), which is how the allocator asks.  What it refused, and lengths that
   such a kernel would round, are told when the process exits: there should be
   none.  */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_mmap2
#define SYS_MMAP SYS_mmap2
#else
#define SYS_MMAP SYS_mmap
#endif

static unsigned long calls, refused, rounded;

static long
next (long number, long a, long b, long c, long d, long e, long f)
{
  static long (*found) (long, ...);
  if (found == NULL)
    found = (long (*) (long, ...)) dlsym (RTLD_NEXT, "syscall");
  return found (number, a, b, c, d, e, f);
}

static unsigned long
up (unsigned long n)
{
  return (n + PAGE - 1) & -(unsigned long) PAGE;
}

unsigned long
getauxval (unsigned long type)
{
  static unsigned long (*found) (unsigned long);
  if (type == AT_PAGESZ)
    return PAGE;
  if (found == NULL)
    found = (unsigned long (*) (unsigned long)) dlsym (RTLD_NEXT, "getauxval");
  return found (type);
}

static long
refuse (void)
{
  refused++;
  errno = EINVAL;
  return -1;
}

/* At the hint if that is free, else at a multiple of PAGE.  */
static long
map (unsigned long hint, unsigned long size, long prot, long flags)
{
  hint &= -(unsigned long) PAGE;
  long at = next (SYS_MMAP, hint, size, prot, flags, -1, 0);
  if (at == -1 || at % PAGE == 0)
    return at;
  munmap ((void *) at, size);
  at = next (SYS_MMAP, 0, size + PAGE, prot, flags, -1, 0);
  if (at == -1)
    return -1;
  long from = up (at), end = at + size + PAGE;
  if (from > at)
    munmap ((void *) at, from - at);
  if (end > from + (long) size)
    munmap ((void *) (from + size), end - from - size);
  return from;
}

long
syscall (long number, ...)
{
  va_list list;
  long x[6];
  va_start (list, number);
  for (int i = 0; i < 6; i++)
    x[i] = va_arg (list, long);
  va_end (list);
  if (number != SYS_MMAP && number != SYS_munmap && number != SYS_madvise
      && number != SYS_mremap && number != SYS_mprotect)
    return next (number, x[0], x[1], x[2], x[3], x[4], x[5]);
  calls++;
  if ((unsigned long) x[1] != up (x[1])
      || (number == SYS_mremap && (unsigned long) x[2] != up (x[2])))
    rounded++;
  if (number == SYS_MMAP)
    return map (x[0], up (x[1]), x[2], x[3]);
  if (x[0] % PAGE != 0 || (number == SYS_mremap && x[3] & MREMAP_FIXED
                           && x[4] % PAGE != 0))
    return refuse ();
  x[1] = up (x[1]);
  if (number == SYS_mremap)
    x[2] = up (x[2]);
  return next (number, x[0], x[1], x[2], x[3], x[4], x[5]);
}

__attribute__ ((destructor)) static void
report (void)
{
  fprintf (stderr, "%s, %lu refused, %lu rounded\n",
           calls > 0 ? "called" : "not called", refused, rounded);
}
