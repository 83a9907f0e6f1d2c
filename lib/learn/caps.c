/* What is kept of each mid class and of each class of runs: controllers of their
   hit rates (cap.h), fed by windows, and the changes of the policy they want.  */
#include "learn/driver.h"
#include "opts/opts.h"

/* Of all requests: fewer that miss their target are left alone.  */
#define SHORT HKM_FIX (2, 100)

static hkm_cap_config
cap_config (enum hkm_opt_id target, enum hkm_opt_id step, uint32_t most)
{
  return (hkm_cap_config) {
    .target = HKM_FIX (hkm_opt (target), 100), .eps = HKM_FIX (5, 100),
    .kp = HKM_FIX (2, 1), .ki = HKM_FIX (1, 4),
    .step = (uint32_t) hkm_opt (step), .min = 1, .max = most
  };
}

void
hkm_driver_caps_restart (hkm_driver *d)
{
  hkm_policy policy = hkm_driver_policy ();
  for (unsigned i = 0; i < HKM_MIDS; i++)
    hkm_cap_init (&d->mid[i], &d->mid_config,
                  (uint32_t) policy.cls[hkm_driver_mid_class (i)].warm
                    * hkm_class[hkm_driver_mid_class (i)].slots);
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    hkm_cap_init (&d->runs[k], &d->runs_config, policy.run_most[k]);
}

void
hkm_driver_caps_init (hkm_driver *d)
{
  d->mid_config = cap_config (HKM_OPT_TARGET_HIT_MID, HKM_OPT_CAP_STEP_MID,
                              (uint32_t) hkm_opts_row (HKM_OPT_CAP_MID)->max);
  d->runs_config
      = cap_config (HKM_OPT_TARGET_HIT_LARGE, HKM_OPT_CAP_STEP_LARGE,
                    (uint32_t) hkm_opts_row (HKM_OPT_CAP_LARGE)->max);
  hkm_driver_caps_restart (d);
}

/* ---- what they want ---- */

/* WANTED blocks where NOW are in force, but no further than a step away: the
   controller may have gone on while others had their trials.  */
static uint32_t
within_step (uint32_t wanted, uint32_t now, uint32_t step)
{
  return wanted > now + step              ? now + step
         : now > step && wanted < now - step ? now - step
                                             : wanted;
}

/* Is there anything to win: were hit rates below their targets of late?  */
static bool
is_short (const hkm_driver *d, enum hkm_goal goal)
{
  return d->canary[goal].before[HKM_CANARY_REWARD] < -SHORT;
}

bool
hkm_driver_cap_mid_wants (hkm_driver *d, const hkm_policy *policy)
{
  if (!hkm_opt (HKM_OPT_CAP_LEARN) || !is_short (d, HKM_GOAL_MID))
    return false;
  for (unsigned i = 0; i < HKM_MIDS; i++)
    {
      unsigned c = hkm_driver_mid_class (i), slots = hkm_class[c].slots;
      uint32_t wanted
          = within_step (hkm_cap_blocks (&d->mid[i]),
                         policy->cls[c].warm * slots, d->mid_config.step);
      uint32_t warm = (wanted + slots - 1) / slots;
      uint32_t most = hkm_policy_warm_max (c);
      hkm_moves_add (&d->trial.moves, policy, HKM_MOVE_WARM, c,
                     warm < most ? warm : most);
    }
  d->trial.goal = HKM_GOAL_MID;
  return d->trial.moves.count != 0;
}

bool
hkm_driver_cap_large_wants (hkm_driver *d, const hkm_policy *policy)
{
  if (!hkm_opt (HKM_OPT_CAP_LEARN) || !is_short (d, HKM_GOAL_LARGE))
    return false;
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    hkm_moves_add (&d->trial.moves, policy, HKM_MOVE_RUNS, k,
                   within_step (hkm_cap_blocks (&d->runs[k]),
                                policy->run_most[k], d->runs_config.step));
  d->trial.goal = HKM_GOAL_LARGE;
  return d->trial.moves.count != 0;
}

/* ---- windows ---- */

/* May controllers of WHO move?  Not while a move of theirs waits or rests: they
   would run ahead of what is in force, and of their step.  */
static bool
caps_may_move (const hkm_driver *d, enum hkm_learner who)
{
  return !d->on_trial && d->rest[who] == 0;
}

static void
run_mid_caps (hkm_driver *d, const hkm_observation *now)
{
  uint64_t demand[HKM_MIDS];
  if (!caps_may_move (d, HKM_LEARNER_CAP_MID))
    return;
  for (unsigned i = 0; i < HKM_MIDS; i++)
    {
      unsigned c = hkm_driver_mid_class (i);
      uint32_t all = now->refills[c] - d->last.refills[c];
      uint32_t missed = now->acquires[c] - d->last.acquires[c];
      demand[i] = all;
      hkm_cap_window (&d->mid[i], &d->mid_config,
                      all > missed ? all - missed : 0, missed);
    }
  hkm_caps_balance (d->mid, HKM_MIDS, &d->mid_config,
                    hkm_opt (HKM_OPT_BUDGET_MID), demand,
                    hkm_opt (HKM_OPT_WATER_FILLING) != 0);
}

static void
run_large_caps (hkm_driver *d, const hkm_observation *now)
{
  uint64_t demand[HKM_RUN_CLASSES];
  if (!caps_may_move (d, HKM_LEARNER_CAP_LARGE))
    return;
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    {
      uint32_t all = now->runs[k] - d->last.runs[k];
      uint32_t missed = now->runs_new[k] - d->last.runs_new[k];
      demand[k] = all;
      hkm_cap_window (&d->runs[k], &d->runs_config,
                      all > missed ? all - missed : 0, missed);
    }
  hkm_caps_balance (d->runs, HKM_RUN_CLASSES, &d->runs_config,
                    hkm_opt (HKM_OPT_BUDGET_LARGE), demand,
                    hkm_opt (HKM_OPT_WATER_FILLING) != 0);
}

void
hkm_driver_caps_window (hkm_driver *d, const hkm_observation *now)
{
  run_mid_caps (d, now);
  run_large_caps (d, now);
}

/* By how much the hit rates of N classes were below TARGET, of all requests.  */
static hkm_fix
shortfall (const uint32_t *all, const uint32_t *missed,
           const uint32_t *all_then, const uint32_t *missed_then, unsigned n,
           hkm_fix target)
{
  uint64_t wanted = 0, requests = 0;
  for (unsigned i = 0; i < n; i++)
    {
      uint32_t a = all[i] - all_then[i], m = missed[i] - missed_then[i];
      uint64_t may_miss = (uint64_t) ((HKM_FIX_ONE - target) * (int64_t) a
                                      >> HKM_FIX_BITS);
      wanted += m > may_miss ? m - may_miss : 0;
      requests += a;
    }
  return hkm_fix_ratio (wanted, requests);
}

hkm_fix
hkm_driver_mid_shortfall (const hkm_driver *d, const hkm_observation *now)
{
  enum { MID = HKM_CLASS_2048 + 1 };
  return shortfall (now->refills + MID, now->acquires + MID,
                    d->last.refills + MID, d->last.acquires + MID, HKM_MIDS,
                    d->mid_config.target);
}

hkm_fix
hkm_driver_large_shortfall (const hkm_driver *d, const hkm_observation *now)
{
  return shortfall (now->runs, now->runs_new, d->last.runs, d->last.runs_new,
                    HKM_RUN_CLASSES, d->runs_config.target);
}
