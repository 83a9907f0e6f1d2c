/* What a call site's blocks have in common: how long they live, and how long
   their memory then waits for the site's next request.

   That a site tells how long its blocks live: Barrett and Zorn, "Using Lifetime
   Predictors to Improve Memory Allocation Performance", 1993.  Both times are
   exponentially weighted means (Roberts, "Control Chart Tests Based on Geometric
   Moving Averages", 1959) with weight 1/8,
   or all alike while there are fewer.  What decides is the wait: of blocks
   that live long and come often one is always wanted soon, and one that lives
   for a moment each minute is not.

   Pure: times come as numbers, milliseconds modulo 2^32.  Any call in any order
   is defined; nothing overflows.  */
#ifndef HKM_LEARN_LIFETIME_H
#define HKM_LEARN_LIFETIME_H

#include "base/compiler.h"
#include "learn/fix.h"

enum
{
  /* Memory that waits so long is not worth keeping: to get it anew takes at
     most 1/30 of that time of it (0.25 ms a MiB, some 60 MiB at once), and it is
     half the time within which retention regrets a purge.  */
  HKM_LIFETIME_LONG_MS = 500,
  HKM_LIFETIME_SHORT_MS = HKM_LIFETIME_LONG_MS / 8,
  /* Waits seen before the first hint from them.  */
  HKM_LIFETIME_WAITS = 2
};

enum hkm_lifetime_hint
{
  HKM_LIFETIME_NONE,
  HKM_LIFETIME_KEEP, /* wanted again soon */
  HKM_LIFETIME_DROP  /* not for long, or never */
};

typedef struct hkm_lifetime
{
  uint32_t last;          /* when one was born last */
  uint32_t died, waits;   /* how many were seen, up to 8 */
  hkm_fix life, wait;     /* means, in milliseconds */
  enum hkm_lifetime_hint hint;
} hkm_lifetime;

void hkm_lifetime_init (hkm_lifetime *l);
/* A block was handed out at NOW.  */
void hkm_lifetime_born (hkm_lifetime *l, uint32_t now);
/* One that was LIFE old was freed at NOW.  */
void hkm_lifetime_died (hkm_lifetime *l, uint32_t life, uint32_t now);
/* WAIT after a free the site's next request came.  */
void hkm_lifetime_waited (hkm_lifetime *l, uint32_t wait);

#endif
