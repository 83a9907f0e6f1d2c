/* The hot path alone: malloc and free of one small size in pairs, the block
   written in between.  Other blocks of the size are alive, and where every
   seventh of them was there are holes; so with `alive` 1 none is alive.

     tiny_hot [iterations [size [alive]]]  */
#include "work.h"

enum { ITERATIONS, SIZE, ALIVE, HOLE = 7 };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 40000000, 1, WORK_MANY },
  [SIZE] = { "size", 32, WORK_LEAST, 65536 },
  [ALIVE] = { "alive", 1, 1, WORK_MANY },
};

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long iterations = args[ITERATIONS].value, alive = args[ALIVE].value;
  size_t size = (size_t) args[SIZE].value;
  void **slot = work_slots (alive);
  for (long i = 0; i < alive; i++)
    slot[i] = work_new (size);
  for (long i = 0; i < alive; i += HOLE)
    {
      work_drop (slot[i]);
      slot[i] = NULL;
    }
  work_start ();
  for (long i = 0; i < iterations; i++)
    {
      /* Volatile: the check must read memory.  */
      volatile long *block = malloc (size);
      if (!block)
        work_die ("malloc (%zu) fails", size);
      *block = i;
      if (*block != i)
        work_die ("block %p does not hold what was written", (void *) block);
      free ((void *) block);
    }
  work_stop ();
  work_slots_free (slot, alive);
  work_report (iterations, "");
  return 0;
}
