/* hkm_syscall as it is on machines without one of its own: libc's syscall (), for
   a preload to see.  Linked with the library's other objects.  */
#include <stdarg.h>
#include <unistd.h>

long hkm_syscall (long number, ...);

long
hkm_syscall (long number, ...)
{
  long x[6];
  va_list list;
  va_start (list, number);
  for (int i = 0; i < 6; i++)
    x[i] = va_arg (list, long);
  va_end (list);
  return syscall (number, x[0], x[1], x[2], x[3], x[4], x[5]);
}
