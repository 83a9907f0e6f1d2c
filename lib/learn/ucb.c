/* UCB1: the index, the noise within arms, and when to stop.  */
#include "learn/ucb.h"

enum
{
  NOISES = 64,    /* deviations that the noise is a mean of, at most */
  NOISES_MIN = 8, /* fewer say too little to settle on */
};

void
hkm_ucb_init (hkm_ucb *u, unsigned arms)
{
  *u = (hkm_ucb) { .arms = arms < 1              ? 1
                           : arms > HKM_UCB_ARMS ? HKM_UCB_ARMS
                                                 : arms };
}

static uint32_t
total (const hkm_ucb *u)
{
  uint32_t sum = 0;
  for (unsigned a = 0; a < u->arms; a++)
    sum += u->pulls[a];
  return sum;
}

hkm_fix
hkm_ucb_mean (const hkm_ucb *u, unsigned arm)
{
  return arm < u->arms && u->pulls[arm] ? u->sum[arm] / u->pulls[arm] : 0;
}

HKM_COLD unsigned
hkm_ucb_choose (const hkm_ucb *u)
{
  hkm_fix width = hkm_fix_mul (HKM_FIX (3, 2), u->high - u->low);
  hkm_fix ln_total = hkm_fix_ln (hkm_fix_of (total (u))), highest = 0;
  unsigned choice = 0;
  for (unsigned a = 0; a < u->arms; a++)
    {
      if (u->fresh[a] == 0)
        return a;
      hkm_fix index
        = hkm_ucb_mean (u, a)
          + hkm_fix_mul (width, hkm_fix_sqrt (ln_total / u->pulls[a]));
      if (a == 0 || index > highest
          || (index == highest && u->pulls[a] < u->pulls[choice]))
        choice = a, highest = index;
    }
  return choice;
}

/* The deviation of REWARD from the mean of the PULLS before it.  That mean
   errs too; times sqrt (pulls / (pulls + 1)) it is as wide as one from the
   truth.  */
static void
note_noise (hkm_ucb *u, hkm_fix reward, hkm_fix mean, uint32_t pulls)
{
  hkm_fix apart = reward < mean ? mean - reward : reward - mean;
  apart = hkm_fix_mul (apart, hkm_fix_sqrt (hkm_fix_ratio (pulls, pulls + 1)));
  if (u->noises < NOISES)
    u->noises++;
  u->noise += (apart - u->noise) / u->noises;
}

/* Of each arm SHARE of the weight, and of no more than MOST pulls.  */
static void
keep (hkm_ucb *u, hkm_fix share, uint32_t most)
{
  for (unsigned a = 0; a < u->arms; a++)
    {
      hkm_fix mean = hkm_ucb_mean (u, a);
      u->pulls[a] = (uint32_t) (u->pulls[a] * share >> HKM_FIX_BITS);
      if (u->pulls[a] > most)
        u->pulls[a] = most;
      u->fresh[a] = (uint32_t) (u->fresh[a] * share >> HKM_FIX_BITS);
      u->sum[a] = mean * u->pulls[a];
    }
}

HKM_COLD void
hkm_ucb_reward (hkm_ucb *u, unsigned arm, hkm_fix reward)
{
  if (arm >= u->arms)
    return;
  reward = hkm_fix_clamp (reward, -HKM_UCB_REWARD, HKM_UCB_REWARD);
  uint32_t pulls = total (u);
  if (pulls >= HKM_UCB_PULLS)
    keep (u, HKM_FIX_ONE / 2, HKM_UCB_PULLS);
  if (pulls == 0)
    u->low = u->high = reward;
  u->low = reward < u->low ? reward : u->low + (reward - u->low) / 64;
  u->high = reward > u->high ? reward : u->high - (u->high - reward) / 64;
  if (u->pulls[arm])
    note_noise (u, reward, hkm_ucb_mean (u, arm), u->pulls[arm]);
  u->sum[arm] += reward;
  u->pulls[arm]++;
  u->fresh[arm]++;
}

unsigned
hkm_ucb_best (const hkm_ucb *u)
{
  unsigned best = 0;
  for (unsigned a = 1; a < u->arms; a++)
    if (u->pulls[a]
        && (!u->pulls[best] || hkm_ucb_mean (u, a) > hkm_ucb_mean (u, best)))
      best = a;
  return best;
}

static bool
known (const hkm_ucb *u, unsigned arm)
{
  return u->fresh[arm] >= 2 && u->fresh[arm] >= u->pulls[arm] - u->fresh[arm];
}

HKM_COLD bool
hkm_ucb_settled (const hkm_ucb *u)
{
  unsigned best = hkm_ucb_best (u);
  if (u->arms > 1 && (u->noises < NOISES_MIN || !known (u, best)))
    return false;
  /* Three standard errors; a normal deviation is sqrt (pi / 2) mean absolute
     ones.  */
  hkm_fix width = hkm_fix_mul (HKM_FIX (376, 100), u->noise);
  for (unsigned a = 0; a < u->arms; a++)
    if (a != best
        && (!known (u, a)
            || hkm_ucb_mean (u, best) - hkm_ucb_mean (u, a)
                 <= hkm_fix_mul (width, hkm_fix_sqrt (
                                          HKM_FIX_ONE / u->pulls[a]
                                          + HKM_FIX_ONE / u->pulls[best]))))
      return false;
  return true;
}

void
hkm_ucb_forget (hkm_ucb *u, hkm_fix share)
{
  keep (u, hkm_fix_clamp (share, 0, HKM_FIX_ONE), HKM_UCB_STALE);
  for (unsigned a = 0; a < u->arms; a++)
    u->fresh[a] = 0;
}
