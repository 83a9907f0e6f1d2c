/* Trials: making a change, judging it, keeping it or taking it back.

   A change that looks better than the windows before is taken back once more, and
   has to look better than the windows after, too: what got better by itself
   meanwhile (a program that warms up, or ends a phase) stays as good without it.
   Sizes of dynamic classes are spared that: to change them takes long, and what
   they are judged by follows from the sizes asked for alone.  So are strategies
   that keep less: what a trial gave back does not come again because it is over, and
   without it all would seem as good.  */
#include "learn/driver.h"
#include "opts/opts.h"

enum
{
  TRIES = 30,      /* of a learner, until the workload changes */
  REST = 8,        /* windows that a learner rests after a change that did not
                      pay, doubled each time up to REST << REST_GROWTH */
  REST_GROWTH = 4,
  REST_BACK = 2,   /* so often doubled at first, if what was given back has to be
                      faulted in again */
  CHECK_MOST = 4,  /* dwell times that a check may last */
  DYN_SETTLE = 4   /* windows in which blocks of the old size go */
};
/* How much a match says, in points of Elo's scale.  */
#define MATCH_K HKM_FIX (64, 1)

/* Windows in which what was made, or taken back, takes effect.  */
static uint8_t
settling (const hkm_driver *d)
{
  return d->trial.who == HKM_LEARNER_DYN ? DYN_SETTLE : 1;
}

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
  d->settle = settling (d);
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

/* Begin WHO's trial, if it wants one.  */
static bool
try (hkm_driver *d, enum hkm_learner who, const hkm_policy *policy,
     const hkm_observation *now)
{
  if (d->rest[who] > 0 || d->tries[who] >= TRIES
      || !hkm_driver_wants (d, who, policy, now))
    return false;
  begin_trial (d);
  return true;
}

HKM_COLD void
hkm_driver_next_trial (hkm_driver *d, const hkm_observation *now)
{
  hkm_policy policy = hkm_driver_policy ();
  /* Not in turn: what is seen goes before what is guessed.  Nor does it wait for the
     others' baselines, which want windows in which much happens.  */
  if (hkm_driver_keeps_in_vain (d) && hkm_canary_ready (&d->canary[HKM_GOAL_KEEP])
      && try (d, HKM_LEARNER_RETAIN, &policy, now))
    return;
  if (!baselines_are_known (d))
    return;
  for (unsigned i = 0; i < HKM_LEARNERS; i++)
    {
      enum hkm_learner who
          = (enum hkm_learner) ((d->turn + i) % HKM_LEARNERS);
      if (!try (d, who, &policy, now))
        continue;
      d->turn = (uint8_t) ((who + 1) % HKM_LEARNERS);
      return;
    }
}

static void
log_trial (hkm_driver *d, const hkm_canary *canary, hkm_canary_verdict verdict,
           hkm_canary_reason reason, uint64_t time_ms)
{
  hkm_decision decision = {
    .time_ms = time_ms, .window = d->windows, .learner = d->trial.who,
    .verdict = (uint8_t) verdict, .reason = (uint8_t) reason,
    .culprit = (uint8_t) canary->culprit,
    .moves = (uint8_t) d->trial.moves.count, .first = d->trial.moves.move[0],
    .before = d->trial.before, .after = d->trial.after
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
  if (trial->who >= HKM_LEARNER_RATED)
    hkm_elo_match (&d->rated[trial->who - HKM_LEARNER_RATED], trial->arm,
                   trial->from, outcome (after - before), MATCH_K);
  if (!stays)
    {
      unsigned failed = d->failed[trial->who];
      if (trial->gives_back && failed < REST_BACK)
        failed = REST_BACK;
      d->rest[trial->who] = (uint8_t) (REST << failed);
      if (failed < REST_GROWTH)
        d->failed[trial->who] = (uint8_t) (failed + 1);
      if (trial->who == HKM_LEARNER_CAP_MID
          || trial->who == HKM_LEARNER_CAP_LARGE)
        hkm_driver_caps_restart (d);
    }
  else
    d->failed[trial->who] = 0;
}

/* It is over, and STAYS or not, for REASON.  */
static HKM_COLD void
end_trial (hkm_driver *d, bool stays, hkm_canary_reason reason,
           uint64_t time_ms)
{
  const hkm_canary *canary = &d->canary[d->trial.goal];
  d->on_trial = d->checking = false;
  log_trial (d, canary, stays                         ? HKM_CANARY_KEEP
                        : reason == HKM_CANARY_BETTER ? HKM_CANARY_NONE
                                                      : HKM_CANARY_ROLL_BACK,
             reason, time_ms);
  tell_learner (d, stays, d->trial.before, d->trial.after);
  if (!stays)
    return;
  d->kept++;
  for (unsigned g = 0; g < HKM_GOALS; g++) /* those are of the policy before */
    if (g != d->trial.goal)
      d->canary[g].windows = 0;
}

static void
take_back (hkm_driver *d)
{
  (void) hkm_moves_publish (&d->trial.moves, true);
  d->settle = settling (d);
}

static void
begin_check (hkm_driver *d)
{
  take_back (d);
  d->checking = true;
  d->check_sum = 0;
  d->check_windows = d->check_lasted = 0;
}

/* A window without the change, after the trial.  True: that was the last.  */
static bool
check (hkm_driver *d, const hkm_canary_window *v, uint64_t time_ms)
{
  hkm_canary *canary = &d->canary[d->trial.goal];
  uint32_t dwell = canary->config.dwell;
  if (v->volume >= canary->config.volume)
    {
      d->check_sum += v->measure[HKM_CANARY_REWARD];
      d->check_windows++;
    }
  d->check_lasted++;
  if (d->check_windows < dwell && d->check_lasted < CHECK_MOST * dwell)
    return false;
  hkm_fix noise = canary->noise[HKM_CANARY_REWARD];
  hkm_fix least = noise > HKM_DRIVER_BETTER ? noise : HKM_DRIVER_BETTER;
  bool better = d->check_windows >= dwell
                && d->trial.after > d->check_sum / dwell + least;
  bool stays = better && d->keeps
               && hkm_moves_publish (&d->trial.moves, false);
  if (stays)
    d->settle = settling (d);
  else
    canary->windows = 0; /* it took the trial for its baseline */
  end_trial (d, stays, better ? HKM_CANARY_BETTER : HKM_CANARY_NOT_BETTER,
             time_ms);
  return true;
}

HKM_COLD bool
hkm_driver_judge (hkm_driver *d, enum hkm_goal goal,
                  const hkm_canary_window *v, uint64_t time_ms)
{
  hkm_canary *canary = &d->canary[goal];
  if (d->checking)
    return check (d, v, time_ms);
  hkm_canary_verdict verdict = hkm_canary_add (canary, v);
  if (verdict == HKM_CANARY_NONE)
    return false;
  d->trial.after = canary->counted != 0 ? canary->after[HKM_CANARY_REWARD]
                                        : d->trial.before;
  if (verdict == HKM_CANARY_KEEP && d->trial.who != HKM_LEARNER_DYN
      && !d->trial.gives_back)
    {
      begin_check (d);
      return false;
    }
  bool stays = verdict == HKM_CANARY_KEEP && d->keeps;
  if (!stays)
    take_back (d);
  end_trial (d, stays, canary->reason, time_ms);
  return true;
}

void
hkm_driver_settled (const hkm_driver *d, hkm_policy *policy)
{
  hkm_policy_refresh (policy);
  if (d->on_trial && !d->checking)
    hkm_moves_undo (&d->trial.moves, policy);
}
