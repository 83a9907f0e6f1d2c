/* learn/quantile: against distributions whose quantiles are known.  */
#include "learn/quantile.h"
#include "synthetic.h"

enum { SAMPLES = 100000 };

static double
exponential (void)
{
  return -1000000 * real (hkm_fix_ln (fix (uniform ())));
}
static double
flat (void)
{
  return 1000000 * uniform ();
}
static double
bell (void)
{
  double x = 1000000 + 200000 * normal ();
  return x < 0 ? 0 : x; /* once in three million */
}
/* Two bells, 60 % and 40 %.  */
static double
two_bells (void)
{
  double x = uniform () < 0.6 ? 100000 + 10000 * normal ()
                              : 900000 + 50000 * normal ();
  return x < 0 ? 0 : x;
}

/* Less than 2 % from TRUTH after SAMPLES values of DRAW.  */
static bool
near (double (*draw) (void), hkm_fix share, double truth)
{
  hkm_quantile p;
  hkm_quantile_init (&p, share);
  for (int i = 0; i < SAMPLES; i++)
    hkm_quantile_add (&p, (uint64_t) draw ());
  double error = real (hkm_quantile_value (&p)) / truth - 1;
  return error < 0.02 && error > -0.02;
}

#define P50 HKM_FIX (1, 2)
#define P99 HKM_FIX (99, 100)

TEST (known_distributions)
{
  CHECK_SEEDS (95, near (flat, P50, 500000));
  CHECK_SEEDS (95, near (flat, P99, 990000));
  CHECK_SEEDS (95, near (exponential, P50, 693147));
  CHECK_SEEDS (95, near (exponential, P99, 4605170));
  CHECK_SEEDS (95, near (bell, P50, 1000000));
  CHECK_SEEDS (95, near (bell, P99, 1465270));
  /* The normal quantiles of 0.5 / 0.6 and 1 - 0.01 / 0.4.  */
  CHECK_SEEDS (95, near (two_bells, P50, 109674));
  CHECK_SEEDS (95, near (two_bells, P99, 997998));
}

static uint64_t few[] = { 50, 10, 40, 20, 30 };

static hkm_fix
of_few (unsigned n, hkm_fix share)
{
  hkm_quantile p;
  hkm_quantile_init (&p, share);
  for (unsigned i = 0; i < n; i++)
    hkm_quantile_add (&p, few[i]);
  return hkm_fix_round (hkm_quantile_value (&p));
}

TEST (few_values)
{
  CHECK (of_few (0, P50) == 0);
  CHECK (of_few (1, P50) == 50 && of_few (1, P99) == 50);
  CHECK (of_few (2, P50) == 10 && of_few (2, P99) == 50);
  CHECK (of_few (3, P50) == 40 && of_few (4, P50) == 20);
  CHECK (of_few (5, P50) == 30 && of_few (5, P99) == 50);
  CHECK (of_few (5, 0) == 10 && of_few (5, HKM_FIX_ONE) == 50);
  CHECK (of_few (5, -1) == 10 && of_few (5, HKM_FIX_MAX) == 50);
}

/* The example that the paper works through: the median of 20 values.  In
   hundredths; it gives 4.44.  */
TEST (paper)
{
  static const uint64_t values[]
    = { 2,   15,  74,  339, 83,  2237, 1015, 1543, 3862, 1592,
        3460, 1028, 147, 40,  5,   1139, 27,   42,   9,    1137 };
  hkm_quantile p;
  hkm_quantile_init (&p, P50);
  for (unsigned i = 0; i < 20; i++)
    hkm_quantile_add (&p, values[i]);
  int64_t median = hkm_fix_round (hkm_quantile_value (&p));
  CHECKF (median >= 443 && median <= 445, "%d", (int) median);
  CHECK (p.rank[0] == 1 && p.rank[1] == 6 && p.rank[2] == 10
         && p.rank[3] == 16 && p.rank[4] == 20);
}

static bool
sound (const hkm_quantile *p)
{
  if (p->count < 5)
    return true;
  for (unsigned i = 1; i < 5; i++)
    if (p->height[i] < p->height[i - 1] || p->rank[i] <= p->rank[i - 1])
      return false;
  return p->rank[0] == 1 && p->rank[4] == p->count && p->count <= 1 << 20;
}

/* In order, and all alike.  */
TEST (sorted_and_constant)
{
  static const hkm_fix shares[] = { P50, P99 };
  for (unsigned s = 0; s < 2; s++)
    {
      hkm_quantile up, down, same;
      hkm_quantile_init (&up, shares[s]);
      hkm_quantile_init (&down, shares[s]);
      hkm_quantile_init (&same, shares[s]);
      for (uint64_t i = 1; i <= SAMPLES; i++)
        {
          hkm_quantile_add (&up, i);
          hkm_quantile_add (&down, SAMPLES + 1 - i);
          hkm_quantile_add (&same, 42);
        }
      CHECK (sound (&up) && sound (&down) && sound (&same));
      CHECK (hkm_quantile_value (&same) == hkm_fix_of (42));
      double truth = SAMPLES * real (shares[s]);
      double high = real (hkm_quantile_value (&up)) / truth;
      double low = real (hkm_quantile_value (&down)) / truth;
      CHECKF (high > 0.95 && high < 1.05, "up %g", high);
      CHECKF (low > 0.95 && low < 1.05, "down %g", low);
    }
}

TEST (ends)
{
  hkm_quantile least, most;
  hkm_quantile_init (&least, 0);
  hkm_quantile_init (&most, HKM_FIX_ONE);
  for (uint64_t i = 0; i < 1000; i++)
    {
      hkm_quantile_add (&least, 100 + i * 7919 % 1000);
      hkm_quantile_add (&most, 100 + i * 7919 % 1000);
    }
  CHECK (sound (&least) && sound (&most));
  CHECK (hkm_quantile_value (&least) == hkm_fix_of (100));
  CHECK (hkm_quantile_value (&most) == hkm_fix_of (1099));
  /* Ranks so close that halving would make them one.  */
  for (uint64_t i = 0; i < 1200000; i++)
    {
      hkm_quantile_add (&least, 100 + i * 7919 % 1000);
      hkm_quantile_add (&most, 100 + i * 7919 % 1000);
      if (!sound (&least) || !sound (&most))
        CHECK (false);
    }
}

/* A value equal to a marker's is not below it.  */
TEST (ties)
{
  hkm_quantile p;
  hkm_quantile_init (&p, P50);
  for (uint64_t i = 1; i <= 5; i++)
    hkm_quantile_add (&p, i);
  hkm_quantile_add (&p, 3);
  CHECK (p.rank[2] == 3 && p.rank[4] == 6);
}

/* Past the count that halves the ranks, and after it the new values rule.  */
TEST (long_stream)
{
  hkm_quantile p;
  hkm_quantile_init (&p, P50);
  seed_chance (1);
  for (int i = 0; i < 3000000; i++)
    {
      hkm_quantile_add (&p, (uint64_t) flat ());
      if (i % 1024 == 0)
        CHECK (sound (&p));
    }
  double error = real (hkm_quantile_value (&p)) / 500000 - 1;
  CHECKF (error < 0.02 && error > -0.02, "%g", error);
  for (int i = 0; i < 3000000; i++)
    hkm_quantile_add (&p, (uint64_t) (10 * flat ()));
  CHECK (sound (&p));
  CHECKF (hkm_quantile_value (&p) > hkm_fix_of (2500000), "%g",
          real (hkm_quantile_value (&p)));
}

TEST (extremes)
{
  seed_chance (1);
  for (int kind = 0; kind < 6; kind++)
    {
      static const uint64_t extreme[]
        = { 0, UINT64_MAX, 1, UINT64_C (1) << 42, 4096 };
      hkm_quantile p;
      hkm_quantile_init (&p, kind % 2 ? P99 : P50);
      for (uint64_t i = 0; i < 86400; i++)
        {
          hkm_quantile_add (&p, kind < 2   ? extreme[i % 2]
                                : kind < 4 ? extreme[chance () % 5]
                                           : chance ());
          CHECK (sound (&p));
          CHECK (hkm_quantile_value (&p) >= 0);
        }
    }
}

int
main (void)
{
  RUN (known_distributions);
  RUN (few_values);
  RUN (paper);
  RUN (sorted_and_constant);
  RUN (ends);
  RUN (ties);
  RUN (long_stream);
  RUN (extremes);
  return check_done ();
}
