/* Which of a few settings is best, when a trial of one yields a noisy reward:
   UCB1.  P. Auer, N. Cesa-Bianchi, P. Fischer, "Finite-time Analysis of the
   Multiarmed Bandit Problem", Machine Learning 47, 2002.  The arm of highest

     mean + 1.5 * range * sqrt (ln (total) / pulls)

   is pulled next.  The paper's rewards lie in 0..1; these are of any scale,
   and RANGE, how far apart the latest rewards lie, makes the same of them: the
   order is that of rewards divided by it.  Each reward draws the range in by a
   64th, so that a freak of long ago does not make all arms look alike for
   ever.

   Knows nothing of what an arm or a reward is; the higher, the better.  */
#ifndef HKM_LEARN_UCB_H
#define HKM_LEARN_UCB_H

#include "learn/fix.h"

enum
{
  HKM_UCB_ARMS = 8,
  HKM_UCB_PULLS = 4096, /* of all arms; at more, all counts are halved */
  HKM_UCB_STALE = 4,    /* pulls of one arm that outlast a forget, at most */
};
/* A reward beyond this, 2^30, counts as this.  */
#define HKM_UCB_REWARD (HKM_FIX_ONE << 30)

/* pulls[A] <= HKM_UCB_PULLS and |sum[A]| <= pulls[A] * HKM_UCB_REWARD < 2^63;
   fresh[A] <= pulls[A]; low <= high.  */
typedef struct
{
  hkm_fix sum[HKM_UCB_ARMS]; /* of rewards */
  uint32_t pulls[HKM_UCB_ARMS];
  uint32_t fresh[HKM_UCB_ARMS]; /* pulls since the last forget */
  hkm_fix low, high;            /* the range */
  hkm_fix noise;                /* mean absolute deviation within arms */
  uint32_t noises;              /* deviations in it, at most 64 */
  uint32_t arms;                /* 1 to HKM_UCB_ARMS */
} hkm_ucb;

void hkm_ucb_init (hkm_ucb *u, unsigned arms);
/* The arm to pull: one not pulled since the start or the last forget, the
   first of them; else that of the highest index, of equals the least pulled.
   */
unsigned hkm_ucb_choose (const hkm_ucb *u);
/* ARM was pulled and yielded REWARD.  An arm that is none is ignored.  */
void hkm_ucb_reward (hkm_ucb *u, unsigned arm, hkm_fix reward);
/* The arm of highest mean, of equals the first; 0 before any reward.  */
unsigned hkm_ucb_best (const hkm_ucb *u);
/* 0 if ARM has no pulls.  */
hkm_fix hkm_ucb_mean (const hkm_ucb *u, unsigned arm);
/* The best arm's mean is above every other's by three standard errors of their
   difference: time to stop.  Hardly ever if two arms are equally good: the
   caller bounds the number of trials.  */
bool hkm_ucb_settled (const hkm_ucb *u);
/* The world changed: of what is known only SHARE (0..1) of the weight stays,
   and that of HKM_UCB_STALE pulls at most; nothing is settled before newer
   rewards are half of what is known of each arm.  */
void hkm_ucb_forget (hkm_ucb *u, hkm_fix share);

#endif
