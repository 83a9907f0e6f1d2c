/* See cap.h.  */
#include "learn/cap.h"

enum
{
  PATIENCE = 8,  /* steps of growth that must bring eps */
  STUCK = 32,    /* windows of growth refused until the cap is doubted */
  REST = 128,    /* windows that a lowered aim holds */
  WAIT_MOST = 15 /* windows; less than a cap has to converge */
};

static hkm_fix
share (hkm_fix a)
{
  return hkm_fix_clamp (a, 0, HKM_FIX_ONE);
}

static uint64_t
least (uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

void
hkm_cap_init (hkm_cap *c, const hkm_cap_config *f, uint32_t blocks)
{
  *c = (hkm_cap) { .aim = share (f->target), .anchor = HKM_FIX_MAX };
  c->cap = hkm_fix_clamp (hkm_fix_of (blocks), hkm_fix_of (f->min),
                          hkm_fix_of (f->max));
  c->before = hkm_cap_blocks (c);
}

static void
lower_aim (hkm_cap *c, const hkm_cap_config *f)
{
  c->aim = c->smooth - 2 * share (f->eps);
  c->rest = REST;
  c->integral = 0;
}

static void
revise_aim (hkm_cap *c, const hkm_cap_config *f, hkm_fix hit)
{
  hkm_fix eps = share (f->eps), target = share (f->target);
  if (c->aim < target
      && (--c->rest == 0 || c->smooth >= target - eps
          || hit < c->aim - 2 * eps))
    {
      c->aim = target;
      c->anchor = HKM_FIX_MAX;
      c->integral = 0;
    }
}

/* The class wanted more in this window: lower the aim if that is no use.  What
   has become clearly worse has not become so by growth: begin anew.  */
static void
judge_growth (hkm_cap *c, const hkm_cap_config *f, hkm_fix hit, bool refused)
{
  if (c->anchor == HKM_FIX_MAX || c->smooth < c->peak - 3 * share (f->eps))
    {
      c->anchor = c->peak = c->smooth;
      c->anchor_cap = c->before;
    }
  c->anchor = c->smooth < c->anchor ? c->smooth : c->anchor;
  uint64_t now = hkm_cap_blocks (c), patience = (uint64_t) PATIENCE * f->step;
  uint64_t grown = now > c->anchor_cap ? now - c->anchor_cap : 0;
  hkm_fix due = hkm_fix_mul (share (f->eps), hkm_fix_ratio (grown, patience));
  c->stuck = (uint8_t) (c->stuck + (refused && c->stuck <= STUCK));
  /* The mean lags behind: neither it nor this window may show a gain.  */
  hkm_fix gain = (c->smooth > hit ? c->smooth : hit) - c->anchor;
  if ((grown > 0 && grown >= patience && gain < due)
      || (refused && c->stuck == STUCK))
    lower_aim (c, f);
}

/* ---- the controller ---- */

/* The move in steps, -1..1.  */
static hkm_fix
output (hkm_cap *c, const hkm_cap_config *f, hkm_fix error)
{
  if ((error < 0) != (c->integral < 0))
    c->integral = 0;
  hkm_fix sum = c->integral + error;
  hkm_fix u = hkm_fix_clamp (hkm_fix_mul (f->kp, error), -HKM_FIX_ONE,
                             HKM_FIX_ONE)
              + hkm_fix_clamp (hkm_fix_mul (f->ki, sum), -HKM_FIX_ONE,
                               HKM_FIX_ONE);
  if (u > -HKM_FIX_ONE && u < HKM_FIX_ONE)
    c->integral = sum;
  hkm_fix slowest = c->aim < share (f->target) ? HKM_FIX_ONE / 4 : HKM_FIX_ONE;
  return hkm_fix_clamp (u, -slowest, HKM_FIX_ONE);
}

/* Move by U steps, but not past where a hit rate proportional to the cap would
   meet the aim, nor the limits.  */
static void
move (hkm_cap *c, const hkm_cap_config *f, hkm_fix hit, hkm_fix u)
{
  hkm_fix to = c->cap + u * (hkm_fix) f->step;
  hkm_fix model = hkm_fix_mul (hkm_fix_of (c->before), hkm_fix_div (c->aim, hit));
  /* Whole blocks, upwards.  */
  hkm_fix bound = hkm_fix_clamp (model, 0, hkm_fix_of (UINT32_MAX));
  bound = (bound + HKM_FIX_ONE - 1) & ~(HKM_FIX_ONE - 1);
  if (u > 0 && hit > 0 && c->before > 0 && to > bound)
    to = bound;
  else if (u < 0 && hit > 0 && to < bound)
    to = bound < c->cap ? bound : c->cap;
  c->cap = hkm_fix_clamp (to, hkm_fix_of (f->min), hkm_fix_of (f->max));
}

static void
decide (hkm_cap *c, const hkm_cap_config *f, hkm_fix hit)
{
  bool refused = c->before <= c->last;
  hkm_fix error = c->aim - hit, mean = c->aim - c->smooth, eps = share (f->eps);
  bool under = error > eps && (mean > eps || error > 4 * eps);
  c->over = error < -eps && (mean < -eps || error < -4 * eps);
  c->last = c->before;
  c->peak = c->smooth > c->peak ? c->smooth : c->peak;
  if (c->shrank)
    c->wait = c->backoff
      = error > eps ? (uint8_t) least (2u * c->backoff + 1, WAIT_MOST) : 0;
  c->shrank = false;
  if (under)
    {
      move (c, f, hit, output (c, f, error));
      judge_growth (c, f, hit, refused);
      return;
    }
  if (c->aim == share (f->target))
    {
      c->stuck = 0;
      if (c->over)
        c->anchor = HKM_FIX_MAX;
    }
  if (!c->over)
    c->integral = 0;
  else if (c->wait > 0)
    c->wait--;
  else
    {
      move (c, f, hit, output (c, f, error));
      c->shrank = hkm_cap_blocks (c) < c->before;
    }
}

HKM_COLD void
hkm_cap_window (hkm_cap *c, const hkm_cap_config *f, uint64_t hits,
                uint64_t misses)
{
  c->before = hkm_cap_blocks (c);
  if (hits == 0 && misses == 0)
    return;
  c->hits = least (c->hits + least (hits, INT64_MAX), INT64_MAX);
  c->misses = least (c->misses + least (misses, INT64_MAX), INT64_MAX);
  uint64_t n = c->hits + c->misses;
  hkm_fix hit = hkm_fix_ratio (c->hits, n), target = share (f->target);
  hkm_fix variance = hkm_fix_mul (target, HKM_FIX_ONE - target);
  hkm_fix doubt = 2 * hkm_fix_sqrt (hkm_fix_div (variance, hkm_fix_of (n)));
  hkm_fix error = c->aim - hit;
  if (doubt > share (f->eps) && error <= doubt && error >= -doubt)
    return;
  c->hits = c->misses = 0;
  c->smooth = c->known ? c->smooth + (hit - c->smooth) / 4 : hit;
  c->known = true;
  revise_aim (c, f, hit);
  decide (c, f, hit);
}

/* ---- several classes ---- */

/* The class to take from that has more than its FLOOR; N: none.  */
static unsigned
poorest (const hkm_cap *c, unsigned n, const uint32_t *floor)
{
  unsigned best = n;
  for (unsigned i = 0; i < n; i++)
    if (hkm_cap_blocks (&c[i]) > floor[i]
        && (best == n
            || (c[i].over != c[best].over ? c[i].over
                                          : c[i].demand < c[best].demand)))
      best = i;
  return best;
}

/* Take what is over BUDGET of SUM, down to FLOOR; what the sum is then.  */
static uint64_t
take (hkm_cap *c, unsigned n, const uint32_t *floor, uint64_t sum,
      uint64_t budget)
{
  unsigned i;
  while (sum > budget && (i = poorest (c, n, floor)) < n)
    {
      uint32_t had = hkm_cap_blocks (&c[i]);
      uint64_t less = least (sum - budget, had - floor[i]);
      c[i].cap = hkm_fix_of (had - less);
      c[i].integral = 0;
      sum -= less;
    }
  return sum;
}

/* The class of most demand keeps that name until another has a quarter more.  */
static void
give (hkm_cap *c, unsigned n, const hkm_cap_config *f, uint64_t spare)
{
  unsigned best = n;
  uint64_t most = 0;
  for (unsigned i = 0; i < n; i++)
    {
      uint64_t demand = c[i].demand + (c[i].most ? c[i].demand / 4 : 0);
      c[i].most = false;
      if (demand > most && c[i].aim == share (f->target))
        most = demand, best = i;
    }
  if (best == n)
    return;
  c[best].most = true;
  uint64_t had = hkm_cap_blocks (&c[best]);
  uint64_t to = least (c[best].before + (uint64_t) f->step, f->max);
  to = least (to, had + spare);
  if (to > had)
    c[best].cap = hkm_fix_of (to);
}

HKM_COLD void
hkm_caps_balance (hkm_cap *c, unsigned n, const hkm_cap_config *f,
                  uint64_t budget, const uint64_t *demand, bool water_filling)
{
  uint32_t floor[HKM_CAPS], min[HKM_CAPS];
  uint64_t sum = 0, wanted = 0;
  n = n < HKM_CAPS ? n : HKM_CAPS;
  for (unsigned i = 0; i < n; i++)
    {
      sum += hkm_cap_blocks (&c[i]);
      wanted |= demand[i];
      uint32_t step_down = c[i].before > f->step ? c[i].before - f->step : 0;
      floor[i] = step_down > f->min ? step_down : f->min;
      min[i] = f->min;
    }
  for (unsigned i = 0; wanted != 0 && i < n; i++)
    c[i].demand += least (demand[i], UINT32_MAX) - c[i].demand / 8;
  sum = take (c, n, floor, sum, budget);
  sum = take (c, n, min, sum, budget);
  if (water_filling && wanted != 0 && sum < budget)
    give (c, n, f, budget - sum);
}
