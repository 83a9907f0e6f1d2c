/* hkm_syscall as it is on machines without one of its own: libc's syscall (), for
   a preload to see.  Linked with the library's other objects.  */
#include "like_syscall.h"

#include <unistd.h>

static long
by_libc (long number, const long x[6])
{
  return syscall (number, x[0], x[1], x[2], x[3], x[4], x[5]);
}

long hkm_syscall (long number, ...);
LIKE_SYSCALL (hkm_syscall, by_libc)
