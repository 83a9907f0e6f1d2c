/* What the concurrency programs share: patterned blocks that are checked when
   they are freed, a random generator, resident memory, and the `ok NAME` lines
   that the framework reads.  Nothing here allocates but block_new.

   A block describes itself: its first two words hold its size and seed, masked
   by its address, and every further byte belongs to a pattern made from
   address, size and seed.  So a block can be handed on as a bare pointer, and
   one byte written by anybody else, or one block handed out twice, is found.  */
#ifndef HKM_TEST_CONCUR_H
#define HKM_TEST_CONCUR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../include/names.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define UNUSED __attribute__ ((unused))
#define LARGEST ((size_t) 1 << 30) /* no test block is larger */

/* --- output ------------------------------------------------------------ */

static int failures;

__attribute__ ((format (printf, 1, 2))) static UNUSED void
say (const char *format, ...)
{
  char line[512];
  va_list args;
  va_start (args, format);
  int n = vsnprintf (line, sizeof line - 1, format, args);
  va_end (args);
  if (n > (int) sizeof line - 2)
    n = sizeof line - 2;
  line[n++] = '\n';
  if (write (1, line, n) != n)
    _exit (2);
}

/* One result line; a failure is remembered for the exit status.  */
#define verdict(good, name, ...)                                              \
  ((good) ? say ("ok %s", (name))                                             \
          : (__atomic_add_fetch (&failures, 1, __ATOMIC_RELAXED),             \
             say_failure ((name), __VA_ARGS__)))

__attribute__ ((format (printf, 2, 3))) static UNUSED void
say_failure (const char *name, const char *format, ...)
{
  char why[400];
  va_list args;
  va_start (args, format);
  vsnprintf (why, sizeof why, format, args);
  va_end (args);
  say ("not ok %s: %s", name, why);
}

/* A fault after which nothing more can be said about this process.  */
#define die(name, ...) (say_failure ((name), __VA_ARGS__), abort ())

static UNUSED int
finish (void)
{
  say ("done");
  return __atomic_load_n (&failures, __ATOMIC_RELAXED) != 0;
}

/* --- parameters -------------------------------------------------------- */

/* NAME's number: from an argument NAME=number, else from the environment
   variable HAKMEM_TEST_<NAME>, else DEFAULT.  */
static UNUSED long
param (int argc, char **argv, const char *name, long otherwise)
{
  size_t n = strlen (name);
  for (int i = 1; i < argc; i++)
    if (strncmp (argv[i], name, n) == 0 && argv[i][n] == '=')
      return strtol (argv[i] + n + 1, NULL, 0);
  char variable[64] = "HAKMEM_TEST_";
  size_t at = strlen (variable);
  for (size_t i = 0; i < n && at < sizeof variable - 1; i++)
    variable[at++] = name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i];
  const char *value = getenv (variable);
  return value ? strtol (value, NULL, 0) : otherwise;
}

/* --- random numbers ---------------------------------------------------- */

static inline uint64_t
mix (uint64_t x) /* splitmix64's finaliser: a bijection */
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static inline uint64_t
draw (uint64_t *state)
{
  return mix (*state += 0x9e3779b97f4a7c15u);
}

static inline uint64_t
below (uint64_t *state, uint64_t n)
{
  return (uint64_t) (((unsigned __int128) draw (state) * n) >> 64);
}

/* A size in [low, high], each doubling equally likely, any residue.  */
static UNUSED size_t
draw_size (uint64_t *state, size_t low, size_t high)
{
  unsigned doublings = 0;
  while (low << (doublings + 1) <= high)
    doublings++;
  size_t from = low << below (state, doublings + 1);
  size_t to = from * 2 - 1 < high ? from * 2 - 1 : high;
  return from + below (state, to - from + 1);
}

/* --- patterns ---------------------------------------------------------- */

#define PATTERN_STEP 0x9e3779b97f4a7c15u

static UNUSED void
pattern_fill (void *start, size_t size, uint64_t key)
{
  char *p = (char *) start;
  uint64_t word = key;
  size_t i = 0;
  for (; i + 8 <= size; i += 8, word += PATTERN_STEP)
    memcpy (p + i, &word, 8);
  memcpy (p + i, &word, size - i);
}

/* The offset of the first word that differs, or SIZE.  */
static UNUSED size_t
pattern_check (const void *start, size_t size, uint64_t key)
{
  const char *p = (const char *) start;
  uint64_t word = key, got, wrong = 0;
  size_t i = 0;
  for (; i + 8 <= size; i += 8, word += PATTERN_STEP)
    {
      memcpy (&got, p + i, 8);
      wrong |= got ^ word;
    }
  if (wrong == 0 && memcmp (p + i, &word, size - i) == 0)
    return size;
  word = key;
  for (i = 0; i + 8 <= size; i += 8, word += PATTERN_STEP)
    if (memcmp (p + i, &word, 8) != 0)
      return i;
  return i < size ? i : size - 1;
}

/* --- blocks that describe themselves ----------------------------------- */

#define BLOCK_MIN 16 /* the two describing words */

typedef struct block
{
  uint64_t size; /* ^ mix (address) */
  uint64_t seed; /* ^ mix (address + 1) */
  char body[];
} block;

static inline uint64_t
block_key (const block *b, size_t size, uint64_t seed)
{
  return mix ((uintptr_t) b ^ mix (size ^ mix (seed)));
}

static UNUSED size_t
block_size (const block *b)
{
  uint64_t size = b->size ^ mix ((uintptr_t) b);
  if (size < BLOCK_MIN || size > LARGEST)
    die ("integrity", "block %p: its size word was overwritten (%#llx)",
         (void *) b, (unsigned long long) b->size);
  return size;
}

/* Make SIZE bytes at P a block.  */
static UNUSED block *
block_write (void *p, size_t size, uint64_t seed)
{
  block *b = (block *) p;
  b->size = size ^ mix ((uintptr_t) b);
  b->seed = seed ^ mix ((uintptr_t) b + 1);
  pattern_fill (b->body, size - BLOCK_MIN, block_key (b, size, seed));
  return b;
}

static UNUSED void
block_check (const block *b)
{
  size_t size = block_size (b);
  uint64_t seed = b->seed ^ mix ((uintptr_t) b + 1);
  size_t at = pattern_check (b->body, size - BLOCK_MIN,
                             block_key (b, size, seed));
  if (at < size - BLOCK_MIN)
    die ("integrity", "block %p of %zu bytes: wrong from byte %zu", (void *) b,
         size, at + BLOCK_MIN);
}

static UNUSED void
must_be_zero (const char *p, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != 0)
      die ("integrity", "calloc: block %p of %zu bytes isn't zero at byte %zu",
           (const void *) p, size, i);
}

/* A filled block of SIZE bytes (at least BLOCK_MIN).  Mostly from malloc; one
   in eight from calloc, checked to be zero, and one in sixteen aligned.  */
static UNUSED block *
block_new (size_t size, uint64_t *random)
{
  uint64_t seed = draw (random);
  unsigned kind = seed >> 60;
  size_t align = 16;
  void *p;
  if (kind < 2)
    p = calloc (1, size);
  else if (kind == 2)
    p = aligned_alloc (align = (size_t) 16 << (seed & 7), size);
  else
    p = malloc (size);
  if (p == NULL)
    die ("memory", "no block of %zu bytes: %d", size, errno);
  if (((uintptr_t) p & (align - 1)) != 0)
    die ("integrity", "block %p of %zu bytes isn't aligned to %zu", p, size,
         align);
  if (kind < 2)
    must_be_zero ((const char *) p, size);
  if (kind == 3 && malloc_usable_size (p) < size)
    die ("integrity", "block %p of %zu bytes: only %zu are usable", p, size,
         malloc_usable_size (p));
  return block_write (p, size, seed);
}

static UNUSED void
block_free (block *b)
{
  if (b == NULL)
    return;
  block_check (b);
  free (b);
}

/* Swap B for whatever stands in *PLACE.  The exchange is the only
   synchronisation between the thread that made a block and the one that frees
   it: release for the giver, acquire for the taker.  */
static inline block *
block_swap (block **place, block *b)
{
  return __atomic_exchange_n (place, b, __ATOMIC_ACQ_REL);
}

/* One block of all sizes, every LARGE-th one large, takes the place of one of the N
   that threads SHARE, which ends here; every fourth turn I it is resized first.  */
static inline void
block_turn (block **shared, uint64_t n, uint64_t *random, int i, int large)
{
  size_t high = i % 500 == 0 ? 5 << 20 : i % large == 0 ? 300000 : 8192;
  block *b = block_new (draw_size (random, 16, high), random);
  b = block_swap (&shared[below (random, n)], b);
  if (b != NULL && i % 4 == 0)
    {
      size_t size = draw_size (random, 16, high);
      block_check (b);
      void *p = realloc (b, size);
      if (p == NULL)
        die ("memory", "realloc to %zu: %d", size, errno);
      b = block_write (p, size, i);
    }
  block_free (b);
}

/* --- process ----------------------------------------------------------- */

static UNUSED double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Anonymous resident memory in KiB, counted page by page by the kernel.  */
static UNUSED long
resident_kib (void)
{
  static char text[4096];
  int fd = open ("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read (fd, text, sizeof text - 1);
  if (fd >= 0)
    close (fd);
  if (n <= 0)
    return -1;
  text[n] = 0;
  const char *at = strstr (text, "\nAnonymous:");
  return at ? strtol (at + 11, NULL, 10) : -1;
}

/* NULL if resident memory can be judged here, else why not.  */
static UNUSED const char *
resident_unknown (void)
{
  if (SANITIZED)
    return "a sanitizer's shadow hides the heap's memory";
  return resident_kib () < 0 ? "no /proc/self/smaps_rollup" : NULL;
}

/* Memory outside any heap, already resident: tables that must not disturb
   what is measured.  */
static UNUSED void *
table_new (size_t bytes)
{
  void *p = mmap (NULL, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (p == MAP_FAILED)
    die ("memory", "no table of %zu bytes", bytes);
  return p;
}

static UNUSED pthread_t
thread_start (void *(*run) (void *), void *arg)
{
  pthread_t id;
  int error = pthread_create (&id, NULL, run, arg);
  if (error != 0)
    die ("threads", "pthread_create: %d", error);
  return id;
}

/* RUN (ARG) in a process of its own, forked before the caller had any thread:
   what one case earned or left behind can't help or hurt the next.  */
static UNUSED void
apart (const char *name, void (*run) (const void *), const void *arg)
{
  int status = 0;
  pid_t child = fork ();
  if (child == 0)
    {
      run (arg);
      _exit (failures != 0);
    }
  if (child < 0 || waitpid (child, &status, 0) != child)
    die (name, "fork or wait: %d", errno);
  if (WIFSIGNALED (status))
    verdict (false, name, "ended by signal %d", WTERMSIG (status));
  else
    failures += WEXITSTATUS (status) != 0;
}

#endif
