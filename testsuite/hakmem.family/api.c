/* hakmem.h: versions, the control function, counters, reports, purge.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include "hakmem/hakmem.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

/* By dlsym, with the header's types: the program is not linked with the
   library but has it preloaded.  */
static __typeof__ (hakmem_version) *version;
static __typeof__ (hakmem_ctl) *ctl;
static __typeof__ (hakmem_stats_get) *stats_get;
static __typeof__ (hakmem_stats_print) *stats_print;
static __typeof__ (hakmem_purge) *purge;

static uint64_t
state (const char *name)
{
  uint64_t value = 4711;
  errno = 55;
  CHECKF (stats_get (name, &value) == 0, "no state %s", name);
  CHECK (errno == 55);
  return value;
}

TEST (versions)
{
  unsigned a, b, c;
  const char *text = version ();
  if (!CHECK (text && sscanf (text, "%u.%u.%u", &a, &b, &c) == 3))
    return;
  const char *by_ctl = NULL;
  size_t length = sizeof by_ctl;
  CHECK (ctl ("version", &by_ctl, &length, NULL, 0) == 0);
  CHECK (by_ctl && strcmp (by_ctl, text) == 0);
}

TEST (ctl_errors)
{
  uint64_t v = 4711;
  size_t length = sizeof v, wrong = 3;
  CHECK (ctl (NULL, &v, &length, NULL, 0) == EINVAL);
  CHECK (ctl ("no.such", &v, &length, NULL, 0) == ENOENT);
  CHECK (ctl ("opt.NO_SUCH", &v, &length, NULL, 0) == ENOENT);
  CHECK (ctl ("", &v, &length, NULL, 0) == ENOENT);
  CHECK (ctl ("opt.RETAIN", &v, NULL, NULL, 0) == EINVAL);
  CHECK (ctl ("opt.RETAIN", &v, &wrong, NULL, 0) == EINVAL);
  CHECK (ctl ("opt.RETAIN", NULL, NULL, &v, sizeof v) == EPERM);
  CHECK (ctl ("opt.RETAIN", NULL, NULL, NULL, 8) == EPERM);
  CHECK (v == 4711);
  CHECK (ctl ("opt.RETAIN", NULL, &wrong, NULL, 0) == 0 && wrong == sizeof v);
  CHECK (ctl ("opt.RETAIN", &v, &length, NULL, 0) == 0 && v != 4711);
  CHECK (stats_get (NULL, &v) == EINVAL);
  CHECK (stats_get ("heaps", NULL) == EINVAL);
  CHECK (stats_get ("no_such", &v) == ENOENT);
}

TEST (live_bytes)
{
  enum { N = 1000 };
  static const struct { size_t size, n; } row[]
      = { { 64, N }, { 1024, N }, { 20480, N }, { 65536, 100 },
          { 4 << 20, 10 } };
  static void *p[N];
  for (size_t r = 0; r < sizeof row / sizeof row[0]; r++)
    {
      uint64_t before = state ("live_bytes");
      for (size_t i = 0; i < row[r].n; i++)
        p[i] = malloc (row[r].size);
      uint64_t during = state ("live_bytes");
      uint64_t want = malloc_usable_size (p[row[r].n - 1]) * row[r].n;
      CHECKF (during - before >= want && during - before <= want + want / 8,
              "%zu blocks of %zu are %llu more", row[r].n, row[r].size,
              (unsigned long long) (during - before));
      for (size_t i = 0; i < row[r].n; i++)
        free (p[i]);
      uint64_t after = state ("live_bytes");
      CHECKF (after <= before + want / 8, "%llu, then %llu",
              (unsigned long long) before, (unsigned long long) after);
    }
}

TEST (counts)
{
  uint64_t runs = state ("run_count"), big = state ("big_count");
  void *a = malloc (100000), *b = malloc (5 << 20);
  CHECK (state ("run_count") == runs + 1 && state ("big_count") == big + 1);
  CHECK (state ("big_bytes") >= 5 << 20 && state ("run_bytes") >= 100000);
  free (a), free (b);
  CHECK (state ("big_count") == big);
  CHECK (state ("heaps") >= 1 && state ("superslabs") >= 1);
  CHECK (state ("meta_bytes") > 0 && state ("mmap_calls") > 0);
  CHECK (state ("mapped_bytes") >= state ("live_bytes"));
}

/* Idle memory stays within its budget, whatever was done before.  */
TEST (idle_within_budget)
{
  enum { N = 3000 };
  static void *p[N];
  uint64_t rng = rng_seed (21);
  for (int round = 0; round < 20; round++)
    {
      for (int i = 0; i < N; i++)
        p[i] = malloc (rng_next (&rng) % (i % 50 ? 4000 : 300000));
      for (int i = 0; i < N; i++)
        free (p[i]);
      uint64_t idle = state ("idle_bytes"), budget = state ("retain_bytes");
      CHECKF (idle <= budget, "%llu idle, budget %llu",
              (unsigned long long) idle, (unsigned long long) budget);
    }
}

TEST (counters)
{
  uint64_t before, after;
  int error = stats_get ("RUN_ALLOC", &before);
  if (error == ENOTSUP)
    SKIP ("built without statistics");
  CHECK (error == 0);
  for (int i = 0; i < 5; i++)
    free (malloc (200000));
  CHECK (stats_get ("run_alloc", &after) == 0); /* either case */
  CHECKF (after == before + 5, "%llu more",
          (unsigned long long) (after - before));
  uint64_t v = 0;
  size_t length = sizeof v;
  CHECK (ctl ("stats.RUN_ALLOC", &v, &length, NULL, 0) == 0 && v == after);
}

TEST (reports)
{
  static const char *const forms[] = { NULL, "text", "json", "summary", "xml" };
  for (int i = 0; i < 5; i++)
    {
      FILE *f = tmpfile ();
      if (!CHECK (f))
        return;
      CHECK (stats_print (fileno (f), forms[i]) == 0);
      static char text[100000];
      rewind (f);
      size_t n = fread (text, 1, sizeof text - 1, f);
      text[n] = 0;
      CHECKF (n > 50, "format %d: %zu bytes", i, n);
      if (i == 2)
        CHECK (text[0] == '{' && strchr (text + n - 3, '}'));
      fclose (f);
    }
  CHECK (stats_print (1, "prose") == EINVAL);
  CHECK (stats_print (-1, "text") == EBADF);
}

TEST (purging)
{
  purge ();
  size_t before = resident_bytes ();
  enum { N = 20000 };
  static void *p[N];
  for (int i = 0; i < N; i++)
    memset (p[i] = malloc (300), 1, 300);
  for (int i = 0; i < N; i++)
    free (p[i]);
  purge ();
  size_t after = resident_bytes ();
  CHECKF (after < before + 2000000, "resident %zu -> %zu", before, after);
  CHECKF (state ("idle_bytes") < 1 << 20, "%llu idle after a purge",
          (unsigned long long) state ("idle_bytes"));
  size_t bytes = 4711, length = sizeof bytes;
  CHECK (ctl ("purge", &bytes, &length, NULL, 0) == 0 && bytes != 4711);
}

int
main (void)
{
#define FIND(f) (f = (__typeof__ (f)) dlsym (RTLD_DEFAULT, "hakmem_" #f))
  if (!FIND (version) || !FIND (ctl) || !FIND (stats_get) || !FIND (stats_print)
      || !FIND (purge))
    {
      puts ("not ok symbols: hakmem_* are not all there");
      return check_done ();
    }
  RUN (versions);
  RUN (ctl_errors);
  RUN (live_bytes);
  RUN (counts);
  RUN (idle_within_budget);
  RUN (counters);
  RUN (reports);
  RUN (purging);
  return check_done ();
}
