/* The loop of cache_scratch and cache_thrash: each thread has one small block
   at a time, writes it many times, and allocates the next.  It is slow if
   blocks of different threads share a cache line.  */
#include "work.h"

enum { THREADS, ITERATIONS, WRITES, SIZE };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [ITERATIONS] = { "iterations", 4000000, 1, WORK_MANY },
  [WRITES] = { "writes", 100, 1, WORK_MANY },
  [SIZE] = { "size", 8, WORK_LEAST, 1 << 20 },
};

static inline void
cache_lines_use (void)
{
  size_t size = (size_t) args[SIZE].value;
  long writes = args[WRITES].value;
  for (long i = args[ITERATIONS].value; i > 0; i--)
    {
      void *block = work_new (size);
      volatile uint64_t *word = block;
      uint64_t before = *word;
      for (long k = writes; k > 0; k--)
        *word = *word + 1;
      *word = *word - (uint64_t) writes;
      if (*word != before)
        work_die ("block %p does not hold what was written", block);
      work_drop (block);
    }
}
