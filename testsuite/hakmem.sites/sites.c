/* Call sites with and without rules.

     sites where                   prints "NAME OFFSET" of each site
     sites where FILE              the same of what FILE (plugin.c) calls
     sites check SITE HINT...      SITE acts by HINTs, every other as if without
     sites many                    each of many sites by its own rule
     sites plugin ONE HINT TWO HINT   ONE and TWO, opened one after the other in
                                   the same place, each by its own HINT
     sites learn FILE              long and short waits are told apart; saves FILE
     sites learned                 as they were, from the first block on

   HINT is a rule's, or none.  A site's return address is told by the function
   called there: in the run that prints them, one that looks.  */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "hakmem/hakmem.h"

#define KIB ((size_t) 1 << 10)
#define MIB ((size_t) 1 << 20)
#define SLOTS (64 * KIB)
#define NOINLINE __attribute__ ((noinline))

static __typeof__ (hakmem_stats_get) *stats_get;
static __typeof__ (hakmem_purge) *purge;
static __typeof__ (hakmem_ctl) *ctl;

/* ---- sites ---- */

static void *volatile looked; /* the last return address */

#define PROBE(name, arguments)                                                \
  static NOINLINE void *name arguments                                        \
  {                                                                           \
    looked = __builtin_return_address (0);                                    \
    return NULL;                                                              \
  }
PROBE (look1, (size_t a __attribute__ ((unused))))
PROBE (look2, (size_t a __attribute__ ((unused)),
               size_t b __attribute__ ((unused))))
PROBE (look_realloc, (void *p __attribute__ ((unused)),
                      size_t b __attribute__ ((unused))))
static NOINLINE int
look_posix (void **p, size_t a __attribute__ ((unused)),
            size_t b __attribute__ ((unused)))
{
  looked = __builtin_return_address (0);
  *p = NULL;
  return 0;
}

static void *(*volatile ask) (size_t) = malloc;
static void *(*volatile ask_valloc) (size_t) = valloc;
static void *(*volatile ask_calloc) (size_t, size_t) = calloc;
static void *(*volatile ask_realloc) (void *, size_t) = realloc;
static void *(*volatile ask_memalign) (size_t, size_t) = memalign;
static int (*volatile ask_posix) (void **, size_t, size_t) = posix_memalign;

#define KEPT(p) __asm__ volatile ("" : : "r" (p) : "memory") /* no tail call */

#define SITE(name, expression)                                                \
  static NOINLINE void *make_##name (size_t size)                             \
  {                                                                           \
    void *p = expression;                                                     \
    KEPT (p);                                                                 \
    return p;                                                                 \
  }
SITE (malloc, ask (size))
SITE (other, ask (size))
SITE (calloc, ask_calloc (1, size))
SITE (realloc, ask_realloc (NULL, size))
SITE (moved, ask_realloc (malloc (100), size))
SITE (memalign, ask_memalign (64, size))
SITE (valloc, ask_valloc (size))
static NOINLINE void *
make_posix (size_t size)
{
  void *p = NULL;
  int error = ask_posix (&p, 128, size);
  KEPT (error);
  return p;
}
/* 256 calls, so that some meet in the table of sites.  */
#define CALL(n)                                                               \
  case n:                                                                     \
    p = ask (size);                                                           \
    __asm__ volatile ("# call " #n : : "r" (p) : "memory");                   \
    break;
#define FOUR(n) CALL (n) CALL (n + 1) CALL (n + 2) CALL (n + 3)
#define SIXTEEN(n) FOUR (n) FOUR (n + 4) FOUR (n + 8) FOUR (n + 12)
#define SIXTY_FOUR(n)                                                         \
  SIXTEEN (n) SIXTEEN (n + 16) SIXTEEN (n + 32) SIXTEEN (n + 48)
enum { MANY = 256 };
static NOINLINE void *
make_one_of_many (int which, size_t size)
{
  void *p = NULL;
  switch (which)
    {
      SIXTY_FOUR (0) SIXTY_FOUR (64) SIXTY_FOUR (128) SIXTY_FOUR (192)
    }
  return p;
}
/* Its own, for what stands beside a site's block; no rule is ever for it.  */
SITE (neutral, ask (size))

/* One at a time: what the program opened last.  */
static void *(*plugin_make) (void *(*) (size_t), size_t);
static NOINLINE void *
make_plugin (size_t size)
{
  return plugin_make (ask, size);
}

static const struct
{
  const char *name;
  void *(*make) (size_t);
} sites[] = {
  { "malloc", make_malloc },   { "other", make_other },
  { "calloc", make_calloc },   { "realloc", make_realloc },
  { "moved", make_moved },     { "memalign", make_memalign },
  { "posix", make_posix },     { "valloc", make_valloc },
};
enum { SITES = sizeof sites / sizeof *sites };

static size_t
offset_of (void *address)
{
  Dl_info info;
  return dladdr (address, &info) ? (size_t) ((char *) address
                                             - (char *) info.dli_fbase)
                                 : 0;
}

static int
where (const char *file)
{
  ask = ask_valloc = look1;
  ask_calloc = ask_memalign = look2;
  ask_realloc = look_realloc;
  ask_posix = look_posix;
  if (file != NULL)
    {
      plugin_make = (void *(*) (void *(*) (size_t), size_t))
          dlsym (dlopen (file, RTLD_NOW), "plugin_make");
      make_plugin (1);
      printf ("plugin %zx\n", offset_of (looked));
      return 0;
    }
  for (int i = 0; i < MANY; i++)
    {
      make_one_of_many (i, 1);
      printf ("%d %zx\n", i, offset_of (looked));
    }
  for (int i = 0; i < SITES; i++)
    {
      sites[i].make (1);
      printf ("%s %zx\n", sites[i].name, offset_of (looked));
    }
  return 0;
}

/* ---- what a block's site did to it ---- */

static uint64_t
stat (const char *name)
{
  uint64_t value = 0;
  if (stats_get (name, &value) != 0)
    CHECKF (false, "no %s", name);
  return value;
}

static void *
written (void *p, size_t size)
{
  for (size_t i = 0; p != NULL && i < size; i += 4 * KIB)
    ((volatile char *) p)[i] = 1;
  return p;
}

/* A big block is given back when it is freed: its mapping is not cached.  */
static bool
big_goes (void *(*make) (size_t))
{
  purge ();
  free (written (make (5 * MIB), 5 * MIB));
  return stat ("big_cached_bytes") == 0;
}

static bool
run_goes (void *(*make) (size_t))
{
  purge ();
  free (make_neutral (3 * SLOTS)); /* what is set up for the first */
  purge ();
  void *p = written (make (3 * SLOTS), 3 * SLOTS);
  uint64_t idle = stat ("idle_bytes");
  free (p);
  return stat ("idle_bytes") == idle;
}

/* Of a mapping a fifth longer, which is free, no more is taken.  */
static bool
big_is_exact (void *(*make) (size_t))
{
  purge ();
  free (make_neutral (6 * MIB));
  void *p = make (5 * MIB);
  uint64_t left = stat ("big_cached_bytes");
  free (p);
  return left == 1 * MIB;
}

static bool
run_is_exact (void *(*make) (size_t))
{
  purge ();
  free (make_neutral (3 * SLOTS));
  void *p = make (2 * SLOTS);
  size_t usable = malloc_usable_size (p);
  free (p);
  return usable == 2 * SLOTS;
}

static bool
big_is_huge (void *(*make) (size_t))
{
  purge ();
  uint64_t before = stat ("THP_MAP");
  free (make (4 * MIB));
  return stat ("THP_MAP") > before;
}

/* Freed blocks that are not all to stay resident: the oldest one does.  */
static bool
big_stays (void *(*make) (size_t))
{
  enum { PAGES = 3 * 256, MOST = 200 };
  unsigned char in[PAGES];
  void *more[MOST];
  int resident = 0, n = 0;
  purge ();
  char *p = written (make (3 * MIB), 3 * MIB);
  while (n < MOST && n * 4 * MIB < stat ("retain_bytes"))
    more[n++] = written (make_neutral (4 * MIB), 4 * MIB);
  free (p);
  for (int i = 0; i < n; i++)
    free (more[i]);
  CHECK (n < MOST);
  if (mincore (p, 3 * MIB, in) == 0)
    for (int i = 0; i < PAGES; i++)
      resident += in[i] & 1;
  return resident == PAGES;
}

/* A cached run is still the thread's after many of another length.  */
static bool
run_stays (void *(*make) (size_t))
{
  purge ();
  free (make (4 * SLOTS));
  for (int i = 0; i < 64; i++)
    free (make_neutral (SLOTS));
  uint64_t before = stat ("RUN_CACHE_HIT");
  free (make_neutral (4 * SLOTS));
  return stat ("RUN_CACHE_HIT") > before;
}

static const struct
{
  const char *hint, *what;
  bool (*holds) (void *(*make) (size_t));
} marks[] = {
  { "no-cache", "a freed big block goes at once", big_goes },
  { "no-cache", "a freed large block goes at once", run_goes },
  { "exact", "a big block takes no longer mapping", big_is_exact },
  { "exact", "a large block takes no longer run", run_is_exact },
  { "thp", "a big block is huge", big_is_huge },
  { "cache", "a freed big block stays longer", big_stays },
  { "cache", "a freed large block stays longer", run_stays },
};

/* HINTS of a site called NAME, and no other, can be seen.  */
static void
check_site (const char *name, void *(*make) (size_t), char **hints)
{
  bool has[sizeof marks / sizeof *marks] = { false }, gone = false;
  for (size_t m = 0; m < sizeof marks / sizeof *marks; m++)
    for (char **hint = hints; *hint != NULL; hint++)
      {
        has[m] = has[m] || strcmp (*hint, marks[m].hint) == 0;
        gone = gone || strcmp (*hint, "no-cache") == 0;
      }
  for (size_t m = 0; m < sizeof marks / sizeof *marks; m++)
    if (!(gone && strcmp (marks[m].hint, "cache") == 0))
      CHECKF (marks[m].holds (make) == has[m], "%s: %s: %s", name,
              marks[m].what, has[m] ? "no" : "yes");
}

static char **arguments, *no_hints[] = { NULL };

TEST (check)
{
  int found = 0;
  for (int i = 0; i < SITES; i++)
    {
      bool mine = strcmp (sites[i].name, arguments[0]) == 0;
      found += mine;
      check_site (sites[i].name, sites[i].make,
                  mine ? arguments + 1 : no_hints);
    }
  CHECK (found == (strcmp (arguments[0], "none") != 0));
  check_site ("neutral", make_neutral, no_hints);
}

TEST (plugin)
{
  void *place[2] = { NULL };
  for (int i = 0; i < 2; i++)
    {
      char *hints[] = { arguments[2 * i + 1], NULL };
      void *file = dlopen (arguments[2 * i], RTLD_NOW | RTLD_LOCAL);
      if (!CHECKF (file != NULL, "dlopen: %s", dlerror ()))
        return;
      place[i] = dlsym (file, "plugin_make");
      plugin_make = (void *(*) (void *(*) (size_t), size_t)) place[i];
      check_site (arguments[2 * i], make_plugin, hints);
      dlclose (file);
    }
  if (place[0] != place[1])
    SKIP ("the second file came elsewhere");
}

/* Every other one of many has the rule no-cache.  */
TEST (many)
{
  for (int i = 0; i < 2 * MANY; i++)
    {
      int which = i * 37 % MANY;
      purge ();
      free (make_one_of_many (which, 3 * MIB));
      CHECKF ((stat ("big_cached_bytes") == 0) == (which % 2 == 0), "%d",
              which);
    }
}

/* ---- learning ---- */

static void
wait_ms (long ms)
{
  struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
  while (nanosleep (&left, &left) != 0 && errno == EINTR)
    ;
}

/* The hint no-cache comes to a site whose blocks come once a while, and not to
   one whose blocks come one after the other.  */
TEST (learn)
{
  for (int i = 0; i < 3; i++)
    {
      free (make_malloc (4 * MIB));
      for (int k = 0; k < 6; k++)
        {
          free (make_other (5 * MIB));
          wait_ms (100);
        }
      for (int k = 0; k < 2000; k++)
        free (make_calloc (3 * SLOTS));
    }
  purge ();
  free (make_malloc (4 * MIB));
  CHECK (stat ("big_cached_bytes") == 0);
  free (make_other (5 * MIB));
  CHECK (stat ("big_cached_bytes") >= 5 * MIB);
  const char *path = arguments[0];
  size_t none = 0;
  CHECK (ctl ("sites.save", NULL, &none, path, strlen (path) + 1) == EINVAL);
  CHECK (ctl ("sites.save", NULL, NULL, path, strlen (path)) == EINVAL);
  CHECK (ctl ("sites.save", NULL, NULL, NULL, 0) == EINVAL);
  CHECK (ctl ("sites.save", NULL, NULL, "/nonexistent/x", 15) == ENOENT);
  CHECK (ctl ("sites.save", NULL, NULL, path, strlen (path) + 1) == 0);
}

/* A block that lived long, of a site that was silent meanwhile, goes at its
   first free.  */
TEST (learn_once)
{
  void *p = make_realloc (4 * MIB), *q = make_posix (4 * MIB);
  wait_ms (700);
  purge ();
  free (make_posix (3 * MIB));
  uint64_t cached = stat ("big_cached_bytes");
  free (p);
  CHECK (cached == 3 * MIB && stat ("big_cached_bytes") == cached);
  free (q);
  CHECK (stat ("big_cached_bytes") > cached);
}

TEST (learned)
{
  CHECK (big_goes (make_malloc));
  CHECK (run_goes (make_malloc));
  CHECK (!big_goes (make_other));
  CHECK (run_stays (make_calloc));
  CHECK (!run_stays (make_other));
}

int
main (int argc, char **argv)
{
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp (mode, "where") == 0)
    return where (argv[2]);
  *(void **) &stats_get = dlsym (RTLD_DEFAULT, "hakmem_stats_get");
  *(void **) &purge = dlsym (RTLD_DEFAULT, "hakmem_purge");
  *(void **) &ctl = dlsym (RTLD_DEFAULT, "hakmem_ctl");
  if (stats_get == NULL || purge == NULL || ctl == NULL)
    return 2;
  arguments = argv + 2;
  if (strcmp (mode, "check") == 0)
    RUN (check);
  else if (strcmp (mode, "many") == 0)
    RUN (many);
  else if (strcmp (mode, "plugin") == 0)
    RUN (plugin);
  else if (strcmp (mode, "learned") == 0)
    RUN (learned);
  else if (strcmp (mode, "learn") == 0)
    {
      RUN (learn_once);
      RUN (learn);
    }
  return check_done ();
}
