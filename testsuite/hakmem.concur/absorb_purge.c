/* Slabs become all free by remote frees alone while their owner takes in their
   remote lists.  An owner used to publish the blocks as home before they were;
   then the push of the last one out found the slab all free and purged it under
   the owner's hands, which read a free list of zeros ("corrupted free list").
   Two ways there: a thread that frees the last blocks of many slabs while the
   owner goes through their lists, and any number of threads at random.  With
   HAKMEM_RETAIN=0 every such slab is purged at once, else only what is over
   the budget.  */
#include "concur.h"

enum { BOXES = 64, BATCH = 1024, SLAB = 65536, MOST = 8 };

/* --- towards each other --- */

/* Of each GROUP blocks, which are fewer than a slab's, one is freed last.  */
enum { SIZE = 64, GROUP = 128 };

static block **table;
static long count;
static pthread_barrier_t both;
static bool started;

static block *
block_of (size_t size, uint64_t *random)
{
  /* Not block_new: zeroed and aligned blocks would be of more classes, and the
     slabs wouldn't be used up.  */
  void *p = malloc (size);
  if (p == NULL)
    die ("memory", "no block of %zu bytes: %d", size, errno);
  return block_write (p, size, draw (random));
}

static void *
owner (void *unused UNUSED)
{
  uint64_t random = 9;
  block *mine = NULL;
  for (long i = 0; i < count; i++)
    table[i] = block_of (SIZE, &random);
  pthread_barrier_wait (&both);
  pthread_barrier_wait (&both);
  __atomic_store_n (&started, true, __ATOMIC_RELEASE);
  /* One of them needs a refill, which takes in all lists first.  */
  for (size_t size = SIZE; size <= 32 * SIZE; size += SIZE / 4)
    {
      block_free (mine);
      mine = block_of (size, &random);
    }
  block_free (mine);
  return NULL;
}

/* In a process of its own, since the allocator learns from one meeting to purge
   less.  */
static void
meet (const void *arg)
{
  bool backwards = *(const bool *) arg;
  pthread_barrier_init (&both, NULL, 2);
  pthread_t id = thread_start (owner, NULL);
  pthread_barrier_wait (&both);
  for (long i = 0; i < count; i++)
    if (i % GROUP != 0)
      block_free (table[i]);
  pthread_barrier_wait (&both);
  /* The few blocks left are freed faster than a thread wakes up.  */
  while (!__atomic_load_n (&started, __ATOMIC_ACQUIRE))
    ;
  /* The owner starts at one end; we at either.  */
  for (long i = 0; i < count; i += GROUP)
    block_free (table[backwards ? count - GROUP - i : i]);
  pthread_join (id, NULL);
}

/* --- at random --- */

/* Classes of each kind, one of them often: its slabs are in use at any time. */
static const uint16_t sizes[] = { 512, 512, 500, 256, 1024, 2048,
                                  128, 64, 4096, 30000, 512, 700 };
enum { SIZES = sizeof sizes / sizeof *sizes };

static block *box[BOXES][BATCH];
static long producers, consumers, rounds, made, freed;
static bool no_more;

static void *
producer (void *arg)
{
  uint64_t random = mix ((uint64_t) arg);
  long my_made = 0, my_freed = 0;
  for (long i = 0; i < rounds; i++)
    {
      size_t size = sizes[below (&random, SIZES)];
      block **to = box[below (&random, BOXES)];
      size_t n = SLAB / size * (1 + below (&random, 3));
      if (n > BATCH)
        n = BATCH;
      for (size_t k = 0; k < n; k++)
        {
          block *b = block_swap (&to[k], block_of (size, &random));
          my_freed += b != NULL;
          block_free (b);
        }
      my_made += n;
    }
  __atomic_add_fetch (&made, my_made, __ATOMIC_RELAXED);
  __atomic_add_fetch (&freed, my_freed, __ATOMIC_RELAXED);
  return NULL;
}

static long
empty (block **from)
{
  long n = 0;
  for (int k = 0; k < BATCH; k++)
    if (__atomic_load_n (&from[k], __ATOMIC_RELAXED) != NULL)
      {
        block *b = block_swap (&from[k], NULL);
        n += b != NULL;
        block_free (b);
      }
  return n;
}

static void *
consumer (void *arg)
{
  uint64_t random = mix (~(uint64_t) arg);
  long my_freed = 0;
  while (!__atomic_load_n (&no_more, __ATOMIC_RELAXED))
    my_freed += empty (box[below (&random, BOXES)]);
  __atomic_add_fetch (&freed, my_freed, __ATOMIC_RELAXED);
  return NULL;
}

/* One generation of threads; the next takes over their heaps.  */
static void
run (long seed)
{
  pthread_t thread[2 * MOST];
  __atomic_store_n (&no_more, false, __ATOMIC_RELAXED);
  for (long i = 0; i < producers + consumers; i++)
    thread[i] = thread_start (i < producers ? producer : consumer,
                              (void *) (seed * 2 * MOST + i));
  for (long i = 0; i < producers; i++)
    pthread_join (thread[i], NULL);
  __atomic_store_n (&no_more, true, __ATOMIC_RELAXED);
  for (long i = 0; i < consumers; i++)
    pthread_join (thread[producers + i], NULL);
}

int
main (int argc, char **argv)
{
  producers = param (argc, argv, "producers", 2);
  consumers = param (argc, argv, "consumers", 3);
  rounds = param (argc, argv, "rounds", SANITIZED ? 300 : 1000);
  long runs = param (argc, argv, "runs", 3);
  long meetings = param (argc, argv, "meetings", SANITIZED ? 6 : 60);
  count = param (argc, argv, "blocks", SANITIZED ? 1 << 18 : 1 << 19);
  if (producers > MOST || consumers > MOST || count % GROUP != 0)
    die ("parameters", "at most %d threads a side, blocks in %ds", MOST, GROUP);
  table = table_new (count * sizeof *table);
  for (long i = 0; i < meetings; i++)
    apart ("meeting", meet, &(bool){ i % 2 != 0 });
  verdict (failures == 0, "towards each other", "%d of %ld meetings", failures,
           meetings);
  for (long i = 0; i < runs; i++)
    run (i);
  for (int i = 0; i < BOXES; i++)
    freed += empty (box[i]);
  verdict (made == freed, "at random", "%ld made, %ld freed", made, freed);
  return finish ();
}
