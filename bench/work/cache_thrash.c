/* Threads with a small block each, allocated anew again and again and written
   many times: an allocator that serves neighbouring threads from one cache
   line makes them wait for each other.

     cache_thrash [threads [iterations [writes [size]]]]

   iterations are a thread's, writes those between a malloc and its free.  */
#include "cache_lines.h"

static void *
body (void *index)
{
  (void) index;
  cache_lines_use ();
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  work_measure (args[THREADS].value, body,
                args[THREADS].value * args[ITERATIONS].value);
  return 0;
}
