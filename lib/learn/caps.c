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

HKM_COLD void
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

HKM_COLD void
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

HKM_COLD bool
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

HKM_COLD bool
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

/* Requests of N classes, and those of them that missed, in the window from THEN
   to NOW.  */
typedef struct hits
{
  unsigned n;
  const uint32_t *all, *missed, *all_then, *missed_then;
} hits;

static hits
mid_hits (const hkm_driver *d, const hkm_observation *now)
{
  unsigned first = hkm_driver_mid_class (0);
  return (hits) { HKM_MIDS, now->refills + first, now->acquires + first,
                  d->last.refills + first, d->last.acquires + first };
}

static hits
run_hits (const hkm_driver *d, const hkm_observation *now)
{
  return (hits) { HKM_RUN_CLASSES, now->runs, now->runs_new, d->last.runs,
                  d->last.runs_new };
}

static HKM_COLD void
run_caps (hkm_cap *cap, const hkm_cap_config *config, hits h, uint64_t budget)
{
  uint64_t demand[HKM_CAPS];
  for (unsigned i = 0; i < h.n; i++)
    {
      uint32_t all = h.all[i] - h.all_then[i];
      uint32_t missed = h.missed[i] - h.missed_then[i];
      demand[i] = all;
      hkm_cap_window (&cap[i], config, all > missed ? all - missed : 0, missed);
    }
  hkm_caps_balance (cap, h.n, config, budget, demand,
                    hkm_opt (HKM_OPT_WATER_FILLING) != 0);
}

HKM_COLD void
hkm_driver_caps_window (hkm_driver *d, const hkm_observation *now)
{
  _Static_assert ((int) HKM_MIDS <= (int) HKM_CAPS, "room for their demand");
  if (caps_may_move (d, HKM_LEARNER_CAP_MID))
    run_caps (d->mid, &d->mid_config, mid_hits (d, now),
              hkm_opt (HKM_OPT_BUDGET_MID));
  if (caps_may_move (d, HKM_LEARNER_CAP_LARGE))
    run_caps (d->runs, &d->runs_config, run_hits (d, now),
              hkm_opt (HKM_OPT_BUDGET_LARGE));
}

/* By how much hit rates were below TARGET, of all requests.  */
static hkm_fix
shortfall (hits h, hkm_fix target)
{
  uint64_t wanted = 0, requests = 0;
  for (unsigned i = 0; i < h.n; i++)
    {
      uint32_t a = h.all[i] - h.all_then[i];
      uint32_t m = h.missed[i] - h.missed_then[i];
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
  return shortfall (mid_hits (d, now), d->mid_config.target);
}

hkm_fix
hkm_driver_large_shortfall (const hkm_driver *d, const hkm_observation *now)
{
  return shortfall (run_hits (d, now), d->runs_config.target);
}
