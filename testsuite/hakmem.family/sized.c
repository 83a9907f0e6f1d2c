/* C23's free_sized and free_aligned_sized, which older libcs lack; cfree.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

static const size_t sizes[] = { 0, 1, 16, 17, 100, 1000, 1025, 2048, 2049, 5000,
                                32768, 32769, 100000, 2097152, 2097153,
                                6000000 };
#define N (sizeof sizes / sizeof sizes[0])

TEST (free_sized)
{
  void (*free_sized) (void *, size_t)
      = (void (*) (void *, size_t)) dlsym (RTLD_DEFAULT, "free_sized");
  if (!CHECK (free_sized))
    return;
  free_sized (NULL, 0);
  free_sized (NULL, 100);
  for (int round = 0; round < 300; round++)
    for (size_t i = 0; i < N; i++)
      {
        char *p = malloc (sizes[i]), *q = calloc (1, sizes[i]),
             *r = realloc (malloc (3), sizes[i] + 1);
        if (!CHECK (p && q && r))
          return;
        p[0] = q[0] = r[sizes[i]] = 1;
        errno = 77;
        free_sized (q, sizes[i]);
        free_sized (r, sizes[i] + 1);
        free_sized (p, sizes[i]);
        CHECK (errno == 77);
      }
}

TEST (free_aligned_sized)
{
  void (*free_aligned_sized) (void *, size_t, size_t)
      = (void (*) (void *, size_t, size_t)) dlsym (RTLD_DEFAULT,
                                                   "free_aligned_sized");
  if (!CHECK (free_aligned_sized))
    return;
  free_aligned_sized (NULL, 64, 100);
  for (int round = 0; round < 20; round++)
    for (size_t align = 16; align <= (size_t) 4 << 20; align *= 2)
      for (size_t i = 0; i < N; i++)
        {
          void *p = aligned_alloc (align, sizes[i]);
          if (!CHECK (p))
            return;
          free_aligned_sized (p, align, sizes[i]);
        }
}

TEST (cfree)
{
  /* Old programs have it by this name; libc's own is gone since 2.26.  */
  void (*cfree) (void *) = (void (*) (void *)) dlsym (RTLD_DEFAULT, "cfree");
  if (!CHECK (cfree))
    return;
  cfree (NULL);
  for (size_t i = 0; i < N; i++)
    cfree (malloc (sizes[i]));
}

int
main (void)
{
  RUN (free_sized);
  RUN (free_aligned_sized);
  RUN (cfree);
  return check_done ();
}
