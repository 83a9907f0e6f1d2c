/* random SEED OPERATIONS: a program that keeps a shadow of every block, does
   what a random number says, and looks at every block's content before it
   changes or frees it.  Every entry point, every layer.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum { LIVE = 3000 };

typedef struct shadow
{
  void *p;
  size_t size;
  uint64_t seed;
} shadow;

static shadow live[LIVE];
static uint64_t rng;
static size_t operations = 500000;

static size_t
random_size (void)
{
  uint64_t r = rng_next (&rng);
  unsigned dice = (unsigned) (r >> 40) % 1000;
  r &= 0xffffffff;
  if (dice < 700)
    return r % 513;
  if (dice < 900)
    return r % 2049;
  if (dice < 985)
    return r % 32769;
  if (dice < 998)
    return r % 2097153;
  return r % 8000000;
}

static bool
good (const shadow *s)
{
  return CHECKF (block_good (s->p, s->size, s->seed),
                 "%zu bytes at %p changed", s->size, s->p);
}

static void
take (shadow *s, void *p, size_t size, size_t align)
{
  if (!CHECKF (p, "no %zu bytes at %zu: errno %d", size, align, errno))
    return;
  CHECKF ((uintptr_t) p % align == 0, "%p is not aligned to %zu", p, align);
  size_t usable = malloc_usable_size (p);
  CHECKF (usable >= size, "%zu of %zu bytes usable", usable, size);
  /* Now and then use every byte there is.  */
  if ((rng_next (&rng) & 15) == 0 && usable < 100000)
    size = usable;
  *s = (shadow) { p, size, rng_next (&rng) };
  block_fill (p, size, s->seed);
}

static void
make (shadow *s)
{
  size_t size = random_size (), align = 16;
  void *p = NULL;
  switch (rng_next (&rng) % 16)
    {
    case 0:
    case 1:
      p = calloc (1, size);
      CHECKF (!p || block_zero (p, size), "calloc (%zu) is not zero", size);
      break;
    case 2:
      p = reallocarray (NULL, size, 1);
      break;
    case 3:
      p = realloc (NULL, size);
      break;
    case 4:
      align = (size_t) 16 << rng_next (&rng) % 9;
      p = aligned_alloc (align, size);
      break;
    case 5:
      align = (size_t) 16 << rng_next (&rng) % (rng_next (&rng) % 16 ? 9 : 18);
      if (posix_memalign (&p, align, size) != 0)
        p = NULL;
      break;
    default:
      p = malloc (size);
    }
  take (s, p, size, align);
}

static void
resize (shadow *s)
{
  size_t to = random_size () + 1;
  uintptr_t old = (uintptr_t) s->p;
  void *p = realloc (s->p, to);
  if (!CHECKF (p, "realloc to %zu: errno %d", to, errno))
    return;
  CHECKF (block_kept (p, s->size < to ? s->size : to, s->size, old, s->seed),
          "content lost from %zu to %zu bytes", s->size, to);
  take (s, p, to, 16);
}

static void
drop (shadow *s)
{
  if (rng_next (&rng) % 64 == 0)
    CHECK (realloc (s->p, 0) == NULL);
  else
    free (s->p);
  s->p = NULL;
}

TEST (shadow_of_every_block)
{
  for (size_t i = 0; i < operations && !check_failures; i++)
    {
      shadow *s = &live[rng_next (&rng) % LIVE];
      if (!s->p)
        {
          make (s);
          continue;
        }
      if (!good (s))
        break;
      if (rng_next (&rng) % 5 == 0)
        resize (s);
      else
        drop (s);
      /* Phases: sometimes most of it goes, so that slabs empty and return.  */
      if (rng_next (&rng) % 50000 == 0)
        for (size_t j = rng_next (&rng) % 7; j < LIVE; j++)
          if (live[j].p && j % 7 && good (&live[j]))
            drop (&live[j]);
      if (rng_next (&rng) % 100000 == 0)
        malloc_trim (0);
    }
  for (size_t j = 0; j < LIVE; j++)
    if (live[j].p && good (&live[j]))
      drop (&live[j]);
}

int
main (int argc, char **argv)
{
  rng = rng_seed (argc > 1 ? strtoull (argv[1], NULL, 10) : 1);
  if (argc > 2)
    operations = strtoull (argv[2], NULL, 10);
  RUN (shadow_of_every_block);
  return check_done ();
}
