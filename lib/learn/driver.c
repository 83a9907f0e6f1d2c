/* See driver.h.  */
#include "learn/driver.h"
#include "opts/opts.h"

#include <string.h>

enum
{
  TRIES = 30,      /* of a learner, until the workload changes */
  REST = 8,        /* windows that a learner rests after a change that did not
                      pay, doubled each time up to REST << REST_GROWTH */
  REST_GROWTH = 4,
  TIMED = 200,     /* cold calls whose 99th percentile says something */
  DYN_SETTLE = 4   /* windows in which blocks of the old size go */
};
/* How much a match says, in points of Elo's scale.  */
#define MATCH_K HKM_FIX (64, 1)

hkm_policy
hkm_driver_policy (void)
{
  hkm_policy policy = { .generation = 0 };
  hkm_policy_refresh (&policy);
  return policy;
}

/* ---- starting ---- */

void
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
    d->canary[HKM_GOAL_FIT].config.tolerance[m].floor = HKM_FIX_MAX / 16;
  hkm_driver_caps_init (d);
  hkm_elo_init (&d->strategies,
                (unsigned) hkm_opts_row (HKM_OPT_BIGCACHE_STRATEGY)->max + 1);
  hkm_arms_init (&d->arms);
  for (unsigned i = 0; i < HKM_ARMED; i++)
    hkm_ucb_init (&d->ucb[i], d->arms.count[i]);
}

/* ---- trials ---- */

static void
begin_trial (hkm_driver *d)
{
  hkm_canary *canary = &d->canary[d->trial.goal];
  HKM_CHECK (hkm_canary_begin (canary));
  d->trial.before = canary->before[HKM_CANARY_REWARD];
  if (!hkm_moves_publish (&d->trial.moves, false))
    { /* not to be had: as good as one that did not pay */
      canary->running = false;
      d->tries[d->trial.who] = TRIES;
      return;
    }
  d->on_trial = true;
  d->settle = d->trial.who == HKM_LEARNER_DYN ? DYN_SETTLE : 1;
  d->trials++;
  d->tries[d->trial.who]++;
}

static bool
baselines_are_known (const hkm_driver *d)
{
  for (unsigned g = 0; g < HKM_GOALS; g++)
    if (!hkm_canary_ready (&d->canary[g]))
      return false;
  return true;
}

static void
next_trial (hkm_driver *d, const hkm_observation *now)
{
  if (!baselines_are_known (d))
    return;
  hkm_policy policy = hkm_driver_policy ();
  for (unsigned i = 0; i < HKM_LEARNERS; i++)
    {
      enum hkm_learner who
          = (enum hkm_learner) ((d->turn + i) % HKM_LEARNERS);
      if (d->rest[who] > 0 || d->tries[who] >= TRIES
          || !hkm_driver_wants (d, who, &policy, now))
        continue;
      d->turn = (uint8_t) ((who + 1) % HKM_LEARNERS);
      begin_trial (d);
      return;
    }
}

static void
log_trial (hkm_driver *d, const hkm_canary *canary, hkm_canary_verdict verdict,
           uint64_t time_ms)
{
  hkm_decision decision = {
    .time_ms = time_ms, .window = d->windows, .learner = d->trial.who,
    .verdict = (uint8_t) verdict, .reason = (uint8_t) canary->reason,
    .culprit = (uint8_t) canary->culprit,
    .moves = (uint8_t) d->trial.moves.count, .first = d->trial.moves.move[0],
    .before = d->trial.before, .after = canary->after[HKM_CANARY_REWARD]
  };
  hkm_log_add (&d->log, &decision);
}

/* The outcome of a match, 0..1, by how far the rewards are apart: a tenth more
   or less time or memory decides.  */
static hkm_fix
outcome (hkm_fix gain)
{
  return hkm_fix_clamp (HKM_FIX (1, 2) + 5 * hkm_fix_clamp (
                          gain, -HKM_FIX_ONE, HKM_FIX_ONE),
                        0, HKM_FIX_ONE);
}

static void
tell_learner (hkm_driver *d, bool stays, hkm_fix before, hkm_fix after)
{
  const hkm_trial *trial = &d->trial;
  if (trial->who >= HKM_LEARNER_ARMS)
    {
      unsigned i = trial->who - HKM_LEARNER_ARMS;
      hkm_ucb_reward (&d->ucb[i], trial->arm, after);
      hkm_ucb_reward (&d->ucb[i], trial->from, before);
      d->arm[i] = stays ? trial->arm : trial->from;
      return;
    }
  if (trial->who == HKM_LEARNER_BIGCACHE)
    hkm_elo_match (&d->strategies, trial->arm, trial->from,
                   outcome (after - before), MATCH_K);
  if (!stays)
    {
      unsigned failed = d->failed[trial->who];
      d->rest[trial->who] = (uint8_t) (REST << failed);
      if (failed < REST_GROWTH)
        d->failed[trial->who]++;
      if (trial->who == HKM_LEARNER_CAP_MID
          || trial->who == HKM_LEARNER_CAP_LARGE)
        hkm_driver_caps_restart (d);
    }
  else
    d->failed[trial->who] = 0;
}

static void
end_trial (hkm_driver *d, hkm_canary_verdict verdict, uint64_t time_ms)
{
  hkm_canary *canary = &d->canary[d->trial.goal];
  bool stays = verdict == HKM_CANARY_KEEP && d->keeps;
  d->on_trial = false;
  log_trial (d, canary, verdict, time_ms);
  if (!stays)
    {
      (void) hkm_moves_publish (&d->trial.moves, true);
      d->settle = 1;
    }
  else
    d->kept++;
  tell_learner (d, stays, d->trial.before,
                canary->counted != 0 ? canary->after[HKM_CANARY_REWARD]
                                     : d->trial.before);
  if (stays) /* the other goal's baseline is of the policy before */
    for (unsigned g = 0; g < HKM_GOALS; g++)
      if (g != d->trial.goal)
        d->canary[g].windows = 0;
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

static hkm_canary_window
canary_window (const hkm_driver *d, enum hkm_goal goal,
               const hkm_observation *now)
{
  const hkm_window *w = &d->window;
  hkm_canary_window v = { .volume = w->blocks };
  v.measure[HKM_CANARY_REWARD] = reward (d, goal, now);
  v.measure[HKM_CANARY_HIT] = hkm_fix_ratio (w->hits, w->hits + w->misses);
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
  memset (d->failed, 0, sizeof d->failed);
  memset (d->rest, 0, sizeof d->rest);
  for (unsigned g = 0; g < HKM_GOALS; g++)
    d->canary[g].windows = 0;
}

static const hkm_drift_config drift_config = {
  .calm = 12, .apart = 16, .volume = 64, .deviation = HKM_FIX (1, 10),
  .scale = HKM_FIX (1, 4), .slack = HKM_FIX_ONE, .alarm = HKM_FIX (10, 1),
  .distance = HKM_FIX (1, 4)
};

/* BUSY: something is on trial, or was kept.  */
static void
look_for_drift (hkm_driver *d, const hkm_observation *now, bool busy)
{
  enum { CELLS = HKM_CLASSES + HKM_RUN_CLASSES };
  _Static_assert ((int) CELLS <= (int) HKM_DRIFT_CELLS, "a cell for each");
  uint32_t count[CELLS];
  bool was = d->drift.frozen;
  if (!hkm_opt (HKM_OPT_DRIFT))
    return;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    count[c] = now->refills[c] - d->last.refills[c];
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    count[HKM_CLASSES + k] = now->runs[k] - d->last.runs[k];
  hkm_drift_window (&d->drift, &drift_config, d->window.blocks,
                    reward (d, HKM_GOAL_WORK, now), busy, count, CELLS);
  if (was && !d->drift.frozen)
    wake (d);
}

void
hkm_driver_slow (hkm_driver *d, uint32_t ns)
{
  hkm_quantile_add (&d->slow, ns);
  hkm_quantile_add (&d->p50, ns);
  hkm_quantile_add (&d->p99, ns);
}

void
hkm_driver_size (hkm_driver *d, size_t size, unsigned count)
{
  hkm_peaks_add (&d->peaks, size, count);
}

/* What the window that ended says about cold calls and sizes.  */
static void
end_samples (hkm_driver *d)
{
  if (d->slow.count >= TIMED)
    {
      d->slow_p99 = (uint32_t) hkm_fix_round (hkm_quantile_value (&d->slow));
      hkm_quantile_init (&d->slow, HKM_FIX (99, 100));
    }
  hkm_peaks_decay (&d->peaks);
  for (unsigned who = 0; who < HKM_LEARNERS; who++)
    if (d->rest[who] > 0)
      d->rest[who]--;
}

void
hkm_driver_window (hkm_driver *d, const hkm_observation *now)
{
  hkm_canary_verdict verdict = HKM_CANARY_NONE;
  hkm_window_make (&d->window, &d->last, now);
  d->windows++;
  end_samples (d);
  if (d->settle > 0)
    d->settle--;
  else
    {
      hkm_driver_caps_window (d, now);
      for (unsigned g = 0; g < HKM_GOALS; g++)
        if (!d->on_trial || d->trial.goal == g)
          {
            hkm_canary_window v = canary_window (d, (enum hkm_goal) g, now);
            hkm_canary_verdict is = hkm_canary_add (&d->canary[g], &v);
            verdict = is != HKM_CANARY_NONE ? is : verdict;
          }
      if (verdict != HKM_CANARY_NONE)
        end_trial (d, verdict, now->time_ms);
      if (!d->on_trial && d->settle == 0 && !d->drift.frozen)
        next_trial (d, now);
    }
  look_for_drift (d, now, d->on_trial || verdict != HKM_CANARY_NONE);
  d->last = *now;
}

void
hkm_driver_stop (hkm_driver *d)
{
  if (d->on_trial)
    (void) hkm_moves_publish (&d->trial.moves, true);
  d->on_trial = false;
}
