/* What the policy programs share: the three functions under test, a directory
   of their own, and policies as text that can be edited and signed.  */
#ifndef POLICY_H
#define POLICY_H

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "../include/names.h"

#ifdef HKM_TEST_NAMES
#define hakmem_policy_save hkm_test_hakmem_policy_save
#define hakmem_policy_load hkm_test_hakmem_policy_load
#define hakmem_stats_get hkm_test_hakmem_stats_get
#endif
#include "hakmem/hakmem.h"

static __typeof__ (hakmem_policy_save) *policy_save;
static __typeof__ (hakmem_policy_load) *policy_load;
static __typeof__ (hakmem_stats_get) *stats_get;

enum { TEXT_MAX = 16384 };
typedef struct text
{
  size_t n;
  char s[TEXT_MAX];
} text;

static char dir[200];
static text first; /* the policy in force at the beginning */

/* The state or counter NAME.  */
static uint64_t
counter (const char *name)
{
  uint64_t value = 0;
  CHECKF (stats_get (name, &value) == 0, "no %s", name);
  return value;
}

/* ---- files ---- */

/* Good until the second call after this one.  */
static const char *
in_dir (const char *name)
{
  static __thread char path[2][300];
  static __thread unsigned turn;
  char *p = path[turn++ % 2];
  snprintf (p, sizeof path[0], "%s/%s", dir, name);
  return p;
}

static void
put (const char *path, const text *t)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write (fd, t->s, t->n) != (ssize_t) t->n || close (fd) != 0)
    abort ();
}

static void
get (const char *path, text *t)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read (fd, t->s, TEXT_MAX - 1);
  if (n < 0 || close (fd) != 0)
    abort ();
  t->n = (size_t) n;
  t->s[n] = 0;
}

static bool
same (const text *a, const text *b)
{
  return a->n == b->n && memcmp (a->s, b->s, a->n) == 0;
}

/* Replace the checksum, the last line of T, by the right one.  */
static void
sign (text *t)
{
  uint64_t sum = 0xcbf29ce484222325u;
  char *last = t->s + t->n - 1;
  while (last > t->s && last[-1] != '\n')
    last--;
  for (char *p = t->s; p < last; p++)
    sum = (sum ^ (unsigned char) *p) * 0x100000001b3u;
  t->n = (size_t) (last - t->s)
         + (size_t) sprintf (last, "checksum %016llx\n",
                             (unsigned long long) sum);
}

/* T with FROM, which must be there, replaced by TO; signed anew.  */
static void
edit (text *t, const char *from, const char *to)
{
  char *at = strstr (t->s, from);
  if (at == NULL)
    {
      fprintf (stderr, "no \"%s\" in the policy\n", from);
      abort ();
    }
  size_t tail = t->n - (size_t) (at - t->s) - strlen (from) + 1;
  memmove (at + strlen (to), at + strlen (from), tail);
  memcpy (at, to, strlen (to));
  t->n += strlen (to) - strlen (from);
  sign (t);
}

static void
saved (text *t)
{
  const char *path = in_dir ("now");
  int error = policy_save (path);
  if (!CHECKF (error == 0, "save: error %d", error))
    abort ();
  get (path, t);
}

/* Leave out of T what was earned, which comes and goes by itself.  */
static void
forget_earned (text *t)
{
  char line[40], *at = strstr (t->s, "\nearned ");
  if (at == NULL)
    return;
  size_t n = (size_t) (strchr (at + 1, '\n') - at);
  if (n >= sizeof line)
    abort ();
  memcpy (line, at, n);
  line[n] = '\0';
  edit (t, line, "");
}

static void
in_force (text *t)
{
  saved (t);
  forget_earned (t);
}

static bool
is_in_force (const text *t)
{
  static text now;
  in_force (&now);
  return same (&now, t);
}

/* As edit, for the number that follows NAME where that first occurs.  */
static void
set_number (text *t, const char *name, unsigned value)
{
  char from[120], to[120];
  char *at = strstr (t->s, name);
  if (at == NULL)
    abort ();
  unsigned old = (unsigned) strtoul (at + strlen (name), NULL, 10);
  snprintf (from, sizeof from, "%s%u", name, old);
  snprintf (to, sizeof to, "%s%u", name, value);
  edit (t, from, to);
}

/* In every class line.  */
__attribute__ ((unused)) static void
set_all_remotes (text *t, unsigned value)
{
  static text out;
  out.n = 0;
  for (char *p = t->s, *end; *p; p = end)
    {
      end = strchr (p, '\n') + 1;
      char *at = memmem (p, (size_t) (end - p), " remote ", 8);
      size_t n = at ? (size_t) (at - p) : (size_t) (end - p);
      memcpy (out.s + out.n, p, n);
      out.n += n;
      if (at)
        out.n += (size_t) sprintf (out.s + out.n, " remote %u\n", value);
    }
  out.s[out.n] = 0;
  sign (&out);
  *t = out;
}

static int
load (const text *t)
{
  const char *path = in_dir ("try");
  put (path, t);
  errno = 55;
  int error = policy_load (path);
  CHECK (errno == 55);
  return error;
}

static void
back_to_first (void)
{
  CHECK (load (&first) == 0);
  CHECK (is_in_force (&first));
}

/* ---- begin and end ---- */

static bool
find_functions (void)
{
#ifdef HKM_TEST_NAMES
  policy_save = hakmem_policy_save;
  policy_load = hakmem_policy_load;
  stats_get = hakmem_stats_get;
#else
#define FIND(f) (f = (__typeof__ (f)) dlsym (RTLD_DEFAULT, "hakmem_" #f))
  if (!FIND (policy_save) || !FIND (policy_load) || !FIND (stats_get))
    return false;
#endif
  return true;
}

/* What DIR holds is known: files, and one directory.  */
static void
remove_dir (void)
{
  DIR *d = opendir (dir);
  for (struct dirent *e; d && (e = readdir (d)) != NULL;)
    if (e->d_name[0] != '.' && unlink (in_dir (e->d_name)) != 0)
      rmdir (in_dir (e->d_name));
  if (d)
    closedir (d);
  rmdir (dir);
}

/* The functions, a directory in BASE (NULL: TMPDIR or /tmp), and the policy in
   force; false: the process can say no more than it said.  */
static bool
policy_begin (const char *base)
{
  if (base == NULL)
    base = getenv ("TMPDIR");
  snprintf (dir, sizeof dir, "%s/policy.XXXXXX", base ? base : "/tmp");
  if (mkdtemp (dir) == NULL)
    {
      puts ("not ok directory: none can be made");
      return false;
    }
  if (!find_functions ())
    {
      puts ("not ok symbols: hakmem_policy_* are not all there");
      rmdir (dir);
      return false;
    }
  in_force (&first);
  return true;
}

#endif
