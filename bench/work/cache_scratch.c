/* As cache_thrash, but each thread starts by freeing a block that the main
   thread allocated, next to those of the other threads: an allocator that
   gives it this block again makes the threads share a cache line for good.

     cache_scratch [threads [iterations [writes [size]]]]

   iterations are a thread's, writes those between a malloc and its free.  */
#include "cache_lines.h"

static void *given[WORK_THREADS];

static void *
body (void *index)
{
  work_drop (given[(long) index]);
  cache_lines_use ();
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long threads = args[THREADS].value;
  work_start ();
  for (long i = 0; i < threads; i++)
    given[i] = work_new ((size_t) args[SIZE].value);
  work_threads (threads, body);
  work_stop ();
  work_report (threads * (args[ITERATIONS].value + 1), "");
  return 0;
}
