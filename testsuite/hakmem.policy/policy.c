/* The policy as a file, and a policy that changes while threads run.

   policy [DIRECTORY]        all tests; files go to a new directory in it
   policy make PATH          a file of another policy than the default
   policy same PATH          "same" or "other": is that the one in force?  */
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

static void
in_force (text *t)
{
  const char *path = in_dir ("now");
  int error = policy_save (path);
  if (!CHECKF (error == 0, "save: error %d", error))
    abort ();
  get (path, t);
}

static bool
is_in_force (const text *t)
{
  static text now;
  in_force (&now);
  return same (&now, t);
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
static void
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

/* ---- the file ---- */

TEST (round_trip)
{
  static text other, again;
  CHECK (first.n > 500 && first.n < TEXT_MAX - 100);
  back_to_first ();
  other = first;
  set_number (&other, "TINY_WARM_CAP = ", 7);
  set_number (&other, "TINY_BUMP_CHUNK = ", 8192);
  set_number (&other, " remote ", 33);
  set_number (&other, " batch ", 9);
  CHECK (!same (&other, &first));
  CHECK (load (&other) == 0);
  in_force (&again);
  CHECK (same (&other, &again));
  back_to_first ();
}

/* The file is of another policy than the one in force: if one were taken, it
   would show.  */
static const char *
damaged_file (text *t)
{
  static char path[300];
  snprintf (path, sizeof path, "%s/damaged", dir);
  *t = first;
  set_number (t, "TINY_WARM_CAP = ", 7);
  put (path, t);
  return path;
}

TEST (every_flipped_byte_is_refused)
{
  static text t;
  const char *path = damaged_file (&t);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  for (size_t i = 0; i < t.n; i++)
    for (int k = 0; k < 2; k++)
      {
        char c = (char) (t.s[i] ^ (k ? 0xff : 1 << i % 8));
        if (pwrite (fd, &c, 1, (off_t) i) != 1)
          abort ();
        int error = policy_load (path);
        CHECKF (error == EBADMSG || error == ENOTSUP || error == ERANGE,
                "byte %zu as 0x%02x: %d", i, c & 0xff, error);
        if (pwrite (fd, &t.s[i], 1, (off_t) i) != 1)
          abort ();
        if (i % 200 == 0)
          CHECKF (is_in_force (&first), "changed at byte %zu", i);
      }
  close (fd);
  CHECK (is_in_force (&first));
  CHECK (policy_load (path) == 0); /* whole again */
  CHECK (is_in_force (&t));
  back_to_first ();
}

TEST (every_truncation_is_refused)
{
  static text t;
  const char *path = damaged_file (&t);
  for (size_t n = t.n; n-- > 0;)
    {
      if (truncate (path, (off_t) n) != 0)
        abort ();
      CHECKF (policy_load (path) == EBADMSG, "%zu bytes", n);
    }
  CHECK (is_in_force (&first));
  t.s[t.n++] = '\n';
  CHECK (load (&t) == EBADMSG);
  CHECK (is_in_force (&first));
}

/* Well signed, and yet wrong.  */
TEST (what_is_refused_and_why)
{
  static const struct { const char *from, *to; int error; } row[] = {
    { "hakmem-policy 1\n", "hakmem-policy 2\n", ENOTSUP },
    { "hakmem-policy 1\n", "hakmem-policy 0\n", EBADMSG },
    { "hakmem-policy 1\n", "hakmem-policy 1 \n", EBADMSG },
    { "hakmem-policy 1\n", "hakmem_policy 1\n", EBADMSG },
    { "library ", "library 9", ENOTSUP },
    { "library ", "library x", EBADMSG },
    { "class-steps ", "class-steps 1", ENOTSUP },
    { " classes ", " classes 1", ENOTSUP },
    { "class 0 size 16 ", "class 0 size 32 ", ENOTSUP },
    { "class 0 size 16 ", "class 1 size 16 ", EBADMSG },
    { "superslabs shared", "superslabs own", ENOTSUP },
    { "superslabs shared", "superslabs none", EBADMSG },
    { " route ", " route x", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 99", ERANGE },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = -", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 0x", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 9999999999", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 4294967296", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP =  ", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAT = ", EBADMSG },
    { "TINY_WARM_CAP = ", "tiny_warm_cap = ", EBADMSG },
    { "TINY_WARM_CAP = ", "\nTINY_WARM_CAP = ", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 1\nTINY_WARM_CAP = ", EBADMSG },
    { "checksum ", "CAP_LARGE = 8\nchecksum ", EBADMSG },
    { "checksum ", "\nchecksum ", EBADMSG },
  };
  static const struct { const char *name; unsigned value; } number[] = {
    { "TINY_DRAIN_INTERVAL = ", 255 },  { "TINY_DRAIN_INTERVAL = ", 65537 },
    { "TINY_BUMP_CHUNK = ", 255 },      { "TINY_BUMP_CHUNK = ", 65537 },
    { "TINY_RETURN_FRACTION = ", 0 },   { "TINY_RETURN_FRACTION = ", 65 },
    { "TINY_WARM_CAP = ", 65 },         { "CAP_LARGE = ", 1025 },
    { "TINY_SLAB_REUSE_GUARD = ", 2 },  { "SS_AFFINITY = ", 2 },
    { "SS_LRU = ", 65537 },             { " cap ", 1 },
    { " cap ", 4097 },                  { " batch ", 0 },
    { " batch ", 129 },                 { " remote ", 0 },
    { " remote ", 1025 },
  };
  static text t;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
    {
      t = first;
      edit (&t, row[i].from, row[i].to);
      int error = load (&t);
      CHECKF (error == row[i].error, "\"%s\" for \"%s\": %d", row[i].to,
              row[i].from, error);
      CHECKF (is_in_force (&first), "\"%s\" changed it", row[i].to);
    }
  for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
    {
      t = first;
      set_number (&t, number[i].name, number[i].value);
      int error = load (&t);
      CHECKF (error == ERANGE, "%s%u: %d", number[i].name, number[i].value,
              error);
      CHECKF (is_in_force (&first), "%s changed it", number[i].name);
    }
}

/* A class that is page-local here and on the magazine in the file, or the other
   way round.  */
TEST (another_route_is_refused)
{
  static text t = { .n = 0 };
  t = first;
  if (strstr (t.s, "route page-local"))
    edit (&t, "route page-local", "route magazine");
  else
    edit (&t, "route magazine", "route page-local");
  CHECK (load (&t) == ENOTSUP);
  CHECK (is_in_force (&first));
}

TEST (an_older_library_is_fine)
{
  static text t;
  t = first;
  char *at = strstr (t.s, "library "), *end = strchr (at, '\n');
  char from[64] = "";
  memcpy (from, at, (size_t) (end - at));
  edit (&t, from, "library 0.0.9");
  CHECK (load (&t) == 0);
  CHECK (is_in_force (&first)); /* saved by this one */
}

static unsigned
entries (void)
{
  DIR *d = opendir (dir);
  unsigned n = 0;
  while (readdir (d))
    n++;
  closedir (d);
  return n;
}

TEST (paths)
{
  struct stat st;
  errno = 55;
  CHECK (policy_save (NULL) == EINVAL && policy_load (NULL) == EINVAL);
  CHECK (policy_load (in_dir ("absent")) == ENOENT);
  CHECK (policy_load ("") == ENOENT);
  CHECK (policy_load (dir) == EISDIR);
  CHECK (policy_load ("/dev/null") == EBADMSG);
  CHECK (policy_load ("/dev/zero") == EBADMSG); /* and comes to an end */
  CHECK (mkfifo (in_dir ("fifo"), 0600) == 0);
  CHECK (policy_load (in_dir ("fifo")) == EBADMSG); /* without waiting */
  CHECK (policy_save (in_dir ("absent/file")) == ENOENT);
  static char longest[5000];
  memset (longest, 'x', sizeof longest - 1);
  CHECK (policy_save (longest) == ENAMETOOLONG);
  CHECK (policy_load (longest) == ENAMETOOLONG);

  /* A save that fails at its last step leaves nothing behind.  */
  CHECK (mkdir (in_dir ("is_a_directory"), 0700) == 0);
  unsigned before = entries ();
  CHECK (policy_save (in_dir ("is_a_directory")) == EISDIR);
  CHECK (entries () == before);
  CHECK (errno == 55);

  mode_t mask = umask (027);
  CHECK (policy_save (in_dir ("masked")) == 0);
  umask (mask);
  CHECK (stat (in_dir ("masked"), &st) == 0 && (st.st_mode & 07777) == 0640);
  CHECK (symlink ("masked", in_dir ("link")) == 0);
  CHECK (policy_save (in_dir ("link")) == 0);
  CHECK (lstat (in_dir ("link"), &st) == 0 && S_ISREG (st.st_mode));
  CHECK (is_in_force (&first));
}

/* ---- what a policy does ---- */

static uint64_t
counter (const char *name)
{
  uint64_t value = 0;
  CHECKF (stats_get (name, &value) == 0, "no %s", name);
  return value;
}

static bool
no_counters (void)
{
  uint64_t value;
  return stats_get ("REFILL", &value) == ENOTSUP;
}

enum { GIFTS = 512 };
static void *gift[GIFTS];
static pthread_barrier_t step;

/* Lives through a change of the policy, and frees others' blocks before and
   after it.  */
static void *
friend (void *arg)
{
  for (int round = 0; round < 2; round++)
    {
      pthread_barrier_wait (&step);
      for (int i = 0; i < 40; i++) /* a refill at least */
        free (malloc (32000));
      for (int i = 0; i < GIFTS; i++)
        free (gift[i]);
      pthread_barrier_wait (&step);
    }
  return arg;
}

TEST (remote_threshold_acts_in_a_running_thread)
{
  static text one;
  pthread_t thread;
  uint64_t pushes[2];
  if (no_counters ())
    SKIP ("built without statistics");
  pthread_barrier_init (&step, NULL, 2);
  if (pthread_create (&thread, NULL, friend, NULL) != 0)
    abort ();
  for (int round = 0; round < 2; round++)
    {
      if (round == 1)
        {
          one = first;
          set_all_remotes (&one, 1);
          CHECK (load (&one) == 0);
        }
      for (int i = 0; i < GIFTS; i++)
        gift[i] = malloc (64);
      pushes[round] = counter ("REMOTE_PUSH");
      pthread_barrier_wait (&step);
      pthread_barrier_wait (&step);
      pushes[round] = counter ("REMOTE_PUSH") - pushes[round];
    }
  pthread_join (thread, NULL);
  CHECKF (pushes[0] < GIFTS / 8, "%llu pushes at first",
          (unsigned long long) pushes[0]);
  CHECKF (pushes[1] > GIFTS / 2, "%llu pushes one by one",
          (unsigned long long) pushes[1]);
  back_to_first ();
}

TEST (warm_cap_gives_up_what_is_kept)
{
  enum { N = 12000, SIZE = 80 };
  static void *p[N];
  static text t;
  if (no_counters ())
    SKIP ("built without statistics");
  t = first;
  set_number (&t, "TINY_WARM_CAP = ", 64);
  CHECK (load (&t) == 0);
  free (malloc (32000)); /* a refill, or the next free is one */
  uint64_t before = counter ("SLAB_RELEASED");
  for (int i = 0; i < N; i++)
    p[i] = malloc (SIZE);
  for (int i = 0; i < N; i++)
    free (p[i]);
  uint64_t kept = counter ("SLAB_RELEASED");
  CHECKF (kept - before < 4, "%llu slabs released",
          (unsigned long long) (kept - before));
  set_number (&t, "TINY_WARM_CAP = ", 0);
  CHECK (load (&t) == 0);
  for (int i = 0; i < 200; i++)
    p[i] = malloc (700);
  uint64_t after = counter ("SLAB_RELEASED");
  CHECKF (after - kept > 6, "%llu slabs released then",
          (unsigned long long) (after - kept));
  for (int i = 0; i < 200; i++)
    free (p[i]);
  back_to_first ();
}

TEST (large_cap_acts_without_any_refill)
{
  static text t;
  uint64_t hits[3];
  if (no_counters ())
    SKIP ("built without statistics");
  for (int round = 0; round < 3; round++)
    {
      t = first;
      set_number (&t, "CAP_LARGE = ", round == 1 ? 0 : 8);
      CHECK (load (&t) == 0);
      hits[round] = counter ("RUN_CACHE_HIT");
      for (int i = 0; i < 20; i++)
        free (malloc (200000));
      hits[round] = counter ("RUN_CACHE_HIT") - hits[round];
    }
  CHECKF (hits[0] >= 19 && hits[1] == 0 && hits[2] >= 19,
          "%llu, %llu, %llu hits", (unsigned long long) hits[0],
          (unsigned long long) hits[1], (unsigned long long) hits[2]);
  back_to_first ();
}

TEST (lru_cap_acts)
{
  enum { N = 20 };
  static void *p[N];
  static text t;
  uint64_t left[2];
  for (int round = 0; round < 2; round++)
    {
      t = first;
      set_number (&t, "CAP_LARGE = ", 0);
      set_number (&t, "SS_LRU = ", round == 0 ? 128 : 0);
      CHECK (load (&t) == 0);
      if (round == 0 && !is_in_force (&t))
        {
          back_to_first ();
          SKIP ("built without the superslab LRU");
        }
      for (int i = 0; i < N; i++)
        p[i] = malloc (2 << 20);
      for (int i = 0; i < N; i++)
        free (p[i]);
      left[round] = counter ("superslabs_lru");
    }
  CHECKF (left[0] > 5 && left[1] == 0, "%llu and %llu superslabs kept",
          (unsigned long long) left[0], (unsigned long long) left[1]);
  back_to_first ();
}

/* ---- change under load ---- */

enum { WORKERS = 4, PLACES = 256 };
static void *place[PLACES]; /* exchanged between all workers */
static bool stop;           /* atomic */
static uint64_t steps;      /* of all workers; atomic */
static text policy_a, policy_b;

static void *
worker (void *arg)
{
  static const size_t sizes[] = { 16, 64, 200, 1000, 2000, 5000, 30000,
                                  100000 };
  uint64_t x = (uintptr_t) arg * 0x9e3779b97f4a7c15u + 1;
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      __atomic_fetch_add (&steps, 1, __ATOMIC_RELAXED);
      size_t size = sizes[x >> 40 & (x >> 50 & 7 ? 3 : 7)];
      char *p = malloc (size);
      if (p == NULL)
        abort ();
      p[0] = p[size - 1] = (char) (uintptr_t) p;
      *(size_t *) (p + 8) = size;
      p = __atomic_exchange_n (&place[x % PLACES], p, __ATOMIC_ACQ_REL);
      if (p == NULL)
        continue;
      size = *(size_t *) (p + 8);
      if (size > 100000 || p[0] != (char) (uintptr_t) p)
        {
          CHECKF (false, "block %p was overwritten", (void *) p);
          continue;
        }
      if (size > 16 && p[size - 1] != p[0])
        CHECKF (false, "the end of block %p was overwritten", (void *) p);
      free (p);
    }
  return NULL;
}

/* What is saved at any moment is one of the two, never a mixture.  */
static void *
watcher (void *arg)
{
  static text t;
  unsigned *seen = arg;
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    {
      if (policy_save (in_dir ("watched")) != 0)
        abort ();
      get (in_dir ("watched"), &t);
      if (same (&t, &policy_a))
        seen[0]++;
      else if (same (&t, &policy_b))
        seen[1]++;
      else
        CHECKF (false, "a mixture of policies was saved");
    }
  return NULL;
}

static void
child_loads (void)
{
#if !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__
  pid_t child = fork ();
  int status = -1;
  if (child == 0)
    {
      for (int i = 0; i < 500; i++)
        free (malloc ((size_t) i * 37 % 5000 + 1));
      int error = policy_load (in_dir ("b"));
      for (int i = 0; i < 500; i++)
        free (malloc ((size_t) i * 37 % 5000 + 1));
      _exit (error != 0);
    }
  CHECK (child > 0 && waitpid (child, &status, 0) == child && status == 0);
#endif
}

TEST (change_while_threads_allocate)
{
  enum { LOADS = 400 };
  pthread_t thread[WORKERS], other;
  unsigned seen[2] = { 0, 0 };
  policy_a = first;
  set_all_remotes (&policy_a, 1);
  set_number (&policy_a, "TINY_DRAIN_INTERVAL = ", 256);
  set_number (&policy_a, "TINY_WARM_CAP = ", 0);
  set_number (&policy_a, "TINY_RETURN_FRACTION = ", 1);
  set_number (&policy_a, "CAP_LARGE = ", 0);
  set_number (&policy_a, "TINY_SLAB_REUSE_GUARD = ", 1);
  policy_b = first;
  set_all_remotes (&policy_b, 128);
  set_number (&policy_b, "TINY_DRAIN_INTERVAL = ", 65536);
  set_number (&policy_b, "TINY_WARM_CAP = ", 8);
  set_number (&policy_b, "TINY_RETURN_FRACTION = ", 64);
  set_number (&policy_b, "TINY_BUMP_CHUNK = ", 65536);
  put (in_dir ("a"), &policy_a);
  put (in_dir ("b"), &policy_b);
  CHECK (policy_load (in_dir ("a")) == 0);
  for (uintptr_t i = 0; i < WORKERS; i++)
    if (pthread_create (&thread[i], NULL, worker, (void *) i) != 0)
      abort ();
  if (pthread_create (&other, NULL, watcher, seen) != 0)
    abort ();
  for (int i = 0; i < LOADS; i++)
    {
      int error = policy_load (in_dir (i % 2 ? "a" : "b"));
      CHECKF (error == 0, "load %d: %d", i, error);
      free (malloc ((size_t) i + 1));
      if (i % 40 == 0)
        child_loads ();
      /* Each policy is there for a while.  */
      uint64_t start = __atomic_load_n (&steps, __ATOMIC_RELAXED);
      while (__atomic_load_n (&steps, __ATOMIC_RELAXED) - start < 1000)
        sched_yield ();
    }
  __atomic_store_n (&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < WORKERS; i++)
    pthread_join (thread[i], NULL);
  pthread_join (other, NULL);
  CHECKF (seen[0] + seen[1] > 0, "none was saved");
  for (int i = 0; i < PLACES; i++)
    free (place[i]);
  back_to_first ();
}

/* ---- */

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

static void
other_policy (text *t)
{
  set_number (t, "TINY_WARM_CAP = ", 5);
  set_number (t, "TINY_RETURN_FRACTION = ", 3);
  set_number (t, " remote ", 17);
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

int
main (int argc, char **argv)
{
  bool make = argc == 3 && strcmp (argv[1], "make") == 0;
  bool ask = argc == 3 && strcmp (argv[1], "same") == 0;
  const char *base = argc == 2 ? argv[1] : getenv ("TMPDIR");
  snprintf (dir, sizeof dir, "%s/policy.XXXXXX", base ? base : "/tmp");
  if (mkdtemp (dir) == NULL)
    return 3;
  if (!find_functions ())
    {
      puts ("not ok symbols: hakmem_policy_* are not all there");
      rmdir (dir);
      return check_done ();
    }
  in_force (&first);
  if (make)
    {
      other_policy (&first);
      put (argv[2], &first);
    }
  else if (ask)
    {
      static text wanted;
      get (argv[2], &wanted);
      puts (same (&first, &wanted) ? "same" : "other");
    }
  else
    {
      RUN (round_trip);
      RUN (every_flipped_byte_is_refused);
      RUN (every_truncation_is_refused);
      RUN (what_is_refused_and_why);
      RUN (another_route_is_refused);
      RUN (an_older_library_is_fine);
      RUN (paths);
      RUN (remote_threshold_acts_in_a_running_thread);
      RUN (warm_cap_gives_up_what_is_kept);
      RUN (large_cap_acts_without_any_refill);
      RUN (lru_cap_acts);
      RUN (change_while_threads_allocate);
    }
  remove_dir ();
  return make || ask ? fflush (stdout) != 0 : check_done ();
}
