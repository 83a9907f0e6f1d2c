/* Allocation where a thread's or the process's life ends: in all four rounds
   of key destructors (the allocator's own key has run by then), in atexit
   handlers, in a destructor function, after main returned.  Blocks made so
   late are as good as others, and threads that do this leave no growth.  */
#include "concur.h"

/* A sanitizer's own record of a thread goes in the last of the four rounds. */
enum { ROUNDS = SANITIZED ? 3 : 4, BLOCKS = 48, SETS = 4 };

typedef struct estate /* of one thread */
{
  uint64_t random;
  int round;
  block *early[BLOCKS];        /* made by the living thread */
  block *late[ROUNDS][BLOCKS]; /* made by its destructors */
} estate;

static pthread_key_t key[2]; /* two keys: each round has a first and a last */
static long rounds_seen;

static void
fill (block **set, uint64_t *random)
{
  for (int i = 0; i < BLOCKS; i++)
    set[i] = block_new (draw_size (random, 16, i % 16 ? 2048 : 100000), random);
}

/* Round R frees a quarter of the thread's own blocks and what round R-1 made
   first, and makes new ones.  */
static void
destructor (void *arg)
{
  estate *e = arg;
  int r = e->round++;
  for (int i = r; i < BLOCKS; i += ROUNDS)
    {
      block_free (e->early[i]);
      e->early[i] = NULL;
    }
  fill (e->late[r], &e->random);
  if (r > 0)
    for (int i = 0; i < BLOCKS / 2; i++)
      {
        block_free (e->late[r - 1][i]);
        e->late[r - 1][i] = NULL;
      }
  block *grown = realloc (malloc (100), 5000);
  free (grown);
  __atomic_add_fetch (&rounds_seen, 1, __ATOMIC_RELAXED);
  if (e->round < ROUNDS)
    pthread_setspecific (key[0], e);
}

static void
second_destructor (void *arg)
{
  free (arg);
}

static void *
thread (void *arg)
{
  estate *e = arg;
  fill (e->early, &e->random);
  pthread_setspecific (key[0], e);
  pthread_setspecific (key[1], malloc (64));
  return NULL;
}

static void
collect (estate *e)
{
  for (int i = 0; i < BLOCKS; i++)
    {
      block_free (e->early[i]);
      for (int r = 0; r < ROUNDS; r++)
        block_free (e->late[r][i]);
    }
}

static void
key_destructors (long threads)
{
  const char *unknown = resident_unknown ();
  estate *set = table_new (SETS * sizeof *set);
  long early = 0;
  for (long i = 0; i < threads; i++)
    {
      pthread_t id[SETS];
      memset (set, 0, SETS * sizeof *set);
      for (int k = 0; k < SETS; k++)
        {
          set[k].random = mix (i * SETS + k);
          id[k] = thread_start (thread, &set[k]);
        }
      for (int k = 0; k < SETS; k++)
        pthread_join (id[k], NULL);
      for (int k = 0; k < SETS; k++)
        collect (&set[k]);
      if (i == threads / 2)
        {
          malloc_trim (0); /* what is kept for reuse is no growth */
          early = resident_kib ();
        }
    }
  malloc_trim (0);
  long late = resident_kib ();
  verdict (rounds_seen == threads * SETS * ROUNDS, "key destructors",
           "%ld rounds of destructors, not %ld", rounds_seen,
           threads * SETS * ROUNDS);
  if (unknown)
    say ("skip memory of late blocks: %s", unknown);
  else
    verdict (late <= early + 1024, "memory of late blocks",
             "grew from %ld to %ld KiB over %ld threads", early, late,
             threads * SETS);
}

/* --- the end of the process, latest last --- */

static uint64_t last_random = 11;
static block *from_main[BLOCKS], *from_atexit[BLOCKS];

static void
at_exit (void)
{
  for (int i = 0; i < BLOCKS / 2; i++)
    block_free (from_main[i]);
  fill (from_atexit, &last_random);
  verdict (true, "atexit", "content");
}

static void *
late_thread (void *unused UNUSED)
{
  block *set[BLOCKS];
  fill (set, &last_random);
  for (int i = 0; i < BLOCKS; i++)
    block_free (set[i]);
  return NULL;
}

static void
at_exit_first_registered (void) /* so it runs last */
{
  pthread_join (thread_start (late_thread, NULL), NULL);
  verdict (true, "thread after main", "content");
}

__attribute__ ((destructor)) static void
at_the_very_end (void)
{
  if (from_main[0] == NULL) /* a fault ended the run before */
    return;
  for (int i = BLOCKS / 2; i < BLOCKS; i++)
    block_free (from_main[i]);
  for (int i = 0; i < BLOCKS; i++)
    block_free (from_atexit[i]);
  block *set[BLOCKS];
  fill (set, &last_random);
  for (int i = 0; i < BLOCKS; i++)
    block_free (set[i]);
  verdict (true, "destructor function", "content");
  if (finish () != 0)
    _exit (1);
}

int
main (int argc, char **argv)
{
  pthread_key_create (&key[0], destructor);
  pthread_key_create (&key[1], second_destructor);
  atexit (at_exit_first_registered);
  atexit (at_exit);
  key_destructors (param (argc, argv, "threads", SANITIZED ? 100 : 1500));
  fill (from_main, &last_random);
  return 0;
}
