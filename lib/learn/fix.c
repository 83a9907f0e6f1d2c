/* Fixed-point arithmetic for the learners; no 128-bit integers, which 32-bit
   targets do not have.  */
#include "learn/fix.h"

/* Constants in units of 2^-20, of 30 bits where more is at hand.  */
#define LN2_30 INT64_C (744261118)    /* ln 2 */
#define LOG2E_30 INT64_C (1549082005) /* 1 / ln 2 */

static hkm_fix
saturated (bool negative)
{
  return negative ? -HKM_FIX_MAX : HKM_FIX_MAX;
}

static uint64_t
size_of (hkm_fix a)
{
  return a < 0 ? -(uint64_t) a : (uint64_t) a;
}

hkm_fix
hkm_fix_mul (hkm_fix a, hkm_fix b)
{
  bool negative = (a < 0) != (b < 0);
  uint64_t x = size_of (a), y = size_of (b), product;
  /* (xh + xl) y = xh y + xl yh + xl yl, with fractions xl and yl: no part is
     more than the whole.  */
  uint64_t xh = x >> HKM_FIX_BITS, xl = x & (HKM_FIX_ONE - 1);
  uint64_t yh = y >> HKM_FIX_BITS, yl = y & (HKM_FIX_ONE - 1);
  if (__builtin_mul_overflow (xh, y, &product)
      || __builtin_add_overflow (product, xl * yh + (xl * yl >> HKM_FIX_BITS),
                                 &product)
      || product > (uint64_t) HKM_FIX_MAX)
    return saturated (negative);
  return negative ? -(hkm_fix) product : (hkm_fix) product;
}

hkm_fix
hkm_fix_div (hkm_fix a, hkm_fix b)
{
  bool negative = (a < 0) != (b < 0);
  if (b == 0)
    return a == 0 ? 0 : saturated (a < 0);
  uint64_t n = size_of (a), d = size_of (b);
  uint64_t whole = n / d, rest = n % d;
  if (whole >= (uint64_t) 1 << (63 - HKM_FIX_BITS))
    return saturated (negative);
  while (rest >= (uint64_t) 1 << (64 - HKM_FIX_BITS))
    rest >>= 1, d >>= 1; /* both so large that no bit of the answer is lost */
  uint64_t q = (whole << HKM_FIX_BITS) + (rest << HKM_FIX_BITS) / d;
  if (q > (uint64_t) HKM_FIX_MAX)
    return saturated (negative);
  return negative ? -(hkm_fix) q : (hkm_fix) q;
}

hkm_fix
hkm_fix_ratio (uint64_t a, uint64_t b)
{
  while ((a | b) > (uint64_t) HKM_FIX_MAX)
    a >>= 1, b >>= 1;
  return b == 0 ? 0 : hkm_fix_div ((hkm_fix) a, (hkm_fix) b);
}

/* The largest R with R * R <= N.  */
static uint64_t
whole_root (uint64_t n)
{
  uint64_t r = 0;
  for (uint64_t bit = (uint64_t) 1 << 62; bit != 0; bit >>= 2)
    {
      bool in = n >= r + bit;
      if (in)
        n -= r + bit;
      r = (r >> 1) + (in ? bit : 0);
    }
  return r;
}

hkm_fix
hkm_fix_sqrt (hkm_fix a)
{
  if (a <= 0)
    return 0;
  if (a < (hkm_fix) 1 << (63 - HKM_FIX_BITS))
    return (hkm_fix) whole_root ((uint64_t) a << HKM_FIX_BITS);
  return (hkm_fix) whole_root ((uint64_t) a) << (HKM_FIX_BITS / 2);
}

hkm_fix
hkm_fix_ln (hkm_fix a)
{
  if (a <= 0)
    a = 1;
  int top = 63 - __builtin_clzll ((unsigned long long) a);
  /* The mantissa, 1 to 2, of 30 bits; each squaring yields a bit of its
     logarithm to base 2.  */
  uint64_t m = top >= 30 ? (uint64_t) a >> (top - 30)
                         : (uint64_t) a << (30 - top);
  int64_t log2 = top - HKM_FIX_BITS;
  for (int i = 0; i < 30; i++)
    {
      m = m * m >> 30;
      log2 = log2 * 2 + (int64_t) (m >> 31);
      m >>= m >> 31;
    }
  /* Of 30 bits now, and at most 43 in size: halve before the product.  */
  return (log2 >> 5) * (LN2_30 >> 5) >> (60 - HKM_FIX_BITS - 10);
}

hkm_fix
hkm_fix_exp (hkm_fix a)
{
  if (a >= 30 * HKM_FIX_ONE)
    return HKM_FIX_MAX;
  if (a < -15 * HKM_FIX_ONE)
    return 0;
  /* 2 to the x, x = whole + f; the series of 2^f = e^(f ln 2).  */
  int64_t x = a * (LOG2E_30 >> 2) >> 18; /* of 30 bits */
  int whole = (int) (x >> 30);
  int64_t f = (x & (((int64_t) 1 << 30) - 1)) * LN2_30 >> 30;
  int64_t sum = (int64_t) 1 << 30;
  for (int k = 8; k >= 1; k--)
    sum = ((int64_t) 1 << 30) + (sum * f >> 30) / k;
  int shift = whole - 30 + HKM_FIX_BITS;
  return shift >= 0 ? sum << shift : sum >> -shift;
}
