/* A preload that makes the kernel look like one with pages of PAGE bytes: the
   start block says so, mappings begin at multiples of it and are as long, and
   calls that such a kernel would refuse are refused.  It sees what goes through
   syscall (): so does everything in a library linked with by_libc.c.  What it
   refused, and lengths that such a kernel would round, are told when the process
   exits: there should be none.  */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "own_syscall.h"

static unsigned long calls, refused, rounded;

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

static long
map_at (unsigned long hint, unsigned long size, long prot, long flags)
{
  const long x[6] = { (long) hint, (long) size, prot, flags, -1, 0 };
  return next_syscall (SYS_MMAP, x);
}

/* At the hint if that is free, else at a multiple of PAGE.  */
static long
map (unsigned long hint, unsigned long size, long prot, long flags)
{
  hint &= -(unsigned long) PAGE;
  long at = map_at (hint, size, prot, flags);
  if (at == -1 || at % PAGE == 0)
    return at;
  munmap ((void *) at, size);
  at = map_at (0, size + PAGE, prot, flags);
  if (at == -1)
    return -1;
  long from = up (at), end = at + size + PAGE;
  if (from > at)
    munmap ((void *) at, from - at);
  if (end > from + (long) size)
    munmap ((void *) (from + size), end - from - size);
  return from;
}

static long
own_syscall (long number, long x[6])
{
  if (number != SYS_MMAP && number != SYS_munmap && number != SYS_madvise
      && number != SYS_mremap && number != SYS_mprotect)
    return next_syscall (number, x);
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
  return next_syscall (number, x);
}

__attribute__ ((destructor)) static void
report (void)
{
  fprintf (stderr, "%s, %lu refused, %lu rounded\n",
           calls > 0 ? "called" : "not called", refused, rounded);
}
