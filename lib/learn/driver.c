/* See driver.h.  */
#include "learn/driver.h"
#include "opts/opts.h"

#include <string.h>

enum { TIMED = 200 }; /* cold calls whose 99th percentile says something */
/* The tolerance of a measure that is not to judge.  */
#define ANY_CHANGE (HKM_FIX_MAX / 16)

hkm_policy
hkm_driver_policy (void)
{
  hkm_policy policy = { .generation = 0 };
  hkm_policy_refresh (&policy);
  return policy;
}

/* ---- starting ---- */

HKM_COLD void
hkm_driver_init (hkm_driver *d, const hkm_observation *first, bool keeps,
                 uint64_t random)
{
  memset (d, 0, sizeof *d);
  d->keeps = keeps;
  d->random = random;
  d->last = *first;
  hkm_quantile_init (&d->slow, HKM_FIX (99, 100));
  hkm_quantile_init (&d->p50, HKM_FIX (1, 2));
  hkm_quantile_init (&d->p99, HKM_FIX (99, 100));
  hkm_canary_config config = hkm_canary_default;
  config.dwell = (uint32_t) hkm_opt (HKM_OPT_WMAX_DWELL_SEC);
  config.most = 4 * config.dwell;
  config.tolerance[HKM_CANARY_REWARD].floor = HKM_DRIVER_BETTER;
  for (unsigned g = 0; g < HKM_GOALS; g++)
    hkm_canary_init (&d->canary[g], &config);
  /* While blocks of the old size go and those of the new one come, more is carved
     and purged than at any other time; what it is for stays.  */
  for (unsigned m = HKM_CANARY_HIT; m < HKM_CANARY_MEASURES; m++)
    d->canary[HKM_GOAL_FIT].config.tolerance[m].floor = ANY_CHANGE;
  /* What was given back stays away, whatever strategy follows; what it costs that it
     comes again is in the reward.  */
  hkm_canary_config *keep = &d->canary[HKM_GOAL_KEEP].config;
  keep->level = true;
  keep->volume = 1; /* a level is there all the time */
  keep->tolerance[HKM_CANARY_FAULTS].floor = ANY_CHANGE;
  hkm_driver_caps_init (d);
  for (unsigned i = 0; i < HKM_RATED; i++)
    hkm_elo_init (&d->rated[i],
                  (unsigned) hkm_opts_row (hkm_driver_rated_option (i))->max + 1);
  hkm_arms_init (&d->arms);
  for (unsigned i = 0; i < HKM_ARMED; i++)
    hkm_ucb_init (&d->ucb[i], d->arms.count[i]);
}

/* ---- windows ---- */

static hkm_fix
reward (const hkm_driver *d, enum hkm_goal goal, const hkm_observation *now)
{
  const hkm_window *w = &d->window;
  switch (goal)
    {
    case HKM_GOAL_WORK:
      return -hkm_fix_ln (w->time) - hkm_fix_ln (w->waste);
    case HKM_GOAL_FIT:
      return -hkm_fix_ln (w->waste);
    case HKM_GOAL_KEEP:
      return -hkm_fix_ln (w->back) - hkm_fix_ln (w->kept);
    case HKM_GOAL_MID:
      return -hkm_driver_mid_shortfall (d, now);
    case HKM_GOAL_LARGE:
      return -hkm_driver_large_shortfall (d, now);
    case HKM_GOALS:
      break;
    }
  return 0;
}

/* Requests of the window up to NOW, by class.  */
static void
count_requests (const hkm_driver *d, const hkm_observation *now,
                uint32_t count[HKM_MIX])
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    count[c] = now->refills[c] - d->last.refills[c];
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    count[HKM_CLASSES + k] = now->runs[k] - d->last.runs[k];
}

/* Is the window's mix of classes that of the windows before?  If not, the program
   is at something else.  Windows of few requests go by.  */
static bool
same_mix (hkm_driver *d, const uint32_t count[HKM_MIX])
{
  enum { WHOLE = 1 << 15, FAR = WHOLE / 3, FEW = 64, SLOWLY = 8 };
  uint64_t sum = 0;
  int apart = 0;
  for (unsigned i = 0; i < HKM_MIX; i++)
    sum += count[i];
  if (sum < FEW)
    return true;
  for (unsigned i = 0; i < HKM_MIX; i++)
    {
      int share = (int) (count[i] * (uint64_t) WHOLE / sum);
      apart += share > d->mix[i] ? share - d->mix[i] : d->mix[i] - share;
    }
  bool same = apart / 2 < FAR;
  for (unsigned i = 0; i < HKM_MIX && !d->on_trial; i++)
    {
      int share = (int) (count[i] * (uint64_t) WHOLE / sum);
      d->mix[i] = (uint16_t) (d->mix[i] + (share - d->mix[i])
                                            / (same ? SLOWLY : 1));
    }
  return same;
}

void
hkm_driver_forget_baselines (hkm_driver *d)
{
  for (unsigned g = 0; g < HKM_GOALS; g++)
    d->canary[g].windows = 0;
}

/* Does the window say anything of a change?  One of another mix is no part of a
   trial (unless that is of sizes, which change the mix), and is the first of
   another baseline.  */
static bool
window_counts (hkm_driver *d, const uint32_t count[HKM_MIX])
{
  if (same_mix (d, count) || (d->on_trial && d->trial.who == HKM_LEARNER_DYN))
    return true;
  if (!d->on_trial)
    hkm_driver_forget_baselines (d);
  return !d->on_trial;
}

static hkm_canary_window
canary_window (const hkm_driver *d, enum hkm_goal goal,
               const hkm_observation *now, bool counts)
{
  const hkm_window *w = &d->window;
  /* More than nothing: what is kept is there whether anything happens or not.  */
  hkm_canary_window v = { .volume = counts ? w->blocks + 1 : 0 };
  v.measure[HKM_CANARY_REWARD] = reward (d, goal, now);
  uint64_t requests = w->hits + w->misses; /* so few have no rate: as before */
  v.measure[HKM_CANARY_HIT] = requests < hkm_canary_default.volume
                                ? d->canary[goal].before[HKM_CANARY_HIT]
                                : hkm_fix_ratio (w->hits, requests);
  v.measure[HKM_CANARY_FAULTS] = w->faults;
  v.measure[HKM_CANARY_P99] = hkm_fix_of (d->slow_p99);
  return v;
}

/* The workload changed: what was settled is open again.  */
static void
wake (hkm_driver *d)
{
  for (unsigned i = 0; i < HKM_ARMED; i++)
    hkm_ucb_forget (&d->ucb[i], HKM_FIX (1, 4));
  memset (d->tries, 0, sizeof d->tries);
  memset (d->met, 0, sizeof d->met);
  memset (d->failed, 0, sizeof d->failed);
  memset (d->rest, 0, sizeof d->rest);
  hkm_driver_forget_baselines (d);
}

static const hkm_drift_config drift_config = {
  .calm = 12, .apart = 16, .volume = 64, .deviation = HKM_FIX (1, 10),
  .scale = HKM_FIX (1, 4), .slack = HKM_FIX_ONE, .alarm = HKM_FIX (10, 1),
  .distance = HKM_FIX (1, 4)
};

/* BUSY: something is on trial, or was kept.  */
static void
look_for_drift (hkm_driver *d, const hkm_observation *now,
                const uint32_t count[HKM_MIX], bool busy)
{
  _Static_assert ((int) HKM_MIX <= (int) HKM_DRIFT_CELLS, "a cell for each");
  bool was = d->drift.frozen;
  if (!hkm_opt (HKM_OPT_DRIFT))
    return;
  hkm_drift_window (&d->drift, &drift_config, d->window.blocks,
                    reward (d, HKM_GOAL_WORK, now), busy, count, HKM_MIX);
  if (was && !d->drift.frozen)
    wake (d);
}

void
hkm_driver_slow (hkm_driver *d, uint32_t ns)
{
  if (d->pass_over > 0)
    d->pass_over--;
  else
    hkm_quantile_add (&d->slow, ns);
  hkm_quantile_add (&d->p50, ns);
  hkm_quantile_add (&d->p99, ns);
}

void
hkm_driver_size (hkm_driver *d, size_t size, unsigned count)
{
  hkm_peaks_add (&d->peaks, size, count);
}

/* What the window that ended says about cold calls and sizes.  While a change takes
   effect calls may take long, once: a thriftier strategy gives all back at the next
   ones, which may be some windows later.  */
static void
end_samples (hkm_driver *d)
{
  if (d->settle > 0 || d->slow.count >= TIMED)
    {
      if (d->settle == 0)
        d->slow_p99 = (uint32_t) hkm_fix_round (hkm_quantile_value (&d->slow));
      else if (d->trial.gives_back)
        d->pass_over = TIMED;
      hkm_quantile_init (&d->slow, HKM_FIX (99, 100));
    }
  hkm_peaks_decay (&d->peaks);
  for (unsigned who = 0; who < HKM_LEARNERS; who++)
    if (d->rest[who] > 0)
      d->rest[who]--;
}

/* Is most of what is kept, and more than is kept in any case, kept for nobody?  Of
   what a program of big blocks keeps half may lie idle at any time, and each time
   another: so what was least idle counts, and what was most kept.  Nor is it for
   nobody while what was given back is wanted again.  */
static void
look_for_unused (hkm_driver *d, const hkm_observation *now)
{
  uint64_t regret = now->counts.value[HKM_COUNT_REGRET_BYTES]
                    - d->last.counts.value[HKM_COUNT_REGRET_BYTES];
  if (d->unused == 0)
    {
      d->unused_least = UINT64_MAX;
      d->kept_most = 0;
    }
  if (now->unused_bytes < d->unused_least)
    d->unused_least = now->unused_bytes;
  if (now->kept_bytes > d->kept_most)
    d->kept_most = now->kept_bytes;
  if (d->unused_least <= hkm_opt (HKM_OPT_RETAIN)
      || d->unused_least < d->kept_most - d->kept_most / 4
      || regret > d->unused_least / 16)
    d->unused = 0;
  else if (d->unused < UINT8_MAX)
    d->unused++;
}

HKM_COLD void
hkm_driver_window (hkm_driver *d, const hkm_observation *now)
{
  bool ended = false;
  uint32_t count[HKM_MIX];
  count_requests (d, now, count);
  hkm_window_make (&d->window, &d->last, now);
  look_for_unused (d, now);
  d->windows++;
  end_samples (d);
  if (d->settle > 0)
    d->settle--;
  else
    {
      bool counts = window_counts (d, count);
      hkm_driver_caps_window (d, now);
      for (unsigned g = 0; g < HKM_GOALS; g++)
        if (!d->on_trial || d->trial.goal == g)
          {
            hkm_canary_window v
                = canary_window (d, (enum hkm_goal) g, now, counts);
            ended = hkm_driver_judge (d, (enum hkm_goal) g, &v, now->time_ms)
                    || ended;
          }
      if (!d->on_trial && d->settle == 0 && !d->drift.frozen)
        hkm_driver_next_trial (d, now);
    }
  look_for_drift (d, now, count, d->on_trial || ended);
  d->last = *now;
}
