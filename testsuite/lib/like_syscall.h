/* LIKE_SYSCALL (NAME, TO): NAME is a function as libc's syscall (), and hands what
   it is given to TO (number, x): x are its arguments, of which there are six,
   wanted or not.  */
#ifndef LIKE_SYSCALL_H
#define LIKE_SYSCALL_H

#include <stdarg.h>

#define LIKE_SYSCALL(name, to)                                                \
  long name (long number, ...)                                                \
  {                                                                           \
    long x[6];                                                                \
    va_list list;                                                             \
    va_start (list, number);                                                  \
    for (int i = 0; i < 6; i++)                                               \
      x[i] = va_arg (list, long);                                             \
    va_end (list);                                                            \
    return to (number, x);                                                    \
  }

#endif
