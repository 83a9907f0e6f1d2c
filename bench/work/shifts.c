/* A long mixed run whose phases differ in the sizes they use: half of the bytes
   are in blocks of all sizes, 16 bytes to 1 MiB, and half in blocks of the
   phase's own range; both are replaced at random all along.  From phase to
   phase the blocks of the old range go, in random order, as those of the new
   one come: as much is alive all the time.  Every block is written.

     shifts [mib [phases [seed [leave]]]]

   In each phase three times as many bytes are allocated as are alive.  leave 1:
   it ends with the last phase's blocks alive, for a report at exit.  ops are
   blocks.  Also printed: over_asked and over_asked_most, the mean and the most
   of all phases' ends but the first, of anonymous memory over the bytes asked
   for; live_kib and asked_kib, the two at the last one's end.  */
#include "work.h"

enum { MIB, PHASES, SEED, LEAVE };

static struct work_arg args[] = {
  [MIB] = { "mib", 128, 1, 1 << 14 },
  [PHASES] = { "phases", 10, 2, 1000 },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
  [LEAVE] = { "leave", 0, 0, 1 },
};

/* By phase: from, and for so many doublings.  The last is of the blocks that
   stay.  */
enum { RANGES = 5, ALL = RANGES };
static const struct { size_t least; int doublings; } range[RANGES + 1] = {
  { 16, 5 }, { 512, 2 }, { 2048, 4 }, { 32 << 10, 5 }, { 128, 10 }, { 16, 16 },
};

/* Blocks and their bytes.  The table is shared memory, which is not counted as
   anonymous.  */
struct set
{
  void **block;
  long count;
  size_t bytes;
};

static long made;

static void
set_open (struct set *set, size_t bytes)
{
  size_t most = bytes / 16 + 1;
  void *table = mmap (NULL, most * sizeof (void *),
                      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                      0);
  if (table == MAP_FAILED)
    work_die ("mmap fails: %s", strerror (errno));
  *set = (struct set) { table, 0, 0 };
}

/* Blocks of RANGE until SET has BYTES.  How many bytes came.  */
static size_t
fill (struct set *set, size_t bytes, int which, uint64_t *random)
{
  size_t before = set->bytes;
  while (set->bytes < bytes)
    {
      size_t size = work_size_log (random, range[which].least,
                                   range[which].doublings);
      void *block = work_new (size);
      memset (block, 1, size);
      work_stamp (block, size);
      set->block[set->count++] = block;
      set->bytes += size;
      made++;
    }
  return set->bytes - before;
}

static void
drop (struct set *set, long which)
{
  set->bytes -= work_size (set->block[which]);
  work_drop (set->block[which]);
  set->block[which] = set->block[--set->count];
}

/* Random blocks of SET, which has BYTES, go and others come, MORE bytes of
   them.  */
static void
turn_over (struct set *set, size_t bytes, size_t more, int which,
           uint64_t *random)
{
  for (size_t came = 0; came < more; came += fill (set, bytes, which, random))
    drop (set, (long) work_below (work_random (random), (size_t) set->count));
}

/* The blocks of OLD go, at random, and blocks of WHICH come in their place:
   BYTES together.  */
static void
shift (struct set *old, struct set *new, size_t bytes, int which,
       uint64_t *random)
{
  while (old->count > 0)
    {
      drop (old, (long) work_below (work_random (random),
                                    (size_t) old->count));
      fill (new, bytes - (old->bytes < bytes ? old->bytes : bytes), which,
            random);
    }
}

int
main (int argc, char **argv)
{
  enum { STEPS = 16 };
  char more[160];
  struct set stay, own[2];
  double ratio = 0, sum = 0, most = 0;
  WORK_ARGUMENTS (argc, argv, args);
  size_t half = (size_t) args[MIB].value << 19, asked = 0;
  uint64_t random = work_seed (args[SEED].value, 0);
  long phases = args[PHASES].value, live = 0;
  set_open (&stay, half);
  set_open (own, half);
  set_open (own + 1, half);
  work_start ();
  fill (&stay, half, ALL, &random);
  fill (own + 1, half, 0, &random);
  for (long i = 0; i < phases; i++)
    {
      struct set *mine = own + i % 2;
      int which = (int) (i % RANGES);
      shift (own + (i + 1) % 2, mine, half, which, &random);
      for (int k = 0; k < STEPS; k++)
        {
          turn_over (mine, half, half * 2 / STEPS, which, &random);
          turn_over (&stay, half, half * 3 / STEPS, ALL, &random);
        }
      live = work_rss_kib ();
      asked = (stay.bytes + mine->bytes) >> 10;
      ratio = (double) live / (double) asked;
      sum += i > 0 ? ratio : 0;
      most = i > 0 && ratio > most ? ratio : most;
    }
  for (int i = 0; i < 3 && !args[LEAVE].value; i++)
    for (struct set *set = i < 2 ? own + i : &stay; set->count > 0;)
      drop (set, set->count - 1);
  work_stop ();
  snprintf (more, sizeof more,
            "over_asked=%.3f over_asked_most=%.3f asked_kib=%zu live_kib=%ld",
            sum / (double) (phases - 1), most, asked, live);
  work_report (made, more);
  return 0;
}
