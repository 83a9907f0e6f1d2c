/* learn/lifetime: hints from lives and waits, whatever the numbers.  */
#include "check.h"
#include "learn/lifetime.h"

#include <stdint.h>

enum { LONG = HKM_LIFETIME_LONG_MS, SEEDS = 100 };

static uint64_t random_state;

static uint32_t
draw (uint32_t below)
{
  random_state += 0x9e3779b97f4a7c15u;
  uint64_t x = random_state;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return (uint32_t) ((x ^ x >> 31) >> 32) % below;
}

static hkm_lifetime
fresh (void)
{
  hkm_lifetime l;
  memset (&l, 0x5a, sizeof l);
  hkm_lifetime_init (&l);
  return l;
}

TEST (no_hint_of_nothing)
{
  hkm_lifetime l = fresh ();
  CHECK (l.hint == HKM_LIFETIME_NONE);
  hkm_lifetime_born (&l, 5);
  CHECK (l.hint == HKM_LIFETIME_NONE);
  hkm_lifetime_waited (&l, 0);
  CHECK (l.hint == HKM_LIFETIME_NONE); /* one wait says nothing */
  hkm_lifetime_waited (&l, 0);
  CHECK (l.hint == HKM_LIFETIME_KEEP);
  l = fresh ();
  hkm_lifetime_waited (&l, UINT32_MAX);
  CHECK (l.hint == HKM_LIFETIME_NONE);
  hkm_lifetime_waited (&l, UINT32_MAX);
  CHECK (l.hint == HKM_LIFETIME_DROP);
}

/* A block that comes once goes at its first free; one that was followed by
   others, or did not live long, does not.  */
TEST (comes_once)
{
  hkm_lifetime l = fresh ();
  hkm_lifetime_born (&l, UINT32_MAX - 10); /* the clock's number wraps */
  hkm_lifetime_died (&l, LONG, LONG - 11);
  CHECK (l.hint == HKM_LIFETIME_DROP);
  l = fresh ();
  hkm_lifetime_born (&l, 0);
  hkm_lifetime_died (&l, LONG - 1, LONG - 1);
  CHECK (l.hint == HKM_LIFETIME_NONE);
  l = fresh ();
  hkm_lifetime_born (&l, 0);
  hkm_lifetime_born (&l, LONG);
  hkm_lifetime_died (&l, 2 * LONG - 1, 2 * LONG - 1);
  CHECK (l.hint == HKM_LIFETIME_NONE);
  /* Freed at once, long after the site's last sampled request.  */
  l = fresh ();
  hkm_lifetime_died (&l, 3, 10 * LONG);
  CHECK (l.hint == HKM_LIFETIME_NONE);
}

/* Once waits are known, lives say nothing any more.  */
TEST (waits_decide)
{
  hkm_lifetime l = fresh ();
  for (int i = 0; i < 10; i++)
    {
      hkm_lifetime_waited (&l, 1);
      hkm_lifetime_died (&l, 100 * LONG, 200 * LONG);
    }
  CHECK (l.hint == HKM_LIFETIME_KEEP);
  for (int i = 0; i < 30; i++)
    {
      hkm_lifetime_waited (&l, 2 * LONG);
      hkm_lifetime_died (&l, 0, 0);
    }
  CHECK (l.hint == HKM_LIFETIME_DROP);
}

/* Waits about a mean far from the bounds, each up to twice or down to nothing:
   in all but 5 of 100 seeds the hint is right throughout, after 20.  */
TEST (seeds)
{
  static const struct { uint32_t mean; enum hkm_lifetime_hint hint; } is[] = {
    { 8 * LONG, HKM_LIFETIME_DROP }, { 4 * LONG, HKM_LIFETIME_DROP },
    { 1, HKM_LIFETIME_KEEP }, { LONG / 16, HKM_LIFETIME_KEEP },
    { LONG / 3, HKM_LIFETIME_NONE },
  };
  for (size_t k = 0; k < sizeof is / sizeof *is; k++)
    {
      int good = 0;
      for (uint64_t seed = 1; seed <= SEEDS; seed++)
        {
          hkm_lifetime l = fresh ();
          bool right = true;
          random_state = seed;
          for (int i = 0; i < 1000; i++)
            {
              hkm_lifetime_waited (&l, draw (2 * is[k].mean + 1));
              right = right && (i < 20 || l.hint == is[k].hint);
            }
          good += right;
        }
      CHECKF (good >= 95, "mean %u: %d of 100", (unsigned) is[k].mean, good);
    }
}

/* One long pause among short waits changes nothing; a new habit is found
   within 32, and on the way the hint is that of neither at most.  */
TEST (outlier_and_shift)
{
  for (int back = 0; back < 2; back++)
    {
      hkm_lifetime l = fresh ();
      uint32_t before = back ? 4 * LONG : 1, after = back ? 1 : 4 * LONG;
      enum hkm_lifetime_hint was, last, to
          = back ? HKM_LIFETIME_KEEP : HKM_LIFETIME_DROP;
      int changes = 0, when = 0;
      for (int i = 0; i < 100; i++)
        hkm_lifetime_waited (&l, before);
      was = last = l.hint;
      CHECK (was != to && was != HKM_LIFETIME_NONE);
      if (!back)
        {
          hkm_lifetime_waited (&l, UINT32_MAX);
          CHECK (l.hint != to);
          for (int i = 0; i < 100; i++)
            hkm_lifetime_waited (&l, before);
          CHECK (l.hint == was);
        }
      for (int i = 1; i <= 100; i++)
        {
          hkm_lifetime_waited (&l, after);
          changes += l.hint != last;
          last = l.hint;
          when = when == 0 && l.hint == to ? i : when;
        }
      CHECK (last == to && changes <= 2);
      CHECKF (when > 0 && when <= 32, "after %d", when);
    }
}

/* What lies at a bound does not flap.  */
TEST (no_flapping)
{
  static const uint32_t at[]
      = { LONG, LONG - 1, LONG / 2, HKM_LIFETIME_SHORT_MS,
          HKM_LIFETIME_SHORT_MS + 1, 2 * HKM_LIFETIME_SHORT_MS };
  for (size_t k = 0; k < sizeof at / sizeof *at; k++)
    {
      hkm_lifetime l = fresh ();
      enum hkm_lifetime_hint last;
      int changes = 0;
      for (int i = 0; i < 50; i++)
        hkm_lifetime_waited (&l, at[k]);
      last = l.hint;
      for (int i = 0; i < 5000; i++)
        {
          hkm_lifetime_waited (&l, at[k] + (i % 2 ? at[k] / 8 : 0)
                                       - (i % 2 ? 0 : at[k] / 8));
          changes += l.hint != last;
          last = l.hint;
        }
      CHECKF (changes <= 1, "%u: %d changes", (unsigned) at[k], changes);
    }
}

/* Anything at all: the numbers stay in their ranges.  */
TEST (anything)
{
  static const uint32_t some[]
      = { 0, 1, LONG, INT32_MAX, (uint32_t) INT32_MAX + 1, UINT32_MAX };
  hkm_lifetime l = fresh ();
  hkm_fix most = hkm_fix_of (4 * LONG);
  random_state = 7;
  for (int i = 0; i < 3000000; i++)
    {
      uint32_t a = draw (2) ? some[draw (6)] : draw (4 * LONG);
      uint32_t b = draw (2) ? some[draw (6)] : draw (4 * LONG);
      switch (draw (3))
        {
        case 0: hkm_lifetime_born (&l, a); break;
        case 1: hkm_lifetime_died (&l, a, b); break;
        default: hkm_lifetime_waited (&l, a); break;
        }
      if (l.life < 0 || l.life > most || l.wait < 0 || l.wait > most
          || l.died > 8 || l.waits > 8 || l.hint > HKM_LIFETIME_DROP)
        CHECKF (false, "step %d", i);
    }
}

int
main (void)
{
  RUN (no_hint_of_nothing);
  RUN (comes_once);
  RUN (waits_decide);
  RUN (seeds);
  RUN (outlier_and_shift);
  RUN (no_flapping);
  RUN (anything);
  return check_done ();
}
