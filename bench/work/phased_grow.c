/* A working set of small and mid blocks that grows and shrinks: small, grown,
   small, grown, by turns.

     phased_grow [iterations [turns [kib [factor [seed]]]]]

   iterations are replacements of random blocks in half a turn.  The set has
   kib KiB in blocks of 32 bytes to 16 KiB, every doubling as likely as the
   others, and factor times as much when it is grown.  The first half of a turn
   begins with growing it, or with freeing random blocks until it is small.
   ops are blocks made or freed, by two.  */
#include "phase.h"

enum { ITERATIONS, TURNS, KIB, FACTOR, SEED };

static struct work_arg args[] = {
  [ITERATIONS] = { "iterations", 3500000, 1, WORK_MANY },
  [TURNS] = { "turns", 4, 1, 1000 },
  [KIB] = { "kib", 8 << 10, 64, 1 << 20 },
  [FACTOR] = { "factor", 8, 1, 1000 },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* Blocks of LEAST << DOUBLINGS - 1 bytes at most, of MEAN bytes.  */
enum { LEAST = 32, DOUBLINGS = 9, MEAN = 2725 };

static void **slot;
static long live;
static uint64_t random_state;

static const char *
name (long turn)
{
  return turn % 2 ? "grown" : "small";
}

static void *
make (void)
{
  return phase_new (work_size_log (&random_state, LEAST, DOUBLINGS));
}

static long
at_random (void)
{
  return (long) work_below (work_random (&random_state), (size_t) live);
}

/* Returns how many blocks came or went.  */
static long
become (long wanted)
{
  long before = live;
  while (live < wanted)
    slot[live++] = make ();
  while (live > wanted)
    {
      long at = at_random ();
      work_drop (slot[at]);
      slot[at] = slot[--live];
      slot[live] = NULL;
    }
  return before < live ? live - before : before - live;
}

static long
blocks_of (long turn)
{
  long small = args[KIB].value * 1024 / MEAN + 1;
  return turn % 2 ? small * args[FACTOR].value : small;
}

static long
run (long turn, int half)
{
  long moved = half == 1 ? become (blocks_of (turn)) : 0;
  for (long i = 0; i < args[ITERATIONS].value; i++)
    {
      void **one = slot + at_random ();
      work_drop (*one);
      *one = make ();
    }
  return args[ITERATIONS].value + moved / 2;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  random_state = work_seed (args[SEED].value, 0);
  slot = work_slots (blocks_of (1));
  become (blocks_of (0));
  phase_run (args[TURNS].value, name, run);
  work_slots_free (slot, blocks_of (1));
  work_report (phase_ops, "");
  return 0;
}
