/* See drift.h.  */
#include "learn/drift.h"

enum
{
  MEAN = 16,      /* windows that the mean is of */
  ENOUGH = 16,    /* counts for each cell */
  WHOLE = 1 << 15 /* a share of 1 */
};
/* Sums of squares are not formed, so that this leaves room for all.  */
#define REWARD_MOST (HKM_FIX_MAX / 8)

static hkm_fix
magnitude (hkm_fix a)
{
  return a < 0 ? -a : a;
}

/* ---- the histograms ---- */

static void
see (hkm_drift *d, const uint32_t *counts, unsigned n)
{
  uint64_t all = d->total;
  n = n < HKM_DRIFT_CELLS ? n : HKM_DRIFT_CELLS;
  for (unsigned i = 0; i < n; i++)
    all += counts[i];
  bool enough = all >= (uint64_t) ENOUGH * n && all > 0;
  for (unsigned i = 0; i < n; i++)
    {
      uint64_t cell = (uint64_t) d->count[i] + counts[i];
      d->count[i] = enough ? 0 : (uint16_t) cell;
      if (!enough)
        continue;
      int share = (int) (hkm_fix_ratio (cell, all) * WHOLE >> HKM_FIX_BITS);
      int had = d->has_now ? d->now[i] : share;
      d->now[i] = (uint16_t) (had + (share - had) / 4);
    }
  d->total = enough ? 0 : (uint32_t) all;
  d->has_now = d->has_now || enough;
}

HKM_COLD hkm_fix
hkm_drift_distance (const hkm_drift *d)
{
  int sum = 0;
  for (unsigned i = 0; d->has_then && i < HKM_DRIFT_CELLS; i++)
    sum += d->now[i] > d->then[i] ? d->now[i] - d->then[i]
                                  : d->then[i] - d->now[i];
  return (hkm_fix) sum * (HKM_FIX_ONE / WHOLE / 2);
}

/* ---- the reward ---- */

/* What rewards are compared with.  */
static hkm_fix
size_of (const hkm_drift *d, const hkm_drift_config *f)
{
  hkm_fix size = magnitude (d->mean);
  return size > f->scale ? size : f->scale;
}

/* Page's sums, then the mean.  */
static void
follow (hkm_drift *d, const hkm_drift_config *f, hkm_fix reward)
{
  hkm_fix off = reward - d->mean;
  if (d->frozen)
    {
      /* A mean absolute deviation is 4/5 of a normal one.  Rewards that never
         differ have none: then a 64th counts.  */
      hkm_fix unit = d->deviation / 4 * 5, least = size_of (d, f) / 64;
      hkm_fix z = hkm_fix_clamp (hkm_fix_div (off, unit > least ? unit : least),
                                 -4 * HKM_FIX_ONE, 4 * HKM_FIX_ONE);
      hkm_fix slack = hkm_fix_clamp (f->slack, 0, 4 * HKM_FIX_ONE);
      d->above = hkm_fix_clamp (d->above + z - slack, 0, HKM_FIX_MAX / 2);
      d->below = hkm_fix_clamp (d->below - z - slack, 0, HKM_FIX_MAX / 2);
    }
  if (d->known < MEAN)
    d->known++;
  else if (d->frozen)
    return;
  d->mean += off / d->known;
  if (d->known == 1)
    d->deviation = 0;
  else
    d->deviation += (magnitude (off) - d->deviation) / d->known;
}

/* ---- the state ---- */

static hkm_drift_reason
change (hkm_drift *d, hkm_drift_reason reason)
{
  d->frozen = !d->frozen;
  d->since = d->still = 0;
  d->above = d->below = 0;
  d->has_then = false;
  if (!d->frozen)
    d->known = 0;
  return reason;
}

HKM_COLD hkm_drift_reason
hkm_drift_window (hkm_drift *d, const hkm_drift_config *f, uint64_t volume,
                  hkm_fix reward, bool kept, const uint32_t *counts, unsigned n)
{
  if (volume == 0 || volume < f->volume)
    return HKM_DRIFT_NONE;
  reward = hkm_fix_clamp (reward, -REWARD_MOST, REWARD_MOST);
  follow (d, f, reward);
  if (counts != NULL)
    see (d, counts, n);
  d->since += d->since < UINT32_MAX;
  if (!d->frozen)
    {
      bool calm = !kept && d->known > 1
                  && d->deviation <= hkm_fix_mul (f->deviation, size_of (d, f));
      d->still = calm ? d->still + (d->still < UINT32_MAX) : 0;
      return d->still >= f->calm && d->still > 0 && d->since >= f->apart
               ? change (d, HKM_DRIFT_CONVERGED)
               : HKM_DRIFT_NONE;
    }
  for (unsigned i = 0; !d->has_then && i < HKM_DRIFT_CELLS; i++)
    d->then[i] = d->now[i];
  d->has_then = d->has_now;
  if (d->since < f->apart)
    return HKM_DRIFT_NONE;
  if (d->above > f->alarm)
    return change (d, HKM_DRIFT_BETTER);
  if (d->below > f->alarm)
    return change (d, HKM_DRIFT_WORSE);
  if (hkm_drift_distance (d) > f->distance)
    return change (d, HKM_DRIFT_HISTOGRAM);
  return HKM_DRIFT_NONE;
}
