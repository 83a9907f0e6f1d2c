/* What learners want to change, asked in turn while nothing is on trial.  */
#include "learn/driver.h"
#include "opts/opts.h"

enum
{
  PULLS = 2,       /* of a setting, to say that it is no better */
  PICK_EVERY = 8   /* windows between two looks for sizes */
};
/* Points of Elo's scale: how often strategies that did worse are tried.  */
#define TEMPERATURE HKM_FIX (100, 1)
/* Of the bytes asked for, what a dynamic class has to save.  */
#define DYN_SHARE HKM_FIX (3, 100)

#ifdef HKM_WITH_LEARN_DYN
static const struct
{
  uint16_t size, automatic; /* enum hkm_opt_id */
} dyn_option[HKM_DYNS] = {
  { HKM_OPT_MID_DYN1, HKM_OPT_DYN1_AUTO },
  { HKM_OPT_MID_DYN2, HKM_OPT_DYN2_AUTO },
};

/* Is class D to be learned: asked for, and not given a size by somebody?  */
static bool
dyn_is_free (unsigned d)
{
  return hkm_opt ((enum hkm_opt_id) dyn_option[d].automatic) != 0
         && hkm_opt ((enum hkm_opt_id) dyn_option[d].size) == 0;
}

static bool
is_picked (const hkm_driver *d, uint32_t size)
{
  for (unsigned i = 0; i < HKM_DYNS; i++)
    if (size != 0 && d->peaks.pick[i] == size)
      return true;
  return false;
}

/* The class that is to get another size: one that has none, or else one whose
   size is not wanted now.  HKM_DYNS: there is none.  A class without requests
   costs nothing, and its size may be wanted again.  */
static unsigned
dyn_to_change (const hkm_driver *d, const hkm_policy *policy)
{
  for (unsigned i = 0; i < HKM_DYNS; i++)
    if (dyn_is_free (i) && policy->dyn[i] == 0)
      return i;
  for (unsigned i = 0; i < HKM_DYNS; i++)
    if (dyn_is_free (i) && !is_picked (d, policy->dyn[i]))
      return i;
  return HKM_DYNS;
}

/* Sizes for the dynamic classes that nobody gave one, beside all others.  */
static bool
dyn_wants (hkm_driver *d, const hkm_policy *policy)
{
  uint32_t sizes[HKM_MIDS + HKM_DYNS];
  unsigned n = 0, most = 0;
  if (d->windows - d->picked < PICK_EVERY)
    return false;
  d->picked = d->windows;
  for (; n < HKM_MIDS; n++)
    sizes[n] = hkm_class[hkm_driver_mid_class (n)].size;
  for (unsigned i = 0; i < HKM_DYNS; i++)
    if (dyn_is_free (i))
      most++;
    else if (policy->dyn[i] != 0)
      sizes[n++] = policy->dyn[i];
  if (most == 0)
    return false;
  hkm_peaks_pick (&d->peaks, sizes, n, most, DYN_SHARE);
  for (unsigned i = 0; i < most; i++)
    {
      uint32_t size = d->peaks.pick[i];
      unsigned to = dyn_to_change (d, policy);
      if (size == 0 || to == HKM_DYNS || size == policy->dyn[0]
          || size == policy->dyn[1])
        continue;
      hkm_moves_add (&d->trial.moves, policy, HKM_MOVE_KNOB,
                     hkm_policy_knob_of (dyn_option[to].size), size);
      break; /* one at a time */
    }
  d->trial.goal = HKM_GOAL_FIT;
  return d->trial.moves.count != 0;
}
#else
static bool
dyn_wants (hkm_driver *d, const hkm_policy *policy)
{
  (void) d, (void) policy;
  return false;
}
#endif

/* Strategies are the choices of an option.  They matter in a window in which so
   much happened; those of retention, while the shipped one is in force, if it keeps
   memory that nobody wants.  One that keeps less is tried only then: else it would
   but cost, sixty times the CPU time in a program of big blocks.  */
static const struct rated
{
  uint16_t option;  /* enum hkm_opt_id */
  uint8_t counter;  /* enum hkm_counter */
  uint8_t least;    /* 0: not in this build */
  bool retention;
  uint8_t thrift[4]; /* of its choices: the higher the less is kept */
} rated[HKM_RATED] = {
#define RATED(who) [HKM_LEARNER_##who - HKM_LEARNER_RATED]
#ifdef HKM_WITH_BIGCACHE
  RATED (BIGCACHE) = { HKM_OPT_BIGCACHE_STRATEGY, HKM_COUNT_BIG_ALLOC, 8, false,
                       { 1, 1, 2, 0 } },
#endif
  RATED (RETAIN) = { HKM_OPT_RETAIN_STRATEGY, HKM_COUNT_PURGE, 8, true,
                     { 0, 1, 2 } },
#undef RATED
};

enum hkm_opt_id
hkm_driver_rated_option (unsigned i)
{
  return (enum hkm_opt_id) rated[i].option;
}

#ifdef HKM_WITH_LEARN_ELO
static bool
rated_matters (const hkm_driver *d, const struct rated *row, uint32_t current,
               const hkm_observation *now)
{
  uint64_t came = now->counts.value[row->counter]
                  - d->last.counts.value[row->counter];
  if (row->retention && current == hkm_opts_row (HKM_OPT_RETAIN_STRATEGY)->def)
    return hkm_driver_keeps_in_vain (d);
  return row->least != 0 && came >= row->least;
}

/* Those of the strategies I that may be tried instead of CURRENT, as bits.  */
static unsigned
apt_choices (const hkm_driver *d, unsigned i, uint32_t current)
{
  unsigned apt = (1u << d->rated[i].players) - 1;
  for (unsigned a = 0; a < d->rated[i].players; a++)
    if (rated[i].thrift[a] > rated[i].thrift[current]
        && !hkm_driver_keeps_in_vain (d))
      apt &= ~(1u << a);
  return apt;
}

static bool
rated_wants (hkm_driver *d, enum hkm_learner who, const hkm_policy *policy,
             const hkm_observation *now)
{
  unsigned i = who - HKM_LEARNER_RATED;
  unsigned k = hkm_policy_knob_of (rated[i].option);
  uint32_t current = hkm_move_value (policy, HKM_MOVE_KNOB, k);
  if (!hkm_opt (HKM_OPT_ELO) || !rated_matters (d, &rated[i], current, now))
    return false;
  unsigned apt = apt_choices (d, i, current), known = d->met[i] | 1u << current;
  /* Each of the others once, before chance decides.  */
  unsigned a = (apt & ~known) != 0
                 ? (unsigned) __builtin_ctz (apt & ~known)
                 : hkm_elo_choose (&d->rated[i], TEMPERATURE, &d->random);
  if (!(apt >> a & 1))
    return false;
  d->met[i] = (uint8_t) (known | 1u << a);
  d->trial.goal = HKM_GOAL_KEEP;
  d->trial.arm = (uint8_t) a;
  d->trial.from = (uint8_t) current;
  d->trial.gives_back = rated[i].thrift[a] > rated[i].thrift[current];
  hkm_moves_add (&d->trial.moves, policy, HKM_MOVE_KNOB, k, a);
  return d->trial.moves.count != 0;
}
#else
static bool
rated_wants (hkm_driver *d, enum hkm_learner who, const hkm_policy *policy,
             const hkm_observation *now)
{
  (void) d, (void) who, (void) policy, (void) now;
  return false;
}
#endif

/* True if it is clear enough which of the settings is best: one is, or none is
   better than the one in force, CURRENT, by more than rewards differ by
   themselves.  */
static bool
arms_are_known (const hkm_ucb *ucb, unsigned current)
{
  hkm_fix least = ucb->noise > HKM_DRIVER_BETTER ? ucb->noise
                                                 : HKM_DRIVER_BETTER;
  if (hkm_ucb_settled (ucb))
    return true;
  for (unsigned a = 0; a < ucb->arms; a++)
    if (ucb->fresh[a] < PULLS
        || hkm_ucb_mean (ucb, a) > hkm_ucb_mean (ucb, current) + least)
      return false;
  return true;
}

static bool
arm_wants (hkm_driver *d, enum hkm_learner who, const hkm_policy *policy,
           const hkm_observation *now)
{
  unsigned i = who - HKM_LEARNER_ARMS;
  hkm_ucb *ucb = &d->ucb[i];
  if (!hkm_arms_wanted (who) || !hkm_arms_matter (who, &d->last, now)
      || arms_are_known (ucb, d->arm[i]))
    return false;
  unsigned a = hkm_ucb_choose (ucb);
  if (a == d->arm[i])
    { /* nothing to try: it is what every window shows */
      hkm_ucb_reward (ucb, a, d->canary[HKM_GOAL_WORK]
                                .before[HKM_CANARY_REWARD]);
      d->tries[who]++;
      return false;
    }
  hkm_arms_moves (&d->arms, who, a, policy, &d->trial.moves);
  d->trial.arm = (uint8_t) a;
  d->trial.from = d->arm[i];
  return d->trial.moves.count != 0;
}

HKM_COLD bool
hkm_driver_wants (hkm_driver *d, enum hkm_learner who,
                  const hkm_policy *policy, const hkm_observation *now)
{
  d->trial.who = (uint8_t) who;
  d->trial.goal = HKM_GOAL_WORK;
  d->trial.gives_back = false;
  d->trial.moves.count = 0;
  switch (who)
    {
    case HKM_LEARNER_CAP_MID: return hkm_driver_cap_mid_wants (d, policy);
    case HKM_LEARNER_CAP_LARGE: return hkm_driver_cap_large_wants (d, policy);
    case HKM_LEARNER_DYN: return dyn_wants (d, policy);
    default:
      return who < HKM_LEARNER_ARMS ? rated_wants (d, who, policy, now)
                                    : arm_wants (d, who, policy, now);
    }
}

