/* How many blocks (or slots) a class may keep, learned from its hit rate.

   Per window: hit = hits / (hits + misses), error = aim - hit.  Within +-eps
   nothing changes; else the cap moves by a step times clamp (kp * error + ki *
   integral) to -1..1.  A PI controller in its incremental form, with conditional
   integration against windup: the integral stands still while the output is at
   its limit, and is emptied when the budget took from the class, the error is
   within the band or it changed sign (K. J. Astrom and T. Hagglund, PID
   Controllers: Theory, Design, and Tuning, 1995, on integrator windup).

   Beyond the formula:
   - A window of few events says little.  Unless the error is over two standard
     deviations of such a share, windows are added up first.  And the mean of late
     must be outside of the band, too, or the error be four times that.
   - No move goes past the cap at which a hit rate proportional to the cap would
     meet the aim: a curve that bends down is not overshot from above, and a
     straight one from neither side, however coarse the step is.
   - A move down that had to be undone makes the next one wait, up to 15 windows.
   - Growth that does not pay (less than eps for 8 steps) or that the limits
     refuse (for 32 windows, once) lowers the aim under what is reached, so that
     the cap is given back, at a quarter of the speed, as far as it is no loss.
     The target is the aim again after 128 windows, once the hit rate is there, or
     in a window that is 2 eps below even the lowered aim.

   Knows no clock and no memory: who asks says what happened.  */
#ifndef HKM_LEARN_CAP_H
#define HKM_LEARN_CAP_H

#include "learn/fix.h"

typedef struct hkm_cap_config
{
  hkm_fix target, eps;    /* of the hit rate; 0..1, others count as the nearer */
  hkm_fix kp, ki;         /* steps for an error of 1, and for a sum of 1 */
  uint32_t step;          /* most blocks that a window may move a cap */
  uint32_t min, max;      /* blocks */
} hkm_cap_config;

typedef struct hkm_cap
{
  hkm_fix cap;            /* blocks, with the fraction that small moves leave */
  hkm_fix aim, smooth;    /* hit rates: wanted now, and reached lately */
  hkm_fix integral;
  hkm_fix anchor, peak;   /* the worst and best mean since anchor_cap */
  uint64_t hits, misses;  /* that nothing was decided on yet */
  uint64_t demand;        /* eight times its mean of late */
  uint32_t before, last;  /* the cap before this window and at a decision */
  uint32_t anchor_cap;
  uint8_t rest;           /* windows until the target is the aim again */
  uint8_t stuck;          /* windows that asked for more and got nothing */
  uint8_t wait, backoff;  /* windows until it may shrink, now and next time */
  bool known, shrank, over, most; /* over: above its aim; most: of most demand */
} hkm_cap;

/* Begin with BLOCKS.  */
void hkm_cap_init (hkm_cap *c, const hkm_cap_config *f, uint32_t blocks);
/* A window: so many requests found a block kept, so many did not.  */
void hkm_cap_window (hkm_cap *c, const hkm_cap_config *f, uint64_t hits,
                     uint64_t misses);
enum { HKM_CAPS = 64 };
/* Fit N classes (at most HKM_CAPS), each with its window done, into BUDGET
   blocks.  What is over it is taken from the classes of least DEMAND, those above
   their aim first; no class falls below min, be that over the budget.  With
   WATER_FILLING what is left goes to the class of most demand, a step a window.
   Nothing moves by more than a step in all unless the budget fell.  */
void hkm_caps_balance (hkm_cap *c, unsigned n, const hkm_cap_config *f,
                       uint64_t budget, const uint64_t *demand,
                       bool water_filling);

HKM_INLINE uint32_t
hkm_cap_blocks (const hkm_cap *c)
{
  return (uint32_t) (c->cap >> HKM_FIX_BITS);
}

#endif
