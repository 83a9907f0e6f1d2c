/* A library to plant: every program with it prints a line too many.  */
#include <unistd.h>

__attribute__ ((constructor)) static void
talk (void)
{
  if (write (1, "hello\n", 6) != 6)
    _exit (4);
}
