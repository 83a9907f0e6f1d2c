/* learn/drift: rewards and histograms that stay, jump and creep.  */
#include "learn/drift.h"
#include "check.h"
#include "synthetic.h"

enum { ENOUGH = 95, CELLS = 64, EVENTS = 1000 };

static const hkm_drift_config config
  = { .calm = 12, .apart = 12, .volume = 10, .deviation = HKM_FIX (5, 100),
      .scale = HKM_FIX (1, 10), .slack = HKM_FIX (1, 1), .alarm = HKM_FIX (10, 1),
      .distance = HKM_FIX (15, 100) };

#define NOISE 0.03

/* A window of a program: rewards around MEAN, sizes that are even over the cells
   but for a share PEAK that falls into the first four.  */
static hkm_drift_reason
window (hkm_drift *d, double mean, double noise, double peak)
{
  uint32_t count[CELLS] = { 0 };
  for (int i = 0; i < EVENTS; i++)
    count[uniform () < peak ? chance () % 4 : chance () % CELLS]++;
  return hkm_drift_window (d, &config, EVENTS, fix (mean + noise * normal ()),
                           false, count, CELLS);
}

/* Learn until it converges, then stay so for WINDOWS; false: it did not.  */
static bool
settle (hkm_drift *d, double mean, int windows)
{
  memset (d, 0, sizeof *d);
  for (int i = 0; i < 40 && !d->frozen; i++)
    window (d, mean, NOISE, 0.2);
  for (int i = 0; i < windows; i++)
    window (d, mean, NOISE, 0.2);
  return d->frozen;
}

TEST (converges)
{
  int good = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      seed_chance (seed);
      hkm_drift d = { 0 };
      int at = 0;
      while (at < 100 && window (&d, 1, NOISE, 0.2) != HKM_DRIFT_CONVERGED)
        at++;
      good += d.frozen && at >= 11 && at <= 20;
    }
  CHECKF (good >= ENOUGH, "%d of %d", good, SEEDS);
  /* Not while rewards scatter, or decisions are kept.  */
  hkm_drift d = { 0 }, e = { 0 }, g = { 0 }, h = { 0 };
  for (int i = 0; i < 1000; i++)
    {
      CHECK (window (&d, 1, 0.2, 0.2) == HKM_DRIFT_NONE);
      CHECK (hkm_drift_window (&e, &config, 100, HKM_FIX_ONE, i % 12 == 11, NULL,
                               0)
             == HKM_DRIFT_NONE);
    }
  /* Rewards about zero, and below it: relative to the scale, to the size.  */
  for (int i = 0; i < 40; i++)
    {
      window (&g, 0, 0.002, 0.2);
      hkm_drift_window (&h, &config, 100, fix (-3 + 0.04 * normal ()), false,
                        NULL, 0);
    }
  CHECK (g.frozen && h.frozen);
}

static void
found (const char *what, double mean, double creep, double peak, int within,
       hkm_drift_reason reason)
{
  int good = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_drift d;
      seed_chance (seed);
      if (!settle (&d, 1, 12 + (int) (seed % 3) * 60))
        continue;
      hkm_drift_reason was = HKM_DRIFT_NONE;
      for (int i = 1; i <= within && was == HKM_DRIFT_NONE; i++)
        was = window (&d, mean + creep * i, NOISE, peak);
      good += was == reason && !d.frozen;
    }
  CHECKF (good >= ENOUGH, "%s: %d of %d", what, good, SEEDS);
}

TEST (shifts)
{
  found ("up", 1 + 3 * NOISE, 0, 0.2, 10, HKM_DRIFT_BETTER);
  found ("down", 1 - 3 * NOISE, 0, 0.2, 10, HKM_DRIFT_WORSE);
  found ("far", -1, 0, 0.2, 5, HKM_DRIFT_WORSE);
  found ("sizes", 1, 0, 0.6, 10, HKM_DRIFT_HISTOGRAM);
  found ("slowly up", 1, 0.01 * NOISE, 0.2, 300, HKM_DRIFT_BETTER);
  found ("slowly down", 1, -0.01 * NOISE, 0.2, 300, HKM_DRIFT_WORSE);
}

TEST (slow_sizes)
{
  int good = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_drift d;
      seed_chance (seed);
      settle (&d, 1, 20);
      hkm_drift_reason was = HKM_DRIFT_NONE;
      for (int i = 0; i < 500 && was == HKM_DRIFT_NONE; i++)
        was = window (&d, 1, NOISE, 0.2 + i * 0.001);
      good += was == HKM_DRIFT_HISTOGRAM;
    }
  CHECKF (good >= ENOUGH, "%d of %d", good, SEEDS);
}

TEST (no_false_alarm)
{
  int alarms = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_drift d;
      seed_chance (seed);
      alarms += !settle (&d, 1, 1000);
    }
  CHECKF (alarms <= SEEDS - ENOUGH, "%d of %d", alarms, SEEDS);
}

/* One window now and then, whatever it is, is no drift; and small windows, added
   up, are no other histogram.  */
TEST (outliers)
{
  int quiet = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_drift d;
      bool same = true;
      seed_chance (seed);
      settle (&d, 1, 64);
      for (int i = 0; i < 4; i++)
        {
          hkm_fix wild = i % 2 ? INT64_MIN : INT64_MAX;
          same = same
                 && hkm_drift_window (&d, &config, 99, wild, false, NULL, 0)
                      == HKM_DRIFT_NONE;
          for (int k = 0; k < 20; k++)
            same = same && window (&d, 1, NOISE, 0.2) == HKM_DRIFT_NONE;
        }
      quiet += same;
    }
  CHECKF (quiet >= ENOUGH, "%d of %d", quiet, SEEDS);
  hkm_drift d;
  seed_chance (7);
  settle (&d, 1, 64);
  for (int i = 0; i < 3000; i++)
    {
      uint32_t one[CELLS] = { 0 };
      one[uniform () < 0.2 ? chance () % 4 : chance () % CELLS] = 5;
      one[uniform () < 0.2 ? chance () % 4 : chance () % CELLS] += 5;
      hkm_drift_window (&d, &config, 10, d.mean, false, one, CELLS);
      CHECK (d.frozen && hkm_drift_distance (&d) < config.distance);
    }
}

TEST (idle)
{
  for (int frozen = 0; frozen < 2; frozen++)
    {
      hkm_drift d = { 0 };
      seed_chance (3);
      if (frozen)
        CHECK (settle (&d, 1, 20));
      else
        for (int i = 0; i < 5; i++)
          window (&d, 1, NOISE, 0.2);
      hkm_drift was = d;
      hkm_drift_config all = config;
      all.volume = 0;
      uint32_t count[CELLS] = { 9 };
      for (int i = 0; i < 1000; i++)
        {
          hkm_drift_window (&d, &config, 0, 0, true, count, CELLS);
          hkm_drift_window (&d, &all, 0, 0, true, count, CELLS);
          hkm_drift_window (&d, &config, 9, -HKM_FIX_ONE, false, NULL, 0);
        }
      CHECK (memcmp (&d, &was, sizeof d) == 0);
    }
}

/* A change asked for too early comes when it may, not before.  */
TEST (apart)
{
  hkm_drift d;
  seed_chance (1);
  CHECK (settle (&d, 1, 0));
  for (int i = 1; i < 12; i++)
    CHECK (window (&d, i < 9 ? 2 : 1, NOISE, 0.2) == HKM_DRIFT_NONE);
  CHECK (window (&d, 1, NOISE, 0.2) == HKM_DRIFT_BETTER);
}

TEST (learns_a_while)
{
  hkm_drift d = { 0 };
  hkm_drift_config quick = config;
  quick.calm = 3;
  quick.apart = 20;
  for (int i = 1; i <= 20; i++)
    CHECK (hkm_drift_window (&d, &quick, 100, HKM_FIX_ONE, false, NULL, 0)
           == (i < 20 ? HKM_DRIFT_NONE : HKM_DRIFT_CONVERGED));
}

/* What it converges to the second time is what counts then.  */
TEST (again)
{
  hkm_drift d;
  seed_chance (1);
  CHECK (settle (&d, 1, 60));
  int changes = 0;
  for (int i = 0; i < 300; i++)
    changes += window (&d, 1, NOISE, 0.7) != HKM_DRIFT_NONE;
  CHECK (changes == 2 && d.frozen && hkm_drift_distance (&d) < config.distance);
  for (int i = 0; i < 300; i++)
    changes += window (&d, 2, NOISE, 0.7) != HKM_DRIFT_NONE;
  CHECKF (changes == 4 && d.frozen, "%d changes", changes);
  /* Nor are sums that grew while no change was allowed.  */
  CHECK (settle (&d, 1, 0));
  changes = 0;
  for (int i = 0; i < 300; i++)
    changes += window (&d, 2, NOISE, 0.2) != HKM_DRIFT_NONE;
  CHECKF (changes == 2 && d.frozen, "%d changes", changes);
}

/* Rewards that never differ; then, by less than a hundredth.  */
TEST (constant)
{
  hkm_drift d = { 0 };
  for (int i = 0; i < 12; i++)
    hkm_drift_window (&d, &config, 100, HKM_FIX_ONE, false, NULL, 0);
  CHECK (!d.frozen);
  hkm_drift_window (&d, &config, 100, HKM_FIX_ONE, false, NULL, 0);
  CHECK (d.frozen);
  for (int i = 0; i < 1000; i++)
    CHECK (hkm_drift_window (&d, &config, 100, fix (1.008), false, NULL, 0)
           == HKM_DRIFT_NONE);
  int at = 1;
  while (at < 20
         && hkm_drift_window (&d, &config, 100, fix (1.1), false, NULL, 0)
              != HKM_DRIFT_BETTER)
    at++;
  CHECKF (at <= 10, "%d windows", at);
}

/* A day of contradictions: defined, and no flapping.  */
TEST (day)
{
  hkm_drift d = { 0 }, e = { 0 };
  static const hkm_drift_config odd
    = { 0, 0, 0, INT64_MAX, INT64_MIN, INT64_MIN, INT64_MAX, INT64_MIN };
  int last = -12, changes = 0;
  seed_chance (1);
  for (int i = 0; i < 86400; i++)
    {
      static const hkm_fix value[] = { 0, 1, INT64_MIN, INT64_MAX, -HKM_FIX_ONE };
      hkm_fix reward = i < 20000 ? (i / 40 % 2 ? HKM_FIX_ONE : -HKM_FIX_ONE)
                       : i < 40000 ? value[2 + i % 2]
                                   : value[chance () % 5];
      uint32_t count[CELLS] = { 0 };
      for (int k = 0; k < CELLS; k++)
        count[k] = chance () % 4 ? (uint32_t) chance () : UINT32_MAX;
      if (hkm_drift_window (&d, &config, i % 5 ? UINT64_MAX : 0, reward, false,
                            count, CELLS))
        {
          CHECKF (i - last >= 12, "%d after %d", i, last);
          last = i;
          changes++;
        }
      hkm_drift_window (&e, &odd, chance (), reward, i % 2,
                        i % 3 ? count : NULL, (unsigned) (i % 100));
    }
  CHECK (changes > 10);
}

int
main (void)
{
  RUN (converges);
  RUN (shifts);
  RUN (slow_sizes);
  RUN (no_false_alarm);
  RUN (outliers);
  RUN (idle);
  RUN (apart);
  RUN (learns_a_while);
  RUN (again);
  RUN (constant);
  RUN (day);
  return check_done ();
}
