/* What the compiler's start files and libc_nonshared.a would add to a shared
   library, for where it is linked without them (HKM_PROTECTION_NOTE in
   m4/hkm-flags.m4): those objects lack the branch protection note, and one
   object without it takes it from the whole library.

   Left out is __cxa_finalize at dlclose: -z nodlopen.  */
#include "base/compiler.h"

#include <pthread.h>

/* Names this library to __register_atfork.  */
__attribute__ ((visibility ("hidden"))) extern void *const __dso_handle;
void *const __dso_handle = (void *) &__dso_handle;

extern int __register_atfork (void (*prepare) (void), void (*parent) (void),
                              void (*child) (void), void *handle);

/* Hidden: the library's own use of it, never a program's.  */
__attribute__ ((visibility ("hidden"))) int
pthread_atfork (void (*prepare) (void), void (*parent) (void),
                void (*child) (void))
{
  return __register_atfork (prepare, parent, child, (void *) &__dso_handle);
}
