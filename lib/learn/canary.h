/* The trial of a change.  Windows before it show how good things are and how
   much that varies by itself; the windows of its dwell time decide.  The
   change is kept only if the mean reward rises by more than the noise and
   nothing else falls beyond its tolerance; else it is rolled back, at once if
   one window is far beyond.  A trial that sees too little to judge is rolled
   back too.

   Noise is the mean absolute deviation from the mean, both over the last
   windows with falling weights (J. S. Hunter, "The Exponentially Weighted
   Moving Average", Journal of Quality Technology 18, 1986).  Twice that is 1.6
   standard deviations of a window, and some three of the difference of four
   windows' mean from the baseline's.  A level drifts, and by how much it does is
   not what it errs by: its noise is from one window to the next (J. von Neumann
   et al., "The Mean Square Successive Difference", Annals of Mathematical
   Statistics 12, 1941), and its baseline is of few windows.

   Knows nothing of what was changed; the caller applies and undoes it.  */
#ifndef HKM_LEARN_CANARY_H
#define HKM_LEARN_CANARY_H

#include "learn/fix.h"

typedef enum
{
  HKM_CANARY_REWARD, /* higher is better */
  HKM_CANARY_HIT,    /* rate; higher is better */
  HKM_CANARY_FAULTS, /* lower is better */
  HKM_CANARY_P99,    /* of the slow path; lower is better */
  HKM_CANARY_MEASURES
} hkm_canary_measure;

/* One window as observed.  VOLUME is how much happened in it, of any unit.  */
typedef struct
{
  hkm_fix measure[HKM_CANARY_MEASURES];
  uint64_t volume;
} hkm_canary_window;

/* A measure may get worse by SHARE of its baseline, by FLOOR or by twice its
   noise, whichever is most; the reward must get better by that.  */
typedef struct
{
  struct
  {
    hkm_fix share, floor;
  } tolerance[HKM_CANARY_MEASURES];
  uint64_t volume; /* windows of less don't count */
  uint32_t dwell;  /* windows that decide; at least 1 */
  bool level;      /* the reward goes on from where it was, whatever is done */
  uint32_t most;   /* windows that a trial may last, those of no count too; if
                      all are, half of that */
} hkm_canary_config;

/* Hit rate 0.02, faults a tenth or 16, p99 a fifth or a microsecond (in ns);
   four windows, or sixteen.  */
extern const hkm_canary_config hkm_canary_default;

typedef enum
{
  HKM_CANARY_NONE, /* no trial, or one that goes on */
  HKM_CANARY_KEEP,
  HKM_CANARY_ROLL_BACK
} hkm_canary_verdict;

typedef enum
{
  HKM_CANARY_BETTER,
  HKM_CANARY_NOT_BETTER,
  HKM_CANARY_WORSE,   /* over the dwell time */
  HKM_CANARY_HARMFUL, /* a single window */
  HKM_CANARY_IDLE     /* too few windows counted */
} hkm_canary_reason;

/* Measures are kept so that higher is better: faults and p99 negated.  */
typedef struct
{
  hkm_canary_config config;
  hkm_fix before[HKM_CANARY_MEASURES]; /* mean of the baseline */
  hkm_fix noise[HKM_CANARY_MEASURES];  /* mean absolute deviation */
  hkm_fix last;                        /* reward of the last window */
  hkm_fix after[HKM_CANARY_MEASURES];  /* mean of the trial, the last one */
  uint32_t windows;                    /* in BEFORE, at most 16 */
  uint32_t counted;                    /* windows in AFTER */
  uint32_t lasted;                     /* windows of the trial */
  bool running;
  /* Of the last verdict.  */
  hkm_canary_reason reason;
  hkm_canary_measure culprit;
} hkm_canary;

void hkm_canary_init (hkm_canary *c, const hkm_canary_config *config);
/* Can a trial start?  */
bool hkm_canary_ready (const hkm_canary *c);
/* A trial starts: the change is in effect from the next window on.  False, and
   no trial: one is running, or the baseline has fewer than eight windows.  */
bool hkm_canary_begin (hkm_canary *c);
/* Another window: of the baseline while no trial runs, else of the trial.  A
   verdict ends the trial.  After KEEP a new baseline starts: the trial's mean
   was chosen for being high, and the noise may be another.  After ROLL_BACK
   two windows refresh the old one before the next trial.  */
hkm_canary_verdict hkm_canary_add (hkm_canary *c, const hkm_canary_window *w);

#endif
