/* How deep calls of the family go: on a painted stack, by a fiber.  Programs run
   them on stacks of a few KiB.  Reports (mallinfo, malloc_stats) are no part of
   this, and neither is what libc's fork, pthread_create or lazy binding take.  */
#include "../hakmem.concur/concur.h"
#include <malloc.h>
#include <ucontext.h>

enum { STACK = 64 << 10, FIRST = 2048, LATER = 1024, MANY = 50000, FEW = 400 };

static ucontext_t back, fiber;
static unsigned char *stack;
static void (*what) (void);
static void *table[MANY];
static size_t plain;

static void
run (void)
{
  what ();
}

static size_t
depth (void (*call) (void))
{
  memset (stack, 0xa5, STACK);
  what = call;
  getcontext (&fiber);
  fiber.uc_stack.ss_sp = stack;
  fiber.uc_stack.ss_size = STACK;
  fiber.uc_link = &back;
  makecontext (&fiber, run, 0);
  swapcontext (&back, &fiber);
  size_t untouched = 0;
  while (untouched < STACK && stack[untouched] == 0xa5)
    untouched++;
  return STACK - untouched;
}

static void nothing (void) { }
static void first (void) { table[0] = malloc (16); }

static void
some (int n, size_t from, size_t step)
{
  for (int i = 0; i < n; i++)
    table[i] = malloc (from + i % 3000 * step);
}

static void
free_some (int n)
{
  for (int i = 0; i < n; i++)
    free (table[i]);
}

static void tiny (void) { some (MANY, 0, 1), free_some (MANY); }
static void mid (void) { some (FEW * 5, 2500, 15), free_some (FEW * 5); }
static void large (void) { some (FEW, 40000, 4000), free_some (FEW); }
static void big (void) { some (20, 3 << 20, 400000), free_some (20); }

static void
others (void)
{
  for (int i = 0; i < 20; i++)
    table[i] = realloc (realloc (malloc (100), 100000 << i / 4), 5 << 20);
  free_some (20);
  for (int i = 0; i < 20; i++)
    table[i] = memalign (16 << i, 100 << i);
  free_some (20);
  for (int i = 0; i < 20; i++)
    table[i] = calloc (10, 10 << i);
  free_some (20);
}

static void *
make (void *unused UNUSED)
{
  some (MANY, 0, 1);
  return NULL;
}

static void remote (void) { free_some (MANY); }
static void trim (void) { malloc_trim (0); }

static void
judge (const char *name, void (*call) (void), size_t most)
{
  size_t n = depth (call) - plain;
  printf ("%s: %zu bytes\n", name, n);
  verdict (n <= most, name, "%zu bytes of stack", n);
}

int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  stack = mmap (NULL, STACK, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  plain = depth (nothing);
  judge ("the first call", first, FIRST);
  judge ("tiny", tiny, LATER);
  judge ("mid", mid, LATER);
  judge ("large", large, LATER);
  judge ("big", big, LATER);
  judge ("realloc, memalign, calloc", others, LATER);
  pthread_join (thread_start (make, NULL), NULL);
  judge ("another thread's blocks", remote, LATER);
  judge ("malloc_trim", trim, LATER);
  return finish ();
}
