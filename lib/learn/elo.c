/* Elo ratings and the choice by them.  */
#include "learn/elo.h"

void
hkm_elo_init (hkm_elo *e, unsigned players)
{
  *e = (hkm_elo) { .players = players < 1                 ? 1
                              : players > HKM_ELO_PLAYERS ? HKM_ELO_PLAYERS
                                                          : players };
  for (unsigned i = 0; i < e->players; i++)
    e->rating[i] = hkm_fix_of (HKM_ELO_START);
}

hkm_fix
hkm_elo_expected (const hkm_elo *e, unsigned a, unsigned b)
{
  if (a >= e->players || b >= e->players)
    return HKM_FIX_ONE / 2;
  /* 10^(x / 400) is e^(x ln 10 / 400).  */
  hkm_fix odds = hkm_fix_exp (hkm_fix_mul (e->rating[b] - e->rating[a],
                                           HKM_FIX (2302585, 1000000))
                              / 400);
  return hkm_fix_div (HKM_FIX_ONE, HKM_FIX_ONE + odds);
}

static void
move (hkm_fix *rating, hkm_fix points)
{
  *rating = hkm_fix_clamp (*rating + points,
                           hkm_fix_of (HKM_ELO_START - HKM_ELO_SPAN),
                           hkm_fix_of (HKM_ELO_START + HKM_ELO_SPAN));
}

HKM_COLD void
hkm_elo_match (hkm_elo *e, unsigned a, unsigned b, hkm_fix outcome, hkm_fix k)
{
  if (a >= e->players || b >= e->players || a == b)
    return;
  outcome = hkm_fix_clamp (outcome, 0, HKM_FIX_ONE);
  k = hkm_fix_clamp (k, 0, hkm_fix_of (1000));
  hkm_fix points = hkm_fix_mul (k, outcome - hkm_elo_expected (e, a, b));
  move (&e->rating[a], points);
  move (&e->rating[b], -points);
}

unsigned
hkm_elo_best (const hkm_elo *e)
{
  unsigned best = 0;
  for (unsigned i = 1; i < e->players; i++)
    if (e->rating[i] > e->rating[best])
      best = i;
  return best;
}

/* splitmix64: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom
   Number Generators", 2014.  */
static uint64_t
next_random (uint64_t *state)
{
  uint64_t z = *state += UINT64_C (0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
  return z ^ z >> 31;
}

HKM_COLD unsigned
hkm_elo_choose (hkm_elo *e, hkm_fix temperature, uint64_t *random)
{
  unsigned best = hkm_elo_best (e), choice = 0;
  uint64_t weight[HKM_ELO_PLAYERS], sum = 0;
  temperature = hkm_fix_clamp (temperature, 0, HKM_FIX_MAX);
  for (unsigned i = 0; i < e->players; i++)
    {
      hkm_fix behind = e->rating[best] - e->rating[i];
      weight[i] = (uint64_t) hkm_fix_exp (-hkm_fix_div (behind, temperature));
      sum += weight[i];
    }
  /* Each weight is at most one, so that SUM is below 2^32.  */
  uint64_t drawn = (next_random (random) >> 32) * sum >> 32;
  for (; choice + 1 < e->players && drawn >= weight[choice]; choice++)
    drawn -= weight[choice];
  hkm_fix cost = hkm_elo_expected (e, best, choice) - HKM_FIX_ONE / 2;
  e->regret += hkm_fix_clamp (cost, 0, HKM_FIX_MAX - e->regret);
  e->choices++;
  return choice;
}
