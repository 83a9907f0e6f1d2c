/* Fixed-point arithmetic against floating point, and at its ends.  */
#include "synthetic.h"

enum { ROUNDS = 200000 };
#define ULP (1.0 / HKM_FIX_ONE)

/* A number of either sign whose size is anywhere between the least and 2^42.  */
static hkm_fix
any (void)
{
  hkm_fix a = (hkm_fix) (chance () >> 1) >> (1 + chance () % 62);
  return chance () % 2 ? a : -a;
}

static bool
near (hkm_fix a, double b, double ulps)
{
  double off = real (a) - b, size = b < 0 ? -b : b;
  return (off < 0 ? -off : off) <= ulps * ULP + size * 1e-11;
}

TEST (products_and_quotients)
{
  seed_chance (1);
  for (int i = 0; i < ROUNDS; i++)
    {
      hkm_fix a = any (), b = any ();
      double p = real (a) * real (b), q = real (a) / real (b);
      if (p < 8e12 && p > -8e12)
        CHECKF (near (hkm_fix_mul (a, b), p, 1.1), "%lld * %lld",
                (long long) a, (long long) b);
      if (b != 0 && q < 8e12 && q > -8e12)
        CHECKF (near (hkm_fix_div (a, b), q, 1.1), "%lld / %lld",
                (long long) a, (long long) b);
    }
}

/* e^x without libm: by the series at x / 1024, squared ten times.  */
static double
power (double x)
{
  double y = x / 1024, sum = 1;
  for (int k = 8; k >= 1; k--)
    sum = 1 + sum * y / k;
  for (int i = 0; i < 10; i++)
    sum *= sum;
  return sum;
}

TEST (roots_logarithms_powers)
{
  seed_chance (2);
  for (int i = 0; i < ROUNDS; i++)
    {
      hkm_fix a = any ();
      a = a < 0 ? -a : a + 1;
      double root = real (hkm_fix_sqrt (a)), ulp = a >> 43 ? 1024 * ULP : ULP;
      CHECKF (root * root <= real (a)
                && (root + ulp) * (root + ulp) > real (a) * (1 - 1e-12),
              "root of %lld", (long long) a);
      double again = power (real (hkm_fix_ln (a)));
      CHECKF (again > real (a) * (1 - 4 * ULP)
                && again < real (a) * (1 + 4 * ULP),
              "logarithm of %lld", (long long) a);
      hkm_fix x = fix (uniform () * 44 - 15);
      double e = power (real (x));
      CHECKF (near (hkm_fix_exp (x), e, 1.1 + e * 4), "power %g", real (x));
    }
}

TEST (ends)
{
  const hkm_fix most = HKM_FIX_MAX;
  CHECK (hkm_fix_mul (most, most) == most);
  CHECK (hkm_fix_mul (-most, most) == -most);
  CHECK (hkm_fix_mul (-most, -most) == most);
  CHECK (hkm_fix_div (most, 1) == most && hkm_fix_div (-most, 1) == -most);
  CHECK (hkm_fix_div (1, 0) == most && hkm_fix_div (-1, 0) == -most);
  CHECK (hkm_fix_div (0, 0) == 0 && hkm_fix_div (0, -5) == 0);
  CHECK (hkm_fix_div (most, most) == HKM_FIX_ONE);
  CHECK (hkm_fix_sqrt (-1) == 0 && hkm_fix_sqrt (0) == 0);
  CHECK (hkm_fix_sqrt (4 * HKM_FIX_ONE) == 2 * HKM_FIX_ONE);
  CHECK (hkm_fix_ln (0) == hkm_fix_ln (1) && hkm_fix_ln (HKM_FIX_ONE) == 0);
  CHECK (hkm_fix_exp (0) == HKM_FIX_ONE && hkm_fix_exp (most) == most
         && hkm_fix_exp (-most) == 0);
  CHECK (hkm_fix_of (UINT64_MAX) == most && hkm_fix_of (3) == 3 * HKM_FIX_ONE);
  CHECK (hkm_fix_ratio (UINT64_MAX, UINT64_MAX) == HKM_FIX_ONE);
  CHECK (hkm_fix_ratio (1, 0) == 0 && hkm_fix_ratio (1, 2) == HKM_FIX_ONE / 2);
  CHECK (hkm_fix_round (HKM_FIX_ONE / 2) == 1
         && hkm_fix_round (HKM_FIX_ONE / 2 - 1) == 0
         && hkm_fix_round (-HKM_FIX_ONE) == -1);
}

int
main (void)
{
  RUN (products_and_quotients);
  RUN (roots_logarithms_powers);
  RUN (ends);
  return check_done ();
}
