/* Large and big blocks that come and go, more of the ones and of the others by
   turns.

     phased_churn [iterations [turns [large [big [seed]]]]]

   iterations are those of half a turn; each replaces a random block or, one
   time in four, drops it.  In the first turn and every second, all but one in
   64 of them are blocks of 40 KiB to 1.5 MiB, in a table of `large'; in the
   others every fourth is a block of 3 to 48 MiB, in a table of `big'.  ops are
   MiB of the blocks that were made.  */
#include "phase.h"

enum { ITERATIONS, TURNS, LARGE, BIG, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 9000, 1, WORK_MANY },
  [TURNS] = { "turns", 4, 1, 1000 },
  [LARGE] = { "large", 64, 1, WORK_MANY },
  [BIG] = { "big", 6, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static const struct { size_t least, most; } range[] = {
  { 40 << 10, 1536 << 10 }, { 3 << 20, 48 << 20 }
};

static void **slot[2];
static uint64_t random_state;

static const char *
name (long turn)
{
  return turn % 2 ? "big" : "large";
}

static size_t
replace_one (int kind)
{
  uint64_t bits = work_random (&random_state);
  void **one = slot[kind] + work_below (bits << 32, (size_t)
                                        args[kind ? BIG : LARGE].value);
  if (work_below (bits, 4) == 0)
    {
      work_drop (*one);
      *one = NULL;
      return 0;
    }
  /* Short ones are more frequent.  */
  size_t span = range[kind].most - range[kind].least;
  size_t part = work_below (work_random (&random_state), span);
  part = work_below (work_random (&random_state), part + 1);
  size_t size = range[kind].least + part;
  phase_replace (one, size);
  return size;
}

static long
run (long turn, int half)
{
  size_t bytes = 0, big_in = turn % 2 ? 4 : 64;
  (void) half;
  for (long i = 0; i < args[ITERATIONS].value; i++)
    bytes += replace_one (!work_below (work_random (&random_state), big_in));
  return (long) (bytes >> 20);
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  random_state = work_seed (args[SEED].value, 0);
  for (int kind = 0; kind < 2; kind++)
    slot[kind] = work_slots (args[kind ? BIG : LARGE].value);
  phase_run (args[TURNS].value, name, run);
  for (int kind = 0; kind < 2; kind++)
    work_slots_free (slot[kind], args[kind ? BIG : LARGE].value);
  work_report (phase_ops, "");
  return 0;
}
