/* Blocks above 1 MiB, made and freed by different threads, also calloc'ed
   (which must be zero although the cache hands out used mappings), aligned
   beyond a page, and grown.  Both ends and a word of every page are checked.  */
#include "concur.h"

enum { SHARED = 16, MOST = 16, END = 8192, LEFT_KIB = 4 << 10 };

/* A big block is described out of band, and reached through one pointer.  */
typedef struct big
{
  char *at;
  size_t size;
  uint64_t key;
} big;

static big *shared[SHARED];
static long steps, largest, page;

static void
big_write (big *b, uint64_t key)
{
  b->key = key;
  pattern_fill (b->at, END, key);
  pattern_fill (b->at + b->size - END, END, ~key);
  for (size_t i = END; i + 8 + END <= b->size; i += page)
    memcpy (b->at + i, &(uint64_t){ key ^ i }, 8);
}

/* Content as written, as far as BYTES, which may be less than it was.  */
static void
big_check (const big *b, size_t bytes)
{
  size_t wrong = pattern_check (b->at, END, b->key);
  if (wrong < END)
    die ("integrity", "big block %p of %zu bytes: wrong at %zu", (void *) b->at,
         b->size, wrong);
  for (size_t i = END; i + 8 + END <= b->size && i + 8 <= bytes; i += page)
    if (memcmp (b->at + i, &(uint64_t){ b->key ^ i }, 8) != 0)
      die ("integrity", "big block %p of %zu bytes: wrong at %zu",
           (void *) b->at, b->size, i);
  if (bytes >= b->size
      && pattern_check (b->at + b->size - END, END, ~b->key) < END)
    die ("integrity", "big block %p of %zu bytes: wrong at its end",
         (void *) b->at, b->size);
}

static void
big_free (big *b)
{
  if (b == NULL)
    return;
  big_check (b, b->size);
  free (b->at);
  free (b);
}

static big *
big_new (uint64_t *random)
{
  big *b = malloc (sizeof *b);
  size_t align = 16;
  b->size = draw_size (random, (1 << 20) + 1, largest);
  switch (below (random, 6))
    {
    case 0:
      b->at = calloc (b->size, 1);
      for (size_t i = 0; b->at != NULL && i + 8 <= b->size; i += 512)
        must_be_zero (b->at + i, 8);
      break;
    case 1:
      align = (size_t) 4096 << below (random, 11);
      b->at = aligned_alloc (align, b->size);
      break;
    default:
      b->at = malloc (b->size);
    }
  if (b->at == NULL || ((uintptr_t) b->at & (align - 1)) != 0)
    die ("memory", "big block of %zu bytes aligned to %zu: %p", b->size, align,
         (void *) b->at);
  big_write (b, draw (random));
  return b;
}

static void
big_resize (big *b, uint64_t *random)
{
  size_t size = draw_size (random, (1 << 20) + 1, largest);
  char *at = realloc (b->at, size);
  if (at == NULL)
    die ("memory", "realloc from %zu to %zu bytes", b->size, size);
  b->at = at;
  big_check (b, size < b->size ? size : b->size);
  b->size = size;
  big_write (b, draw (random));
}

static void *
work (void *arg)
{
  uint64_t random = mix ((long) arg + 77);
  for (long i = 0; i < steps; i++)
    {
      big **place = &shared[below (&random, SHARED)];
      big *b = __atomic_exchange_n (place, NULL, __ATOMIC_ACQ_REL);
      if (b != NULL && below (&random, 3) != 0)
        big_resize (b, &random);
      else
        {
          big_free (b);
          b = big_new (&random);
        }
      big_free (__atomic_exchange_n (place, b, __ATOMIC_ACQ_REL));
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 4);
  steps = param (argc, argv, "steps", SANITIZED ? 60 : 400);
  largest = param (argc, argv, "largest", 12 << 20);
  page = sysconf (_SC_PAGESIZE);
  pthread_t thread[MOST];
  if (threads > MOST)
    die ("parameters", "at most %d threads", MOST);
  free (malloc (1));
  long base = resident_kib ();
  for (long i = 0; i < threads; i++)
    thread[i] = thread_start (work, (void *) i);
  for (long i = 0; i < threads; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    big_free (__atomic_exchange_n (&shared[i], NULL, __ATOMIC_ACQ_REL));
  verdict (true, "big_mt", "content");
  const char *unknown = resident_unknown ();
  long kept = resident_kib ();
  malloc_trim (0); /* what was wanted again so often is kept until asked for */
  long after = resident_kib ();
  if (unknown)
    say ("skip memory back: %s", unknown);
  else
    {
      say ("big_mt: %ld KiB before, %ld freed, %ld trimmed", base, kept, after);
      verdict (after <= base + LEFT_KIB, "memory back",
               "%ld KiB before, %ld after all was freed and trimmed", base,
               after);
    }
  return finish ();
}
