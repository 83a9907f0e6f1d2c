/* The driver: windows in, at most one change of the policy at a time out.

   One window after the other it adds up what was observed; while nothing is on
   trial the learners are asked in turn, and the first that wants a change gets
   a trial: the change is published, the canary judges it over the dwell time,
   and it stays or is taken back.  When nobody wants anything any more the policy
   has converged: nothing is asked until the workload drifts.

   A pure machine but for publishing (policy/): no clock, no lock, no memory of
   its own but the state below; learn.c feeds it.  */
#ifndef HKM_LEARN_DRIVER_H
#define HKM_LEARN_DRIVER_H

#include "learn/arms.h"
#include "learn/canary.h"
#include "learn/cap.h"
#include "learn/drift.h"
#include "learn/elo.h"
#include "learn/log.h"
#include "learn/peaks.h"
#include "learn/quantile.h"
#include "learn/window.h"
#include "opts/opts.h"

/* What a trial has to make better.  */
enum hkm_goal
{
  HKM_GOAL_WORK, /* time, and the waste in blocks */
  HKM_GOAL_FIT,  /* the waste in blocks alone */
  HKM_GOAL_KEEP, /* what is kept, and what it costs that the rest is not */
  HKM_GOAL_MID,  /* hit rates of mid classes, as far as they are below target */
  HKM_GOAL_LARGE, /* the same of runs */
  HKM_GOALS
};

typedef struct hkm_trial
{
  uint8_t who;     /* enum hkm_learner */
  uint8_t arm;     /* of its settings or strategies */
  uint8_t from;    /* the one it replaces */
  uint8_t goal;    /* enum hkm_goal */
  bool gives_back; /* a strategy that keeps less than the one it replaces */
  hkm_fix before, after; /* mean rewards */
  hkm_moves moves;
} hkm_trial;

/* Classes, and classes of runs.  */
enum { HKM_MIX = HKM_CLASSES + HKM_RUN_CLASSES };
enum { HKM_RATED = HKM_LEARNER_ARMS - HKM_LEARNER_RATED };
enum { HKM_MIDS = HKM_CLASS_STATIC - HKM_CLASS_2048 - 1 };

typedef struct hkm_driver
{
  bool keeps;              /* what is better stays; else it is a dry run */
  bool on_trial;
  bool checking;           /* of the trial: it is taken back, to see */
  uint8_t settle;          /* windows to leave out: a change takes effect */
  uint8_t turn;            /* the learner to be asked first */
  uint8_t unused;          /* windows in a row in which most of what is kept was
                              kept for nobody; of these: */
  uint64_t unused_least, kept_most; /* in bytes */
  uint32_t windows, trials, kept;
  uint32_t check_windows, check_lasted;
  hkm_fix check_sum;       /* of rewards */
  uint32_t picked;         /* the window in which sizes were looked for */
  uint64_t random;
  hkm_observation last;
  uint16_t mix[HKM_MIX];   /* of requests: shares of 2^15 of each class, of late */
  hkm_window window;
  uint32_t slow_p99;       /* of the last window that timed enough, in ns */
  hkm_quantile slow;       /* the 99th percentile of the last windows */
  uint32_t pass_over;      /* cold calls that are not to be in it */
  hkm_quantile p50, p99;   /* of all cold calls timed */
  hkm_canary canary[HKM_GOALS];
  hkm_drift drift;
  hkm_trial trial;
  hkm_cap mid[HKM_MIDS], runs[HKM_RUN_CLASSES];
  hkm_cap_config mid_config, runs_config;
  hkm_peaks peaks;
  hkm_elo rated[HKM_RATED]; /* strategies, by learner */
  uint8_t met[HKM_RATED];  /* those in force or tried since the workload last
                              changed, as bits */
  hkm_arms arms;
  hkm_ucb ucb[HKM_ARMED];
  uint8_t arm[HKM_ARMED];  /* in force */
  uint8_t tries[HKM_LEARNERS]; /* trials since the workload last changed */
  uint8_t rest[HKM_LEARNERS];  /* windows until it is asked again */
  uint8_t failed[HKM_LEARNERS]; /* in a row, as far as that matters */
  hkm_log log;
} hkm_driver;

/* Begin at observation FIRST, as the options say.  KEEPS: see above.  RANDOM
   makes choices by chance.  */
void hkm_driver_init (hkm_driver *d, const hkm_observation *first, bool keeps,
                      uint64_t random);
/* A cold call took NS; requests of SIZE bytes, of mid size, came COUNT times:
   both in the window that is going on.  */
void hkm_driver_slow (hkm_driver *d, uint32_t ns);
void hkm_driver_size (hkm_driver *d, size_t size, unsigned count);
/* A window ended.  May publish a policy.  */
void hkm_driver_window (hkm_driver *d, const hkm_observation *now);
/* POLICY becomes the published one less what is on trial.  */
void hkm_driver_settled (const hkm_driver *d, hkm_policy *policy);
/* State and log, as text.  */
void hkm_driver_print (hkm_out *out, const hkm_driver *d);
/* As the member "learning" of a JSON object, with a comma after it.  */
void hkm_driver_print_json (hkm_out *out, const hkm_driver *d);

/* ---- for its own files ---- */

/* What counts as better: 0.2 % of time or memory, as a reward.  */
#define HKM_DRIVER_BETTER HKM_FIX (2, 1000)

/* The policy in force.  */
hkm_policy hkm_driver_policy (void);
void hkm_driver_forget_baselines (hkm_driver *d);
/* trial.c: window V of GOAL, which is the trial's if one is on.  True: that ended
   it.  */
bool hkm_driver_judge (hkm_driver *d, enum hkm_goal goal,
                       const hkm_canary_window *v, uint64_t time_ms);
/* Begin a trial, if a learner wants one.  */
void hkm_driver_next_trial (hkm_driver *d, const hkm_observation *now);
/* wants.c: the option, and knob, whose choices are the strategies I.  */
enum hkm_opt_id hkm_driver_rated_option (unsigned i);
/* Has nobody wanted most of the free memory for some windows?  What one says may be
   of a moment.  */
HKM_INLINE bool
hkm_driver_keeps_in_vain (const hkm_driver *d)
{
  return d->unused >= 8;
}

/* Does WHO want a change of POLICY?  Then d->trial says which.  */
bool hkm_driver_wants (hkm_driver *d, enum hkm_learner who,
                       const hkm_policy *policy, const hkm_observation *now);

/* caps.c.  The class of mid controller I: */
HKM_INLINE unsigned
hkm_driver_mid_class (unsigned i)
{
  return HKM_CLASS_2048 + 1 + i;
}
#ifdef HKM_WITH_LEARN_CAP
void hkm_driver_caps_init (hkm_driver *d);
/* Controllers go on from what the policy keeps.  */
void hkm_driver_caps_restart (hkm_driver *d);
void hkm_driver_caps_window (hkm_driver *d, const hkm_observation *now);
bool hkm_driver_cap_mid_wants (hkm_driver *d, const hkm_policy *policy);
bool hkm_driver_cap_large_wants (hkm_driver *d, const hkm_policy *policy);
/* By how much hit rates were below their targets in the window up to NOW, as a
   share of all requests.  */
hkm_fix hkm_driver_mid_shortfall (const hkm_driver *d,
                                  const hkm_observation *now);
hkm_fix hkm_driver_large_shortfall (const hkm_driver *d,
                                    const hkm_observation *now);
#else
HKM_INLINE void
hkm_driver_caps_init (hkm_driver *d)
{
  (void) d;
}

HKM_INLINE void
hkm_driver_caps_restart (hkm_driver *d)
{
  (void) d;
}

HKM_INLINE void
hkm_driver_caps_window (hkm_driver *d, const hkm_observation *now)
{
  (void) d, (void) now;
}

HKM_INLINE bool
hkm_driver_cap_mid_wants (hkm_driver *d, const hkm_policy *policy)
{
  (void) d, (void) policy;
  return false;
}

HKM_INLINE bool
hkm_driver_cap_large_wants (hkm_driver *d, const hkm_policy *policy)
{
  (void) d, (void) policy;
  return false;
}

HKM_INLINE hkm_fix
hkm_driver_mid_shortfall (const hkm_driver *d, const hkm_observation *now)
{
  (void) d, (void) now;
  return 0;
}

HKM_INLINE hkm_fix
hkm_driver_large_shortfall (const hkm_driver *d, const hkm_observation *now)
{
  (void) d, (void) now;
  return 0;
}
#endif

#endif
