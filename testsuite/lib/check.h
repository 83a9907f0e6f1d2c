/* What a test program prints: "ok NAME", "not ok NAME: why", "skip NAME: why"
   and "done".  A program defines its tests by TEST (name) { ... } and runs them
   in main by RUN (name); main ends in return check_done ().  Allocates nothing
   itself.  CHECK may be used from any thread.  C11 or C++.  */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char check_why[400];     /* the first failure of the current test */
static unsigned check_failures; /* in it; atomic */
static bool check_skipped;

__attribute__ ((format (printf, 3, 4), cold, unused)) static void
check_fail (const char *file, int line, const char *format, ...)
{
  if (__atomic_fetch_add (&check_failures, 1, __ATOMIC_RELAXED) == 0)
    {
      const char *base = strrchr (file, '/');
      int n = snprintf (check_why, sizeof check_why, "%s:%d: ",
                        base ? base + 1 : file, line);
      va_list args;
      va_start (args, format);
      vsnprintf (check_why + n, sizeof check_why - (size_t) n, format, args);
      va_end (args);
    }
}

/* True if COND holds; else the test has failed and goes on.  */
#define CHECK(cond) CHECKF (cond, "%s", #cond)
/* As CHECK, with a printf message of your own.  */
#define CHECKF(cond, ...)                                                     \
  __extension__ ({                                                            \
    bool check_ok = (cond);                                                   \
    if (__builtin_expect (!check_ok, 0))                                      \
      check_fail (__FILE__, __LINE__, __VA_ARGS__);                           \
    check_ok;                                                                 \
  })
/* This test can't be made here: say why, and return from it.  */
#define SKIP(...)                                                             \
  do                                                                          \
    {                                                                         \
      snprintf (check_why, sizeof check_why, __VA_ARGS__);                    \
      check_skipped = true;                                                   \
      return;                                                                 \
    }                                                                         \
  while (0)

#define TEST(name) static void test_##name (void)
#define RUN(name) check_run (#name, test_##name)

__attribute__ ((unused)) static void
check_run (const char *name, void (*test) (void))
{
  static char buffer[4096];
  static bool buffered;
  if (!buffered)
    setvbuf (stdout, buffer, _IOLBF, sizeof buffer);
  buffered = true;
  __atomic_store_n (&check_failures, 0, __ATOMIC_RELAXED);
  check_skipped = false;
  test ();
  unsigned failures = __atomic_load_n (&check_failures, __ATOMIC_RELAXED);
  if (failures)
    printf ("not ok %s: %s (%u failed checks)\n", name, check_why, failures);
  else if (check_skipped)
    printf ("skip %s: %s\n", name, check_why);
  else
    printf ("ok %s\n", name);
  fflush (stdout);
}

__attribute__ ((unused)) static int
check_done (void)
{
  puts ("done");
  return fflush (stdout) != 0;
}

#endif
