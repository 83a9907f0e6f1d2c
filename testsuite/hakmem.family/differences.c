/* Where hakmem-malloc(3) says that the family differs from glibc's.  With the
   argument "libc", on libc: that these are differences.  Run with MALLOC_PERTURB_
   and GLIBC_TUNABLES set to have 0xaa in new blocks.  */
#define _GNU_SOURCE
#include "check.h"
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static bool ours = true;

/* Parameters that glibc has had for long, by their numbers (M_ARENA_MAX is -8).  */
TEST (mallopt)
{
  CHECK (mallopt (M_TRIM_THRESHOLD, 1 << 20) == 1);
  CHECK (mallopt (M_TRIM_THRESHOLD, -1) == 1);
  for (int parameter = -8; parameter <= 0; parameter++)
    if (parameter != M_TRIM_THRESHOLD)
      CHECKF ((mallopt (parameter, 1) == 0) == ours, "parameter %d", parameter);
  CHECK ((mallopt (M_MXFAST, 64) == 0) == ours);
  CHECK ((mallopt (999, 1) == 0) == ours);
}

TEST (perturbed)
{
  unsigned char *p = malloc (100), *large = malloc (200000);
  if (CHECK (p != NULL && large != NULL))
    CHECK ((p[50] != 0xaa && large[100000] != 0xaa) == ours);
  free (p);
  free (large);
}

TEST (posix_memalign_keeps_errno)
{
  void *p = NULL;
  errno = 5;
  CHECK (posix_memalign (&p, 64, (size_t) -100) == ENOMEM);
  CHECK ((errno == 5) == ours);
}

TEST (sizes)
{
  void *p = malloc (24), *q = malloc (32769), *none = pvalloc (0);
  CHECK ((malloc_usable_size (p) == 32) == ours);
  CHECK ((malloc_usable_size (q) == 65536) == ours);
  CHECK ((malloc_usable_size (none) >= (size_t) sysconf (_SC_PAGESIZE)) == ours);
  free (p);
  free (q);
  free (none);
}

/* The address, as a number: the block may be gone.  */
TEST (realloc_moves_what_shrinks)
{
  char *p = malloc (1000);
  uintptr_t at = (uintptr_t) p;
  p = realloc (p, 600);
  CHECK ((uintptr_t) p == at);
  p = realloc (p, 10);
  CHECK (((uintptr_t) p != at) == ours);
  free (p);
}

#if __SIZEOF_POINTER__ == 8
TEST (mallinfo_stops_at_INT_MAX)
{
  void *p = malloc ((size_t) 3 << 30);
  if (p == NULL)
    SKIP ("no 3 GiB");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  CHECK ((mallinfo ().hblkhd == INT_MAX) == ours);
#pragma GCC diagnostic pop
  free (p);
}
#endif

TEST (brk_stays)
{
  void *blocks[1000];
  char *before = sbrk (0);
  for (int i = 0; i < 1000; i++)
    blocks[i] = malloc (1000);
  CHECK (((char *) sbrk (0) == before) == ours);
  for (int i = 0; i < 1000; i++)
    free (blocks[i]);
}

int
main (int argc, char **argv)
{
  ours = argc < 2 || strcmp (argv[1], "libc") != 0;
  RUN (perturbed);
  RUN (sizes);
  RUN (realloc_moves_what_shrinks);
  RUN (posix_memalign_keeps_errno);
#if __SIZEOF_POINTER__ == 8
  RUN (mallinfo_stops_at_INT_MAX);
#endif
  RUN (brk_stays);
  RUN (mallopt);
  return check_done ();
}
