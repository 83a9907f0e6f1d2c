/* Which of a few strategies is best, when only which of two did better can be
   told: ratings.  A. E. Elo, "The Rating of Chessplayers, Past and Present",
   1978: A is expected to score 1 / (1 + 10^((Rb - Ra) / 400)) against B, and K
   times what it scores beyond moves from B's rating to A's.  One is chosen
   with odds of e^(rating / temperature): R. D. Luce, "Individual Choice
   Behavior", 1959.  */
#ifndef HKM_LEARN_ELO_H
#define HKM_LEARN_ELO_H

#include "learn/fix.h"

enum
{
  HKM_ELO_PLAYERS = 8,
  /* Ratings start at 1500, and stay within 1400 of it: odds of 10^7.  */
  HKM_ELO_START = 1500,
  HKM_ELO_SPAN = 1400,
};

typedef struct
{
  hkm_fix rating[HKM_ELO_PLAYERS];
  /* What the choices cost: of each, how much more than half the best rated one
     would be expected to score against the one chosen.  */
  hkm_fix regret;
  uint64_t choices;
  uint32_t players; /* 1 to HKM_ELO_PLAYERS */
} hkm_elo;

#ifdef HKM_WITH_LEARN_ELO
void hkm_elo_init (hkm_elo *e, unsigned players);
/* What A is expected to score against B; 1/2 if one of them is none.  */
hkm_fix hkm_elo_expected (const hkm_elo *e, unsigned a, unsigned b);
/* A scored OUTCOME (0 lost, 1 won, all between) against B.  K, 0 to 1000
   points, is how much a match says: 32 when little is known, 4 when much is.
   */
void hkm_elo_match (hkm_elo *e, unsigned a, unsigned b, hkm_fix outcome,
                    hkm_fix k);
/* The highest rated, of equals the first.  */
unsigned hkm_elo_best (const hkm_elo *e);
/* One by chance of *RANDOM, which goes on; any value may start it.
   TEMPERATURE is in points; at 0 or less it is the best, by chance of equals.
   */
unsigned hkm_elo_choose (hkm_elo *e, hkm_fix temperature, uint64_t *random);
#else
HKM_INLINE void
hkm_elo_init (hkm_elo *e, unsigned players)
{
  (void) e, (void) players;
}

HKM_INLINE void
hkm_elo_match (hkm_elo *e, unsigned a, unsigned b, hkm_fix outcome, hkm_fix k)
{
  (void) e, (void) a, (void) b, (void) outcome, (void) k;
}
#endif

#endif
