/* What dead threads leave behind is used again.  One thread after another
   allocates and exits with live blocks; later ones free them; memory must stay
   where it was after the first tenth of them.  */
#include "concur.h"

enum { BLOCKS = 64, WINDOW = 32, HALF = 4096 };

static block **left;      /* WINDOW threads' blocks */
static uint64_t random_state = 7;

/* Half of what an earlier thread left is freed here, the other half by the
   main thread; new blocks take the place of both.  */
static void *
one_of_many (void *arg)
{
  block **mine = arg;
  for (int i = 0; i < BLOCKS; i += 2)
    block_free (mine[i]);
  for (int i = 0; i < BLOCKS; i++)
    mine[i] = block_new (draw_size (&random_state, 16, 4096), &random_state);
  return NULL;
}

static void
sequence (long threads)
{
  const char *unknown = resident_unknown ();
  long early = 0, late;
  left = table_new (WINDOW * BLOCKS * sizeof *left);
  for (long i = 0; i < threads; i++)
    {
      block **mine = left + i % WINDOW * BLOCKS;
      for (int k = 1; k < BLOCKS; k += 2)
        block_free (mine[k]);
      pthread_join (thread_start (one_of_many, mine), NULL);
      if (i + 1 == threads / 10)
        early = resident_kib ();
    }
  late = resident_kib ();
  for (int i = 0; i < WINDOW * BLOCKS; i++)
    block_free (left[i]);
  if (unknown)
    say ("skip sequence: %s", unknown);
  else
    {
      say ("adopt: %ld KiB after %ld threads, %ld KiB after %ld", early,
           threads / 10, late, threads);
      verdict (late <= early + 1024, "sequence", "resident memory grew from "
               "%ld to %ld KiB over %ld threads", early, late, threads);
    }
}

static block *pool[HALF];

static void *
allocate_all (void *arg)
{
  uint64_t random = (long) arg;
  for (int i = 0; i < HALF; i++)
    if (pool[i] == NULL)
      pool[i] = block_new (draw_size (&random, 16, 16384), &random);
  return NULL;
}

static void *
free_half (void *arg)
{
  for (int i = (long) arg; i < HALF; i += 2)
    {
      block_free (pool[i]);
      pool[i] = NULL;
    }
  return NULL;
}

/* Thread A allocates and exits, B frees half, C fills the gaps, and so on:
   the gaps C fills are A's memory.  */
static void
halves (long rounds)
{
  const char *unknown = resident_unknown ();
  long full = 0, most = 0;
  for (long r = 0; r < rounds; r++)
    {
      pthread_join (thread_start (allocate_all, (void *) r), NULL);
      long kib = resident_kib ();
      if (r == 0)
        full = kib;
      most = kib > most ? kib : most;
      pthread_join (thread_start (free_half, (void *) (r & 1)), NULL);
    }
  for (int i = 0; i < HALF; i++)
    block_free (pool[i]);
  if (unknown)
    say ("skip halves: %s", unknown);
  else
    {
      say ("adopt: %ld KiB with all blocks first made, at most %ld later", full,
           most);
      verdict (most <= full + full / 4 + 4096, "halves",
               "the gaps of dead threads' slabs are not used: %ld KiB, then "
               "%ld", full, most);
    }
}

int
main (int argc, char **argv)
{
  halves (param (argc, argv, "rounds", SANITIZED ? 6 : 40));
  sequence (param (argc, argv, "threads", SANITIZED ? 1000 : 20000));
  return finish ();
}
