/* Live blocks of mid size, of which a random one is replaced; every turn
   another size is frequent.

     phased_sizes [iterations [turns [blocks [first [second [seed]]]]]]

   iterations are those of half a turn.  Of the new blocks, 60 % have the
   turn's size, which is first and second by turns; the others 2 to 6 KiB.  */
#include "phase.h"

enum { ITERATIONS, TURNS, BLOCKS, FIRST, SECOND, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 1500000, 1, WORK_MANY },
  [TURNS] = { "turns", 4, 1, 1000 },
  [BLOCKS] = { "blocks", 20000, 1, WORK_MANY },
  [FIRST] = { "first", 8230, 8, WORK_MANY },
  [SECOND] = { "second", 12400, 8, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

enum { FREQUENT = 60, LEAST = 2 << 10, MOST = 6 << 10 };

static void **slot;
static uint64_t random_state;

static const char *
name (long turn)
{
  return turn % 2 ? "second" : "first";
}

static size_t
pick_size (long turn, uint64_t bits)
{
  if (work_below (bits, 100) < FREQUENT)
    return (size_t) args[turn % 2 ? SECOND : FIRST].value;
  return LEAST + work_below (bits << 32, MOST - LEAST + 1);
}

static long
run (long turn, int half)
{
  (void) half;
  for (long i = 0; i < args[ITERATIONS].value; i++)
    {
      size_t at = work_below (work_random (&random_state),
                              (size_t) args[BLOCKS].value);
      phase_replace (slot + at, pick_size (turn, work_random (&random_state)));
    }
  return args[ITERATIONS].value;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  random_state = work_seed (args[SEED].value, 0);
  slot = work_slots (args[BLOCKS].value);
  for (long i = 0; i < args[BLOCKS].value; i++)
    slot[i] = phase_new (pick_size (0, work_random (&random_state)));
  phase_run (args[TURNS].value, name, run);
  work_slots_free (slot, args[BLOCKS].value);
  work_report (phase_ops, "");
  return 0;
}
