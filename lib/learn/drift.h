/* Whether to learn: LEARN until nothing changes any more, FROZEN until the
   program does.

   LEARN -> FROZEN, convergence: for `calm` windows no decision was kept and the
   reward's mean deviation was within a share of its mean (or of a scale, where
   the mean is near zero).

   FROZEN -> LEARN, drift, by either of
   - Page's test, two-sided (E. S. Page, Continuous Inspection Schemes, 1954;
     D. V. Hinkley, Inference about the change-point from cumulative sum tests,
     1971): the sums of what the reward lies above, and below, its mean beyond a
     slack, never under zero, in units of the deviation; one passes a bound.  Mean
     and deviation are of 16 windows, those that converged and if need be the
     next, and then stay, so that slow drift adds up, too.  A window counts for 4
     deviations at most: a single one, whatever it is, is no drift.
   - half the sum of the differences between the shares of a histogram's cells
     (the total variation distance) as it was at convergence and as it is, a
     moving mean.  A histogram is used when it has 16 counts for each cell.

   Windows of little volume change nothing at all.  No change follows another
   within `apart` windows; what asked for it then is remembered.  */
#ifndef HKM_LEARN_DRIFT_H
#define HKM_LEARN_DRIFT_H

#include "learn/fix.h"

enum { HKM_DRIFT_CELLS = 64 };

typedef struct hkm_drift_config
{
  uint32_t calm, apart; /* windows */
  uint64_t volume;      /* events of a window that says something */
  hkm_fix deviation;    /* of the reward, relative; within is calm */
  hkm_fix scale;        /* what rewards near zero are relative to */
  hkm_fix slack, alarm; /* of Page's test, in deviations: 1 and 10, say */
  hkm_fix distance;     /* of histograms, 0..1; more is drift */
} hkm_drift_config;

typedef enum hkm_drift_reason
{
  HKM_DRIFT_NONE,       /* no change in this window */
  HKM_DRIFT_CONVERGED,
  HKM_DRIFT_BETTER,     /* the reward rose */
  HKM_DRIFT_WORSE,
  HKM_DRIFT_HISTOGRAM
} hkm_drift_reason;

/* All zero is the initial state: LEARN.  */
typedef struct hkm_drift
{
  hkm_fix mean, deviation; /* of the reward */
  hkm_fix above, below;    /* Page's sums */
  uint32_t known;          /* windows that the mean is of */
  uint32_t still, since;   /* windows: calm ones, and since the change */
  uint32_t total;          /* of count */
  uint16_t count[HKM_DRIFT_CELLS]; /* not yet enough */
  uint16_t now[HKM_DRIFT_CELLS], then[HKM_DRIFT_CELLS]; /* shares of 2^15 */
  bool frozen, has_now, has_then;
} hkm_drift;

#ifdef HKM_WITH_LEARN_DRIFT
/* One window: its VOLUME and REWARD; whether a decision was KEPT in it; the
   COUNTS of N cells (at most HKM_DRIFT_CELLS, always as many), or NULL.  Says why
   d->frozen changed, if it did.  */
hkm_drift_reason hkm_drift_window (hkm_drift *d, const hkm_drift_config *f,
                                   uint64_t volume, hkm_fix reward, bool kept,
                                   const uint32_t *counts, unsigned n);
/* The distance of the histograms now; 0 while there are no two.  */
hkm_fix hkm_drift_distance (const hkm_drift *d);
#else
HKM_INLINE hkm_drift_reason
hkm_drift_window (hkm_drift *d, const hkm_drift_config *f, uint64_t volume,
                  hkm_fix reward, bool kept, const uint32_t *counts, unsigned n)
{
  (void) d, (void) f, (void) volume, (void) reward, (void) kept, (void) counts;
  (void) n;
  return HKM_DRIFT_NONE;
}
#endif

#endif
