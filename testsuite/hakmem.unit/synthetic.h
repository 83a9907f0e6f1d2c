/* Synthetic environments for the learners: chance from a seed, and counting
   the seeds in which something holds.  */
#ifndef SYNTHETIC_H
#define SYNTHETIC_H

#include "learn/fix.h"
#include "check.h"

enum { SEEDS = 100 }; /* 1 to 100 */

static uint64_t synthetic_state;

static inline void
seed_chance (uint64_t n)
{
  synthetic_state = n * UINT64_C (0x9e3779b97f4a7c15);
}

static inline uint64_t
chance (void)
{
  synthetic_state ^= synthetic_state << 13;
  synthetic_state ^= synthetic_state >> 7;
  return (synthetic_state ^= synthetic_state << 17)
         * UINT64_C (0x2545f4914f6cdd1d);
}

static inline double
real (hkm_fix x)
{
  return (double) x / HKM_FIX_ONE;
}

static inline hkm_fix
fix (double x)
{
  return (hkm_fix) (x * HKM_FIX_ONE);
}

/* In 0 to 1, both excluded.  */
static inline double
uniform (void)
{
  return ((double) (chance () >> 12) + 0.5) / (double) (UINT64_C (1) << 52);
}

/* Of mean 0 and deviation 1, by the polar method; no libm.  */
static inline double
normal (void)
{
  for (;;)
    {
      double u = 2 * uniform () - 1, v = 2 * uniform () - 1, s = u * u + v * v;
      if (s >= 1e-6 && s < 1)
        return u * real (hkm_fix_sqrt (fix (-2 * real (hkm_fix_ln (fix (s)))
                                            / s)));
    }
}

static inline hkm_fix
noisy (double mean, double noise)
{
  return fix (mean + noise * normal ());
}

/* WHAT, an expression on SEED, holds in at least LEAST of the seeds.  */
#define CHECK_SEEDS(least, what)                                              \
  do                                                                          \
    {                                                                         \
      int held = 0;                                                           \
      for (unsigned n = 1; n <= SEEDS; n++)                                   \
        {                                                                     \
          seed_chance (n);                                                           \
          held += (what);                                                     \
        }                                                                     \
      CHECKF (held >= (least), "%s in %d of %d seeds", #what, held, SEEDS);   \
      printf ("# %s: %d of %d seeds\n", #what, held, SEEDS);                  \
    }                                                                         \
  while (0)

#endif
