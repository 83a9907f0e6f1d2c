/* Numbers with a fraction for the learners: 64 bits, 20 of them the fraction, so
   that a millionth and some 8e12 both fit.

   Not floating point: what runs inside malloc must leave the program's rounding
   mode, exception flags and vector registers alone, and the functions wanted
   (logarithm, root) are libm's, which the library does not link.  Everything
   here is pure, total and saturates instead of overflowing.  */
#ifndef HKM_LEARN_FIX_H
#define HKM_LEARN_FIX_H

#include "base/compiler.h"

typedef int64_t hkm_fix;

enum { HKM_FIX_BITS = 20 };
#define HKM_FIX_ONE ((hkm_fix) 1 << HKM_FIX_BITS)
#define HKM_FIX_MAX INT64_MAX
/* The constant N / D, rounded down.  */
#define HKM_FIX(n, d) ((hkm_fix) ((int64_t) (n) * HKM_FIX_ONE / (d)))

/* N, or the largest number there is.  */
HKM_INLINE hkm_fix
hkm_fix_of (uint64_t n)
{
  return n >= (uint64_t) (HKM_FIX_MAX >> HKM_FIX_BITS)
           ? HKM_FIX_MAX
           : (hkm_fix) n * HKM_FIX_ONE;
}

/* A rounded to the nearest whole number, halves upwards.  */
HKM_INLINE int64_t
hkm_fix_round (hkm_fix a)
{
  return (a >> HKM_FIX_BITS) + (a >> (HKM_FIX_BITS - 1) & 1);
}

HKM_INLINE hkm_fix
hkm_fix_clamp (hkm_fix a, hkm_fix least, hkm_fix most)
{
  return a < least ? least : a > most ? most : a;
}

hkm_fix hkm_fix_mul (hkm_fix a, hkm_fix b);
/* A / B; by zero: the largest number of A's sign, and 0 / 0 is 0.  */
hkm_fix hkm_fix_div (hkm_fix a, hkm_fix b);
/* The share A of B, both counts; 0 if B is.  */
hkm_fix hkm_fix_ratio (uint64_t a, uint64_t b);
/* Square root, to the last bit; of a negative number 0.  */
hkm_fix hkm_fix_sqrt (hkm_fix a);
/* Natural logarithm; of what has none the lowest, that of the smallest
   number.  */
hkm_fix hkm_fix_ln (hkm_fix a);
/* e to the A-th; relative error 4e-6 or one unit of the last place.  */
hkm_fix hkm_fix_exp (hkm_fix a);

#endif
