/* libc's syscall() replaced by the test's own, own_syscall, which may go on to
   libc's by next_syscall.  Include it after what own_syscall needs, once; as the
   program's, or as a preload's.  */
#ifndef OWN_SYSCALL_H
#define OWN_SYSCALL_H

#include "like_syscall.h"

#include <dlfcn.h>
#include <sys/syscall.h>

/* What the library calls to map memory.  */
#ifdef SYS_mmap2
#define SYS_MMAP SYS_mmap2
#else
#define SYS_MMAP SYS_mmap
#endif

/* NUMBER with its arguments X, of which there are six, wanted or not.  */
static long own_syscall (long number, long x[6]);

static long
next_syscall (long number, const long x[6])
{
  static long (*next) (long, ...);
  if (__atomic_load_n (&next, __ATOMIC_RELAXED) == 0)
    __atomic_store_n (&next, (long (*) (long, ...)) dlsym (RTLD_NEXT, "syscall"),
                      __ATOMIC_RELAXED);
  return next (number, x[0], x[1], x[2], x[3], x[4], x[5]);
}

__attribute__ ((visibility ("default"))) LIKE_SYSCALL (syscall, own_syscall)

#endif
