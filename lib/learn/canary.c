/* Judges a trial against its baseline.  */
#include "learn/canary.h"

enum
{
  BASE_MIN = 8,
  BASE_MAX = 16, /* the weight of a new window falls to one in that many */
  LEVEL_MAX = 4, /* of a level: to one in so many */
  BETWEEN = 2,   /* windows to see again between two trials */
  NOISES = 2,    /* 2 mean absolute deviations: 1.6 standard deviations */
  FAR = 4,       /* so many times beyond the tolerance is harmful */
};
#define WORTH_MAX (HKM_FIX_MAX / 8) /* so that NOISES differences fit */
#define HALF_ROOT HKM_FIX (7071, 10000) /* 1 / sqrt (2) */

const hkm_canary_config hkm_canary_default = {
  .tolerance = {
    [HKM_CANARY_HIT] = { 0, HKM_FIX (2, 100) },
    [HKM_CANARY_FAULTS] = { HKM_FIX (1, 10), HKM_FIX (16, 1) },
    [HKM_CANARY_P99] = { HKM_FIX (1, 5), HKM_FIX (1000, 1) },
  },
  .volume = 64,
  .dwell = 4,
  .most = 16,
};

void
hkm_canary_init (hkm_canary *c, const hkm_canary_config *config)
{
  *c = (hkm_canary) { .config = *config };
}

static hkm_fix
worth (const hkm_canary_window *w, unsigned m)
{
  bool lower_is_better = m == HKM_CANARY_FAULTS || m == HKM_CANARY_P99;
  hkm_fix x = hkm_fix_clamp (w->measure[m], -WORTH_MAX, WORTH_MAX);
  return lower_is_better ? -x : x;
}

static hkm_fix
size_of (hkm_fix x)
{
  return x < 0 ? -x : x;
}

/* What M may differ by.  */
static hkm_fix
tolerance (const hkm_canary *c, unsigned m)
{
  hkm_fix most = hkm_fix_mul (c->config.tolerance[m].share,
                              size_of (c->before[m]));
  if (most < c->config.tolerance[m].floor)
    most = c->config.tolerance[m].floor;
  return most < NOISES * c->noise[m] ? NOISES * c->noise[m] : most;
}

bool
hkm_canary_ready (const hkm_canary *c)
{
  return !c->running && c->windows >= BASE_MIN;
}

bool
hkm_canary_begin (hkm_canary *c)
{
  if (!hkm_canary_ready (c))
    return false;
  c->running = true;
  c->counted = c->lasted = 0;
  return true;
}

/* The mean before N windows errs too: a deviation from it is wider than one from
   the truth by sqrt ((N + 1) / N), and the difference of two windows by sqrt (2). */
static void
note_baseline (hkm_canary *c, const hkm_canary_window *w)
{
  uint32_t n = c->windows;
  hkm_fix narrower = hkm_fix_sqrt (hkm_fix_ratio (n, n + 1));
  if (n < BASE_MAX)
    c->windows++;
  for (unsigned m = 0; m < HKM_CANARY_MEASURES; m++)
    {
      hkm_fix x = worth (w, m), off = x - c->before[m];
      bool level = c->config.level && m == HKM_CANARY_REWARD;
      hkm_fix apart = level ? hkm_fix_mul (size_of (x - c->last), HALF_ROOT)
                            : hkm_fix_mul (size_of (off), narrower);
      uint32_t slow = level && c->windows > LEVEL_MAX ? LEVEL_MAX : c->windows;
      c->before[m] += off / slow;
      if (n > 0)
        c->noise[m] += (apart - c->noise[m]) / (c->windows - (n < BASE_MAX));
    }
  c->last = worth (w, HKM_CANARY_REWARD);
}

static hkm_canary_verdict
end (hkm_canary *c, hkm_canary_reason reason, unsigned culprit)
{
  c->running = false;
  c->reason = reason;
  c->culprit = (hkm_canary_measure) culprit;
  if (reason != HKM_CANARY_BETTER)
    {
      if (c->windows > BASE_MIN - BETWEEN)
        c->windows = BASE_MIN - BETWEEN;
      return HKM_CANARY_ROLL_BACK;
    }
  c->windows = 0;
  return HKM_CANARY_KEEP;
}

static hkm_canary_verdict
judge (hkm_canary *c)
{
  for (unsigned m = 0; m < HKM_CANARY_MEASURES; m++)
    {
      hkm_fix gain = c->after[m] - c->before[m];
      if (gain < -tolerance (c, m))
        return end (c, HKM_CANARY_WORSE, m);
    }
  hkm_fix gain = c->after[HKM_CANARY_REWARD] - c->before[HKM_CANARY_REWARD];
  return end (c,
              gain > tolerance (c, HKM_CANARY_REWARD) ? HKM_CANARY_BETTER
                                                      : HKM_CANARY_NOT_BETTER,
              HKM_CANARY_REWARD);
}

HKM_COLD hkm_canary_verdict
hkm_canary_add (hkm_canary *c, const hkm_canary_window *w)
{
  bool counts = w->volume >= c->config.volume;
  if (!c->running)
    {
      if (counts)
        note_baseline (c, w);
      return HKM_CANARY_NONE;
    }
  c->lasted++;
  if (counts)
    {
      c->counted++;
      c->last = worth (w, HKM_CANARY_REWARD);
      for (unsigned m = 0; m < HKM_CANARY_MEASURES; m++)
        {
          hkm_fix x = worth (w, m);
          c->after[m] += (x - c->after[m]) / c->counted;
          if ((c->before[m] - x) / FAR > tolerance (c, m))
            return end (c, HKM_CANARY_HARMFUL, m);
        }
      if (c->counted >= c->config.dwell)
        return judge (c);
    }
  uint32_t most = c->config.most;
  return c->lasted >= (c->counted > 0 ? most : most / 2)
           ? end (c, HKM_CANARY_IDLE, 0)
           : HKM_CANARY_NONE;
}
