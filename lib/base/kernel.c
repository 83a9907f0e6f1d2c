/* See kernel.h and kernel_call.S.  */
#include "base/kernel.h"

#include <errno.h>

#if HKM_OWN_SYSCALL

/* Where hkm_syscall goes when the kernel gives RESULT, an error.  */
long hkm_syscall_failed (long result);

long
hkm_syscall_failed (long result)
{
  errno = (int) -result;
  return -1;
}

#endif
