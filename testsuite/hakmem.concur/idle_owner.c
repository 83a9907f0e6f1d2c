/* A thread allocates 256 MiB, then waits for good; another one frees it all.
   The owner makes no call any more, yet the memory must go back to the OS with
   the last free: the freeing thread has to see to it.  Then the owner wakes up
   and works with what it finds: purged slabs must not be taken for carved.  */
#include "concur.h"

/* The floor of retention, and room for what an owner who sleeps can't let go
   of: a current slab for each class, 8.9 MiB together.  */
enum { TOTAL = 256 << 20, FLOOR_KIB = 8 << 10, SLACK_KIB = 9 << 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static enum { WORK, ALLOCATED, AGAIN, AGAIN_DONE, END } phase = WORK;

static block **table;
static size_t most, count;
static size_t low, high;
static long total;

static void
go_to (int next)
{
  pthread_mutex_lock (&lock);
  phase = next;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

static void
wait_for (int wanted)
{
  pthread_mutex_lock (&lock);
  while ((int) phase < wanted)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

static void
allocate (long bytes)
{
  uint64_t random = 5;
  count = 0;
  for (long made = 0; made < bytes && count < most; count++)
    {
      size_t size = draw_size (&random, low, high);
      table[count] = block_new (size, &random);
      made += size;
    }
}

static void *
owner (void *unused UNUSED)
{
  allocate (total);
  go_to (ALLOCATED);
  wait_for (AGAIN);
  allocate (total / 4);
  for (size_t i = 0; i < count; i++)
    block_free (table[i]);
  go_to (AGAIN_DONE);
  wait_for (END);
  return NULL;
}

typedef struct kind
{
  const char *name;
  size_t low, high;
  bool random_order;
} kind;

static const kind kinds[] = {
  { "tiny in order", 16, 255, false },
  { "tiny at random", 16, 255, true },
  { "small at random", 16, 2048, true },
  { "mid in order", 2049, 32768, false },
  { "mid at random", 2049, 32768, true },
  { "mixed at random", 16, 32768, true },
};

static void
shuffle (void)
{
  uint64_t random = 6;
  for (size_t i = count; i-- > 1;)
    {
      size_t k = below (&random, i + 1);
      block *b = table[i];
      table[i] = table[k];
      table[k] = b;
    }
}

static void
run (const void *arg)
{
  const kind *k = arg;
  const char *unknown = resident_unknown ();
  low = k->low, high = k->high;
  free (malloc (1)); /* whatever the first call costs is in the base */
  long base = resident_kib ();
  pthread_t id = thread_start (owner, NULL);
  wait_for (ALLOCATED);
  long full = resident_kib ();
  if (k->random_order)
    shuffle ();
  for (size_t i = 0; i < count; i++)
    block_free (table[i]);
  long after = resident_kib ();
  go_to (AGAIN);
  wait_for (AGAIN_DONE);
  go_to (END);
  pthread_join (id, NULL);
  if (unknown)
    say ("skip %s: %s", k->name, unknown);
  else
    {
      say ("idle_owner %s: %zu blocks; %ld KiB before, %ld full, %ld freed",
           k->name, count, base, full, after);
      verdict (after <= base + FLOOR_KIB + SLACK_KIB, k->name,
               "%ld KiB before, %ld after all of %ld was freed by another "
               "thread", base, after, full);
    }
}

int
main (int argc, char **argv)
{
  total = param (argc, argv, "bytes", SANITIZED ? TOTAL / 64 : TOTAL);
  most = total / 32;
  table = table_new (most * sizeof *table);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    apart (kinds[i].name, run, &kinds[i]);
  return finish ();
}
