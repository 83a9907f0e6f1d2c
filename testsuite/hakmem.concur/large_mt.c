/* Blocks of 32 KiB to 2 MiB, written wholly, made and freed by different
   threads; threads are replaced now and then, so their caches change hands, and
   somebody empties everybody's caches once in a while.
   At the end malloc_trim must find it all: what dead threads cached, and what
   was kept because it was wanted again so often.  */
#include "concur.h"

enum { SHARED = 128, MOST = 16, LEFT_KIB = 4 << 10 };

static block *shared[SHARED];
static long steps;

static void *
work (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (long i = 0; i < steps; i++)
    {
      block *b = block_new (draw_size (&random, 32 << 10, 2 << 20), &random);
      block_free (block_swap (&shared[below (&random, SHARED)], b));
      if (i % 25 == 24)
        malloc_trim (0);
      if (i % 4 == 0) /* and a few that stay in this thread */
        block_free (block_new (draw_size (&random, 1024, 64 << 10), &random));
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 4);
  long rounds = param (argc, argv, "rounds", SANITIZED ? 2 : 6);
  steps = param (argc, argv, "steps", SANITIZED ? 60 : 500);
  pthread_t thread[MOST];
  if (threads > MOST)
    die ("parameters", "at most %d threads", MOST);
  free (malloc (1));
  long base = resident_kib ();
  for (long r = 0; r < rounds; r++)
    {
      for (long i = 0; i < threads; i++)
        thread[i] = thread_start (work, (void *) (r * threads + i));
      for (long i = 0; i < threads; i++)
        pthread_join (thread[i], NULL);
    }
  long full = resident_kib ();
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  verdict (true, "large_mt", "content");
  long kept = resident_kib ();
  malloc_trim (0);
  long after = resident_kib ();
  const char *unknown = resident_unknown ();
  if (unknown)
    say ("skip memory back: %s", unknown);
  else
    {
      say ("large_mt: %ld KiB before, %ld full, %ld freed, %ld trimmed", base,
           full, kept, after);
      verdict (after <= base + LEFT_KIB, "memory back",
               "%ld KiB before, %ld after all of %ld was freed and trimmed",
               base, after, full);
    }
  return finish ();
}
