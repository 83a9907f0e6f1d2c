/* Workloads whose behaviour changes: what they do in turns, and a line for
   each half of each turn, by which bench/learn.py knows what was done when.

     phase=NAME half=1|2 ops=N cpu=S at=S

   ops and cpu (seconds, of all threads) are of that half alone; at is its end,
   by the monotonic clock.  The line with half=0 says when the first began.
   Every page of a block is written, a word each: what is resident is what an
   allocator hands out and keeps.  */
#ifndef PHASE_H
#define PHASE_H

#include "work.h"

enum { PHASE_PAGE = 4096 };

static long phase_ops;          /* in all */

static inline double
phase_clock (clockid_t clock)
{
  struct timespec now;
  clock_gettime (clock, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static inline void
phase_mark (const char *name, int half, long ops)
{
  static double before;
  double cpu = phase_clock (CLOCK_PROCESS_CPUTIME_ID);
  printf ("phase=%s half=%d ops=%ld cpu=%.6f at=%.6f\n", name, half, ops,
          cpu - before, work_now ());
  before = cpu;
  phase_ops += ops;
}

static inline void *
phase_new (size_t size)
{
  char *block = work_new (size);
  for (size_t at = PHASE_PAGE; at + sizeof (size_t) <= size; at += PHASE_PAGE)
    *(size_t *) (void *) (block + at - at % sizeof (size_t)) = at;
  work_stamp (block, size);
  return block;
}

/* Drop what is in SLOT, put a block of SIZE there.  */
static inline void
phase_replace (void **slot, size_t size)
{
  work_drop (*slot);
  *slot = phase_new (size);
}

/* TURNS turns, of which the first is number 0: RUN does half HALF of one and
   returns how many operations that was.  */
static inline void
phase_run (long turns, const char *(*name) (long turn),
           long (*run) (long turn, int half))
{
  work_start ();
  phase_mark ("start", 0, 0);
  for (long turn = 0; turn < turns; turn++)
    for (int half = 1; half <= 2; half++)
      phase_mark (name (turn), half, run (turn, half));
  work_stop ();
}

#endif
