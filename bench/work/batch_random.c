/* Blocks of one size are allocated in a row and freed in random order.

     batch_random [rounds [blocks [size [seed]]]]  */
#include "work.h"

enum { ROUNDS, BLOCKS, SIZE, SEED, BLOCKS_MOST = 1 << 20 };

static struct work_arg args[] = {
  [ROUNDS] = { "rounds", 35000, 1, WORK_MANY },
  [BLOCKS] = { "blocks", 1000, 1, BLOCKS_MOST },
  [SIZE] = { "size", 32, WORK_LEAST, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* Where the block that is allocated as the i-th stands in the order of frees:
   always the same permutation; the allocator's own order makes it new.  */
static int place[BLOCKS_MOST];

static void
shuffle (int blocks, uint64_t random)
{
  for (int i = 0; i < blocks; i++)
    {
      int other = (int) work_below (work_random (&random),
                                    (size_t) i + 1);
      place[i] = place[other];
      place[other] = i;
    }
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long rounds = args[ROUNDS].value;
  int blocks = (int) args[BLOCKS].value;
  size_t size = (size_t) args[SIZE].value;
  void **slot = work_slots (blocks);
  shuffle (blocks, work_seed (args[SEED].value, 0));
  work_start ();
  for (long i = 0; i < rounds; i++)
    {
      for (int k = 0; k < blocks; k++)
        slot[place[k]] = work_new (size);
      for (int k = 0; k < blocks; k++)
        {
          work_drop (slot[k]);
          slot[k] = NULL;
        }
    }
  work_stop ();
  work_slots_free (slot, blocks);
  work_report (rounds * blocks, "");
  return 0;
}
