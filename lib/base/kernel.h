/* System calls as libc's syscall () makes them, errno and all, but not by way of
   it: another preload may hook that, and hold a lock while it asks us for memory.
   On machines without kernel_call.S's few instructions, and in tests, which put a
   syscall () of their own in, it is libc's.  */
#ifndef HKM_BASE_KERNEL_H
#define HKM_BASE_KERNEL_H

#if !defined HKM_TEST_NAMES && !defined HKM_SANITIZE                          \
    && ((defined __x86_64__ && !defined __ILP32__) || defined __aarch64__)
#define HKM_OWN_SYSCALL 1
#else
#define HKM_OWN_SYSCALL 0
#endif

#ifndef __ASSEMBLER__
#include <sys/syscall.h>
#include <unistd.h>

#if HKM_OWN_SYSCALL
long hkm_syscall (long number, ...);
#else
#define hkm_syscall syscall
#endif
#endif

#endif
