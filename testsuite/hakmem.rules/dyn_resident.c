/* Blocks of 8240 bytes under HAKMEM_MID_DYN1=8240: what they cost, and that
   every function of the family knows their size; then the class is set by
   hakmem_ctl.  */
#include "outside.h"

#include <string.h>
#include <unistd.h>

enum { SIZE = 8240, N = 20000 };
static char *p[N];
static __typeof__ (hakmem_ctl) *ctl;

static size_t
resident (void)
{
  char text[100] = "";
  int fd = open ("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read (fd, text, sizeof text - 1) < 0)
    abort ();
  close (fd);
  return strtoul (strchr (text, ' '), NULL, 10)
         * (size_t) sysconf (_SC_PAGESIZE);
}

static uint64_t
setting (const char *name)
{
  uint64_t v = 0;
  size_t length = sizeof v;
  CHECKF (ctl (name, &v, &length, NULL, 0) == 0, "no %s", name);
  return v;
}

static int
set (const char *name, uint64_t v)
{
  return ctl (name, NULL, NULL, &v, sizeof v);
}

TEST (resident_bytes)
{
  memset (p, 0, sizeof p);
  free (malloc (SIZE));
  size_t before = resident ();
  for (int i = 0; i < N; i++)
    memset (p[i] = malloc (SIZE), i, SIZE);
  double share = (double) (resident () - before) / ((double) SIZE * N);
  CHECKF (share <= 1.03, "%.3f times their own bytes", share);
  CHECK (malloc_usable_size (p[0]) == SIZE);
  for (int i = 0; i < N; i++)
    {
      CHECK (p[i][0] == (char) i && p[i][SIZE - 1] == (char) i);
      free (p[i]);
    }
}

TEST (family)
{
  char *q = calloc (1, SIZE - 7);
  for (int i = 0; i < SIZE - 7; i++)
    CHECK (q[i] == 0);
  CHECK (malloc_usable_size (q) == SIZE);
  memset (q, 3, SIZE);
  char *r = realloc (q, SIZE);
  CHECK (r == q);
  r = realloc (r, SIZE + 1);
  CHECK (malloc_usable_size (r) > SIZE && r[0] == 3 && r[SIZE - 1] == 3);
  free (r);
  q = realloc (malloc (100), 8200);
  CHECK (malloc_usable_size (q) == SIZE);
  free (q);
}

/* Blocks of 8240 bytes lie at odd multiples of 16, too; with some at hand none
   of these goes where another alignment is asked for.  */
TEST (alignment)
{
  for (int i = 0; i < 100; i++)
    p[i] = malloc (SIZE);
  for (int i = 0; i < 50; i++)
    free (p[i]);
  for (size_t align = 1; align <= 65536; align *= 2)
    {
      char *q[20];
      for (int i = 0; i < 20; i++)
        {
          q[i] = aligned_alloc (align, SIZE - 16);
          CHECKF ((uintptr_t) q[i] % align == 0
                      && malloc_usable_size (q[i]) >= SIZE - 16,
                  "at %zu: %p", align, (void *) q[i]);
          memset (q[i], 7, SIZE - 16);
        }
      for (int i = 0; i < 20; i++)
        free (q[i]);
    }
  for (int i = 50; i < 100; i++)
    free (p[i]);
}

TEST (control)
{
  uint64_t was = 0, v = 5136;
  size_t length = sizeof was;
  CHECK (setting ("policy.MID_DYN1") == SIZE);
  CHECK (setting ("policy.HAKMEM_MID_DYN2") == 0);
  CHECK (set ("policy.MID_DYN1", 8192) == ERANGE);
  CHECK (set ("policy.MID_DYN2", SIZE) == ERANGE);
  CHECK (set ("policy.MID_DYN1", UINT64_MAX) == ERANGE);
  CHECK (setting ("policy.MID_DYN1") == SIZE);
  CHECK (ctl ("policy.MID_DYN1", NULL, NULL, &v, 4) == EINVAL);
  CHECK (ctl ("policy.MID_DYN1", NULL, NULL, NULL, 8) == EINVAL);
  CHECK (ctl ("policy.NO_SUCH", &v, &length, NULL, 0) == ENOENT);
  CHECK (ctl ("policy.RETAIN", &v, &length, NULL, 0) == ENOENT);
  CHECK (ctl ("policy.MID_DYN1", &was, &length, &v, sizeof v) == 0);
  CHECK (was == SIZE && setting ("policy.MID_DYN1") == 5136);
  CHECK (setting ("opt.MID_DYN1") == SIZE);
  /* Nothing of the old size is in use.  */
  char *q = malloc (5130);
  CHECKF (malloc_usable_size (q) == 5136, "%zu", malloc_usable_size (q));
  free (q);
  CHECK (set ("policy.MID_DYN1", 0) == 0);
  q = malloc (5130);
  CHECK (malloc_usable_size (q) != 5136);
  free (q);
}

int
main (void)
{
  find_stats ();
  ctl = (__typeof__ (ctl)) dlsym (RTLD_DEFAULT, "hakmem_ctl");
  void *probe = malloc (SIZE);
  if (malloc_usable_size (probe) != SIZE)
    {
      puts ("built without dynamic classes");
      return 77;
    }
  free (probe);
  RUN (resident_bytes);
  RUN (family);
  RUN (alignment);
  RUN (control);
  return check_done ();
}
