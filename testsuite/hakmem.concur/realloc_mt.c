/* Threads realloc blocks that others made: tiny to mid, mid to large, large to
   big, and back.  What both sizes have in common must survive every step.  */
#include "concur.h"

enum { SHARED = 256, MOST = 16 };

static block *shared[SHARED];
static long steps, biggest;

static size_t
another_size (uint64_t *random)
{
  switch (below (random, 64))
    {
    case 0:
      return draw_size (random, 16, biggest);
    case 1 ... 8:
      return draw_size (random, 16, 256 << 10);
    default:
      return draw_size (random, 16, 8192);
    }
}

/* B with SIZE bytes, its old content checked after the move.  */
static block *
block_resize (block *b, size_t size, uint64_t *random)
{
  size_t old = block_size (b);
  uint64_t seed = b->seed ^ mix ((uintptr_t) b + 1);
  uint64_t key = block_key (b, old, seed), words[2];
  block_check (b);
  memcpy (words, b, sizeof words);
  block *moved = realloc (b, size);
  if (moved == NULL)
    die ("memory", "realloc to %zu bytes", size);
  size_t common = (old < size ? old : size) - BLOCK_MIN;
  size_t at = common;
  if (memcmp (words, moved, sizeof words) != 0)
    die ("integrity", "realloc lost the first two words of %p", (void *) moved);
  /* A pattern cut short ends within a word: compare whole words, then the
     last one by its bytes.  */
  at = pattern_check (moved->body, common & ~(size_t) 7, key);
  if (at < (common & ~(size_t) 7))
    die ("integrity", "realloc from %zu to %zu bytes: wrong from byte %zu", old,
         size, at + BLOCK_MIN);
  return block_write (moved, size, draw (random));
}

static void *
resize_and_pass (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (long i = 0; i < steps; i++)
    {
      block **place = &shared[below (&random, SHARED)];
      block *b = block_swap (place, NULL);
      size_t size = another_size (&random);
      if (b == NULL)
        b = block_new (size, &random);
      else if (below (&random, 16) == 0)
        {
          block_free (b);
          continue;
        }
      else
        b = block_resize (b, size, &random);
      block_free (block_swap (place, b));
    }
  return NULL;
}

/* One block through every size from 16 bytes to LIMIT and back.  */
static void
ladder (size_t limit)
{
  uint64_t random = 9;
  block *b = block_new (16, &random);
  for (size_t size = 16; size <= limit; size += size / 7 + 16)
    b = block_resize (b, size, &random);
  for (size_t size = limit; size >= 16; size -= size / 5 + 1)
    b = block_resize (b, size, &random);
  block_free (b);
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 4);
  steps = param (argc, argv, "steps", SANITIZED ? 3000 : 30000);
  biggest = param (argc, argv, "biggest", SANITIZED ? 3 << 20 : 6 << 20);
  pthread_t thread[MOST];
  if (threads > MOST)
    die ("parameters", "at most %d threads", MOST);
  for (long i = 0; i < threads; i++)
    thread[i] = thread_start (resize_and_pass, (void *) i);
  for (long i = 0; i < threads; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  verdict (true, "threads", "content");
  ladder (SANITIZED ? 5 << 20 : 24 << 20);
  verdict (true, "ladder", "content");
  return finish ();
}
