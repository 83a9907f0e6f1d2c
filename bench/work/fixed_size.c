/* One size at a time, from 8 to 2048 bytes by steps of an eighth: `depth`
   blocks are allocated and freed youngest first, then allocated and freed
   oldest first, `rounds` times for each size.

     fixed_size [rounds [depth]]  */
#include "work.h"

enum { ROUNDS, DEPTH, DEPTH_MOST = 1024 };

static struct work_arg args[] = {
  [ROUNDS] = { "rounds", 25000, 1, WORK_MANY },
  [DEPTH] = { "depth", 16, 1, DEPTH_MOST },
};

static void
both_orders (size_t size, int depth)
{
  void *block[DEPTH_MOST];
  for (int i = 0; i < depth; i++)
    block[i] = work_new (size);
  for (int i = depth - 1; i >= 0; i--)
    work_drop (block[i]);
  for (int i = 0; i < depth; i++)
    block[i] = work_new (size);
  for (int i = 0; i < depth; i++)
    work_drop (block[i]);
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long rounds = args[ROUNDS].value, depth = args[DEPTH].value, sizes = 0;
  work_start ();
  for (size_t size = 8; size <= 2048; size += size < 64 ? 8 : size / 8)
    {
      sizes++;
      for (long i = 0; i < rounds; i++)
        both_orders (size, (int) depth);
    }
  work_stop ();
  work_report (sizes * rounds * depth * 2, "");
  return 0;
}
