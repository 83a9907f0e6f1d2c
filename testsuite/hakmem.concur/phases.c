/* One thread grows and shrinks.  Freeing everything must show in resident
   memory at once, with no further call and no waiting; freeing a random nine
   tenths must leave the rest intact, through later growth as well.  */
#include "concur.h"

enum { TOTAL = 256 << 20, LEFT_KIB = 16 << 10 };

static block **table;
static size_t most, count;
static long total;
static uint64_t random_state = 3;

static void
grow (long bytes, size_t low, size_t high)
{
  for (long made = 0; made < bytes && count < most; count++)
    {
      size_t size = draw_size (&random_state, low, high);
      table[count] = block_new (size, &random_state);
      made += size;
    }
}

static void
shuffle (void)
{
  for (size_t i = count; i-- > 1;)
    {
      size_t k = below (&random_state, i + 1);
      block *b = table[i];
      table[i] = table[k];
      table[k] = b;
    }
}

/* Free blocks from the table's end until KEEP are left; the rest is looked
   at where it lies.  */
static void
shrink (size_t keep)
{
  while (count > keep)
    block_free (table[--count]);
  for (size_t i = 0; i < count; i++)
    block_check (table[i]);
}

typedef struct kind
{
  const char *name;
  size_t low, high;
  bool random_order;
} kind;

static const kind kinds[] = {
  { "tiny in order", 16, 255, false },
  { "small at random", 16, 2048, true },
  { "mid at random", 2049, 32768, true },
  { "large at random", 32769, 1 << 20, true },
  { "big", (1 << 20) + 1, 32 << 20, true },
  { "everything", 16, 4 << 20, true },
};

static void
all (const void *arg)
{
  const kind *k = arg;
  const char *unknown = resident_unknown ();
  free (malloc (1));
  long base = resident_kib ();
  grow (total, k->low, k->high);
  long full = resident_kib ();
  if (k->random_order)
    shuffle ();
  shrink (0);
  long after = resident_kib ();
  if (unknown)
    say ("skip %s: %s", k->name, unknown);
  else
    {
      say ("phases %s: %ld KiB before, %ld full, %ld freed", k->name, base,
           full, after);
      verdict (after <= base + LEFT_KIB, k->name, "%ld KiB before, %ld after "
               "all of %ld was freed", base, after, full);
    }
  /* Again: what was purged must read as fresh memory does.  */
  grow (total, k->low, k->high);
  shrink (0);
}

static void
nine_tenths (const void *unused UNUSED)
{
  grow (total / 4, 16, 2015);
  long full = resident_kib ();
  size_t first = count;
  for (int time = 0; time < 3; time++)
    {
      shuffle ();
      shrink (first / 10);
      long sparse = resident_kib ();
      if (time == 0 && resident_unknown () == NULL)
        say ("phases nine tenths: %ld KiB full, %ld with a tenth left", full,
             sparse);
      malloc_trim (0);
      for (size_t i = 0; i < count; i++)
        block_check (table[i]);
      grow (total / 8, 16, 32768);
    }
  shuffle ();
  shrink (0);
  verdict (true, "nine tenths", "content");
}

int
main (int argc, char **argv)
{
  total = param (argc, argv, "bytes", SANITIZED ? TOTAL / 32 : TOTAL);
  most = total / 16;
  table = table_new (most * sizeof *table);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    apart (kinds[i].name, all, &kinds[i]);
  apart ("nine tenths", nine_tenths, NULL);
  return finish ();
}
