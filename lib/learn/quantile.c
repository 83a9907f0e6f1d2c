/* P2: five markers.  */
#include "learn/quantile.h"

enum { COUNT_MAX = 1 << 20 };

void
hkm_quantile_init (hkm_quantile *p, hkm_fix share)
{
  *p = (hkm_quantile) { .share = hkm_fix_clamp (share, 0, HKM_FIX_ONE) };
}

static void
keep_first (hkm_quantile *p, hkm_fix value)
{
  unsigned i = p->count++;
  for (; i > 0 && p->height[i - 1] > value; i--)
    p->height[i] = p->height[i - 1];
  p->height[i] = value;
  p->rank[p->count - 1] = p->count;
}

/* Halve the ranks, and keep them apart.  */
static void
halve (hkm_quantile *p)
{
  for (unsigned i = 1; i < 5; i++)
    {
      p->rank[i] /= 2;
      if (p->rank[i] <= p->rank[i - 1])
        p->rank[i] = p->rank[i - 1] + 1;
    }
  p->count = p->rank[4];
}

/* How far the height of marker I changes when its rank does by one, UP or
   down; there is room for it.  Slopes are per rank, and not negative; so both
   terms are parts of a mean of them, and cannot overflow.  */
static hkm_fix
step (const hkm_quantile *p, unsigned i, bool up)
{
  const hkm_fix *h = p->height;
  uint32_t below = p->rank[i] - p->rank[i - 1];
  uint32_t above = p->rank[i + 1] - p->rank[i], all = below + above;
  hkm_fix low = (h[i] - h[i - 1]) / below, high = (h[i + 1] - h[i]) / above;
  hkm_fix change
    = hkm_fix_mul (high, hkm_fix_ratio (up ? below + 1 : below - 1, all))
      + hkm_fix_mul (low, hkm_fix_ratio (up ? above - 1 : above + 1, all));
  hkm_fix room = up ? h[i + 1] - h[i] : h[i] - h[i - 1];
  return change < room ? change : up ? high : low;
}

HKM_COLD void
hkm_quantile_add (hkm_quantile *p, uint64_t value)
{
  hkm_fix v = hkm_fix_of (value);
  if (p->count < 5)
    {
      keep_first (p, v);
      return;
    }
  if (p->count >= COUNT_MAX)
    halve (p);
  p->count++;
  if (v < p->height[0])
    p->height[0] = v;
  if (v > p->height[4])
    p->height[4] = v;
  for (unsigned i = 1; i < 4; i++)
    p->rank[i] += v < p->height[i];
  p->rank[4] = p->count;

  /* Where the markers should stand: at 0, share / 2, share, (1 + share) / 2, 1
     of the way.  */
  hkm_fix way = (hkm_fix) (p->count - 1) * p->share;
  hkm_fix end = hkm_fix_of (p->count - 1);
  const hkm_fix wanted[] = { 0, way / 2, way, way / 2 + end / 2 };
  for (unsigned i = 1; i < 4; i++)
    {
      hkm_fix off = wanted[i] + HKM_FIX_ONE - hkm_fix_of (p->rank[i]);
      if (off >= HKM_FIX_ONE && p->rank[i + 1] - p->rank[i] > 1)
        p->height[i] += step (p, i, true), p->rank[i]++;
      else if (off <= -HKM_FIX_ONE && p->rank[i] - p->rank[i - 1] > 1)
        p->height[i] -= step (p, i, false), p->rank[i]--;
    }
}

hkm_fix
hkm_quantile_value (const hkm_quantile *p)
{
  if (p->count == 0 || p->count > 5)
    return p->height[p->share == 0 ? 0 : p->share == HKM_FIX_ONE ? 4 : 2];
  hkm_fix rank = p->share * p->count;
  return p->height[rank == 0 ? 0 : (rank - 1) >> HKM_FIX_BITS];
}
