/* What the workloads share: arguments, a stopwatch, random numbers, blocks
   that show when an allocator breaks them, threads, and the line of results.

   Every workload takes its parameters as positional arguments, each with a
   default, and ends with one line on stdout:

     ops=N seconds=S rss_end_kib=K [more key=value pairs]

   ops are pairs of malloc and free unless the workload's header says
   otherwise.  seconds is the measured part by the wall clock, with the
   threads' starts and the freeing at the end.  rss_end_kib is RssAnon when all
   blocks are freed and the workload's own tables unmapped.  Exit status 1: the
   allocator failed; 2: bad arguments.  work_new alone allocates.  */
#ifndef WORK_H
#define WORK_H

#define _GNU_SOURCE             /* CPU_SET */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The most of any count, and of threads.  */
enum { WORK_MANY = 1 << 30, WORK_THREADS = 256 };

static inline _Noreturn void __attribute__ ((format (printf, 1, 2), cold))
work_die (const char *format, ...)
{
  va_list values;
  va_start (values, format);
  vfprintf (stderr, format, values);
  va_end (values);
  fputc ('\n', stderr);
  _exit (1);
}


/* Arguments.  */

struct work_arg
{
  const char *name;
  long value;                   /* the default, then what is given */
  long least, most;
};

static inline void
work_arguments (int argc, char **argv, struct work_arg *args, int count)
{
  int good = argc - 1 <= count;
  for (int i = 1; good && i < argc; i++)
    {
      char *end;
      errno = 0;
      long value = strtol (argv[i], &end, 0);
      good = !errno && end != argv[i] && !*end
             && value >= args[i - 1].least && value <= args[i - 1].most;
      args[i - 1].value = value;
    }
  if (good)
    return;
  fprintf (stderr, "usage: %s", argv[0]);
  for (int i = 0; i < count; i++)
    fprintf (stderr, " [%s %ld..%ld]", args[i].name, args[i].least,
             args[i].most);
  fputc ('\n', stderr);
  exit (2);
}

#define WORK_ARGUMENTS(argc, argv, args)                                      \
  work_arguments (argc, argv, args, sizeof (args) / sizeof *(args))


/* The stopwatch, in seconds.  */

static double work_seconds;

static inline double
work_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static inline void
work_start (void)
{
  work_seconds -= work_now ();
}

static inline void
work_stop (void)
{
  work_seconds += work_now ();
}


/* Random numbers: splitmix64.  A draw waits for one addition only, so the
   numbers are ready when the allocator is.  */

static inline uint64_t
work_seed (long seed, long index)
{
  return (uint64_t) seed * 1000003 + (uint64_t) index * 0xD1342543DE82EF95;
}

static inline uint64_t
work_random (uint64_t *state)
{
  uint64_t z = *state += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

/* 0 .. BOUND - 1 from the upper half of RANDOM, BOUND below 2^32.  */
static inline size_t
work_below (uint64_t random, size_t bound)
{
  return (random >> 32) * bound >> 32;
}

/* A size from LEAST to just under LEAST << DOUBLINGS, every doubling as likely
   as the others.  */
static inline size_t
work_size_log (uint64_t *state, size_t least, int doublings)
{
  uint64_t random = work_random (state);
  size_t from = least << work_below (random, (size_t) doublings);
  return from + work_below (random << 32, from);
}


/* Blocks.  The first 8 bytes of each hold its size and a mark made of size and
   address, so that a block that is handed out twice, overlaps another or is
   changed by the allocator is noticed when it is dropped.  One size in 16 is
   written wholly, up to a page, and looked at at both ends.  Which one depends
   on the size alone: every allocator has the same work.  */

enum { WORK_LEAST = 8, WORK_WRITTEN = 4096 };

static inline uint32_t
work_mark (const void *block, size_t size)
{
  return (uint32_t) (((uintptr_t) block ^ size) * 0x9E3779B97F4A7C15 >> 32);
}

/* How many bytes of a block of SIZE are written.  */
static inline size_t
work_written (size_t size)
{
  if ((uint32_t) (size * 0x9E3779B1) >> 28)
    return WORK_LEAST;
  return size < WORK_WRITTEN ? size : WORK_WRITTEN;
}

static inline void
work_stamp (void *block, size_t size)
{
  uint32_t mark = work_mark (block, size);
  size_t written = work_written (size);
  if (written > WORK_LEAST)
    memset (block, (unsigned char) mark, written);
  *(uint64_t *) block = (uint64_t) mark << 32 | size;
}

/* What BLOCK was asked for with.  */
static inline size_t
work_size (const void *block)
{
  return (uint32_t) *(const uint64_t *) block;
}

/* BLOCK's stamp must be good.  */
static inline void
work_check (const void *block)
{
  uint64_t stamp = *(const uint64_t *) block;
  size_t size = work_size (block), written = work_written (size);
  uint32_t mark = work_mark (block, size);
  if (stamp >> 32 != mark
      || (written > WORK_LEAST
          && ((const unsigned char *) block)[written - 1]
             != (unsigned char) mark))
    work_die ("block %p does not hold what was written", block);
}

/* SIZE: WORK_LEAST .. 4 GiB - 1.  */
static inline void *
work_new (size_t size)
{
  void *block = malloc (size);
  if (!block)
    work_die ("malloc (%zu) fails", size);
  work_stamp (block, size);
  return block;
}

/* BLOCK may be NULL.  */
static inline void
work_drop (void *block)
{
  if (!block)
    return;
  work_check (block);
  *(uint64_t *) block = 0;      /* a second drop is to fail */
  free (block);
}

static inline void
work_replace (void **slot, size_t size)
{
  work_drop (*slot);
  *slot = work_new (size);
}

/* A table of COUNT empty slots, on pages of its own.  */
static inline void **
work_slots (long count)
{
  void *table = mmap (NULL, (size_t) count * sizeof (void *),
                      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);
  if (table == MAP_FAILED)
    work_die ("mmap fails: %s", strerror (errno));
  return table;
}

static inline void
work_slots_free (void **slot, long count)
{
  for (long i = 0; i < count; i++)
    work_drop (slot[i]);
  munmap (slot, (size_t) count * sizeof (void *));
}

/* A table of SLOTS blocks of LEAST..MOST bytes, of which a random one was
   replaced ITERATIONS times.  */
static inline void **
work_churned (uint64_t random, long iterations, long slots, size_t least,
              size_t most)
{
  void **slot = work_slots (slots);
  for (long i = 0; i < slots; i++)
    slot[i] = work_new (least + work_below (work_random (&random),
                                            most - least + 1));
  for (long i = 0; i < iterations; i++)
    {
      uint64_t bits = work_random (&random);
      work_replace (slot + work_below (bits, (size_t) slots),
                    least + work_below (bits << 32, most - least + 1));
    }
  return slot;
}

/* The loop of many workloads: as work_churned, and all are freed.  Pairs:
   iterations + slots.  */
static inline void
work_churn (uint64_t random, long iterations, long slots, size_t least,
            size_t most)
{
  work_slots_free (work_churned (random, iterations, slots, least, most),
                   slots);
}


/* Threads.  */

static inline pthread_t
work_thread (void *(*body) (void *), void *argument)
{
  pthread_t thread;
  int error = pthread_create (&thread, NULL, body, argument);
  if (error)
    work_die ("pthread_create fails: %s", strerror (error));
  return thread;
}

/* Run BODY in COUNT threads, each given its index as its argument, and wait
   for them.  */
static inline void
work_threads (long count, void *(*body) (void *))
{
  pthread_t thread[WORK_THREADS];
  for (long i = 0; i < count; i++)
    thread[i] = work_thread (body, (void *) i);
  for (long i = 0; i < count; i++)
    pthread_join (thread[i], NULL);
}


/* Results.  */

/* Anonymous memory of this process, in KiB.  */
static inline long
work_rss_kib (void)
{
  char text[4096];
  int file = open ("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read (file, text, sizeof text - 1);
  if (length < 0)
    work_die ("/proc/self/status: %s", strerror (errno));
  close (file);
  text[length] = '\0';
  const char *line = strstr (text, "RssAnon:");
  return line ? strtol (line + strlen ("RssAnon:"), NULL, 10) : -1;
}

/* Print the line of results; MORE are further pairs, or "".  */
static inline void
work_report (long ops, const char *more)
{
  long kib = work_rss_kib ();
  printf ("ops=%ld seconds=%.6f rss_end_kib=%ld%s%s\n", ops, work_seconds, kib,
          *more ? " " : "", more);
}

/* All of a workload that is its threads: run BODY in COUNT of them, and report
   OPS operations.  */
static inline void
work_measure (long count, void *(*body) (void *), long ops)
{
  work_start ();
  work_threads (count, body);
  work_stop ();
  work_report (ops, "");
}

#endif
