/* Numbers of the policy for which a few settings are tried: what the settings
   are, and what has to happen in a process for them to matter.  */
#ifndef HKM_LEARN_ARMS_H
#define HKM_LEARN_ARMS_H

#include "learn/log.h"
#include "learn/ucb.h"
#include "learn/window.h"

enum { HKM_ARMED = HKM_LEARNERS - HKM_LEARNER_ARMS };

/* The settings of each, of those that are built: numbers of its knob, or factors
   in eighths.  The first is the policy's own when it started.  */
typedef struct hkm_arms
{
  uint32_t value[HKM_ARMED][HKM_UCB_ARMS];
  uint8_t count[HKM_ARMED];
  hkm_policy shipped; /* what factors are of */
} hkm_arms;

/* As the options and the policy say; ARMS is zero.  */
void hkm_arms_init (hkm_arms *arms);
/* Is WHO (HKM_LEARNER_ARMS or above) to learn, as the options and the build
   say?  */
bool hkm_arms_wanted (enum hkm_learner who);
/* What has to change in POLICY for setting ARM of WHO; nothing if it has it.  */
void hkm_arms_moves (const hkm_arms *arms, enum hkm_learner who, unsigned arm,
                     const hkm_policy *policy, hkm_moves *moves);
/* Does it matter in a window between those two?  */
bool hkm_arms_matter (enum hkm_learner who, const hkm_observation *before,
                      const hkm_observation *after);

#endif
