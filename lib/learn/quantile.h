/* A quantile of a stream in constant memory: P2.  R. Jain, I. Chlamtac, "The
   P2 Algorithm for Dynamic Calculation of Quantiles and Histograms Without
   Storing Observations", Communications of the ACM 28 (10), 1985.  Five
   markers, at the least, half the quantile, the quantile, half way from there
   to the end and the greatest value, are moved by parabolas through their
   neighbours.

   It assumes that values come in no order.  One value ten million times the
   others among 100,000 moves even the median by a fiftieth, and a high
   quantile to several times the truth: who adds times cuts them off.  Values
   above 2^43 - 1 count as that.  After a million values the older half weighs
   half, and so on.  */
#ifndef HKM_LEARN_QUANTILE_H
#define HKM_LEARN_QUANTILE_H

#include "learn/fix.h"

/* From the fifth value on height does not fall and rank rises, from marker to
   marker; rank[0] = 1.  Before, height holds the values themselves, sorted.
   */
typedef struct
{
  hkm_fix share;     /* which quantile: 0 to 1 */
  hkm_fix height[5]; /* of the markers */
  uint32_t rank[5];  /* how many values are at or below it, about */
  uint32_t count;    /* of values; rank[4] from the fifth on */
} hkm_quantile;

/* The median is SHARE = HKM_FIX (1, 2).  Clamped to 0..1.  */
void hkm_quantile_init (hkm_quantile *p, hkm_fix share);
void hkm_quantile_add (hkm_quantile *p, uint64_t value);
/* Of up to five values exact: the least one that SHARE of them do not exceed;
   of none 0.  */
hkm_fix hkm_quantile_value (const hkm_quantile *p);

#endif
