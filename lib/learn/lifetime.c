/* See lifetime.h.  */
#include "learn/lifetime.h"

enum { WEIGHT = 8 };

/* No single time moves a mean by more than half the distance that counts.  */
static hkm_fix
clamped (uint32_t ms)
{
  uint32_t most = HKM_LIFETIME_LONG_MS * WEIGHT / 2;
  return hkm_fix_of (ms < most ? ms : most);
}

/* MEAN, of COUNT times so far, after MS more.  The first few weigh alike.  */
static void
add (hkm_fix *mean, uint32_t *count, uint32_t ms)
{
  if (*count < WEIGHT)
    ++*count;
  *mean += (clamped (ms) - *mean) / (hkm_fix) *count;
}

void
hkm_lifetime_init (hkm_lifetime *l)
{
  *l = (hkm_lifetime) { .hint = HKM_LIFETIME_NONE };
}

void
hkm_lifetime_born (hkm_lifetime *l, uint32_t now)
{
  l->last = now;
}

/* A hint stays until the wait is clearly another: twice or half of what made
   it.  */
static enum hkm_lifetime_hint
hint_by_wait (const hkm_lifetime *l)
{
  hkm_fix most_short = hkm_fix_of (HKM_LIFETIME_SHORT_MS);
  hkm_fix least_long = hkm_fix_of (HKM_LIFETIME_LONG_MS);
  if (l->hint == HKM_LIFETIME_KEEP)
    most_short *= 2;
  if (l->hint == HKM_LIFETIME_DROP)
    least_long /= 2;
  return l->wait >= least_long   ? HKM_LIFETIME_DROP
         : l->wait <= most_short ? HKM_LIFETIME_KEEP
                                 : HKM_LIFETIME_NONE;
}

void
hkm_lifetime_died (hkm_lifetime *l, uint32_t life, uint32_t now)
{
  add (&l->life, &l->died, life);
  if (l->waits >= HKM_LIFETIME_WAITS)
    return;
  /* Nothing is known of waits yet.  A site that was silent for long is expected
     to stay so: its blocks come once.  */
  l->hint = l->life >= hkm_fix_of (HKM_LIFETIME_LONG_MS)
                    && now - l->last >= HKM_LIFETIME_LONG_MS
                ? HKM_LIFETIME_DROP
                : HKM_LIFETIME_NONE;
}

void
hkm_lifetime_waited (hkm_lifetime *l, uint32_t wait)
{
  add (&l->wait, &l->waits, wait);
  if (l->waits >= HKM_LIFETIME_WAITS)
    l->hint = hint_by_wait (l);
}
