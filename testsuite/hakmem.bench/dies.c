/* A library to plant: programs that allocate little run with it, others end
   with exit status 3.  */
#include <stddef.h>
#include <unistd.h>

extern void *__libc_malloc (size_t);

void *
malloc (size_t size)
{
  static int left = 2000;
  if (--left < 0)
    _exit (3);
  return __libc_malloc (size);
}
