/* learn/canary: changes of known effect, and the edges.  */
#include "learn/canary.h"
#include "synthetic.h"

/* What a window shows: means, and noises (standard deviations).  */
typedef struct
{
  double reward, hit, faults, p99;
} effect;

static const effect base = { 10, 0.7, 1000, 20000 };
static const effect noise = { 0.5, 0.01, 60, 1500 };

/* A window of BASE changed by so many NOISEs, higher being more.  */
static hkm_canary_window
window (effect by)
{
  return (hkm_canary_window) {
    { noisy (base.reward + by.reward * noise.reward, noise.reward),
      noisy (base.hit + by.hit * noise.hit, noise.hit),
      noisy (base.faults + by.faults * noise.faults, noise.faults),
      noisy (base.p99 + by.p99 * noise.p99, noise.p99) },
    1000
  };
}

static const hkm_canary_window idle = { .volume = 63 };

/* A canary that has seen WINDOWS of the baseline.  */
static hkm_canary
baseline (int windows)
{
  hkm_canary c;
  hkm_canary_init (&c, &hkm_canary_default);
  while (windows-- > 0)
    {
      hkm_canary_window w = window ((effect) { 0 });
      CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_NONE);
    }
  return c;
}

/* A trial of a change BY so much; every other window is idle if IDLES.  */
static hkm_canary_verdict
try (hkm_canary *c, effect by, bool idles)
{
  if (!CHECK (hkm_canary_begin (c)))
    return HKM_CANARY_NONE;
  for (int i = 1;; i++)
    {
      hkm_canary_window w = window (by);
      hkm_canary_verdict v = hkm_canary_add (c, idles && i % 2 ? &idle : &w);
      if (v != HKM_CANARY_NONE)
        return v;
      CHECK (c->running && i < (idles ? 8 : 4));
    }
}

static bool
kept (effect by, int seen)
{
  hkm_canary c = baseline (seen);
  return try (&c, by, false) == HKM_CANARY_KEEP;
}

#define BACK(...) (!kept ((effect) { __VA_ARGS__ }, 16))

/* Within the dwell, as `try' checks.  */
TEST (harmful_rolled_back)
{
  CHECK_SEEDS (100, BACK (.reward = -1));
  CHECK_SEEDS (100, BACK (.reward = -3));
  CHECK_SEEDS (100, BACK (.reward = -20));
  /* Though the reward says otherwise.  */
  CHECK_SEEDS (100, BACK (.reward = 3, .hit = -6));
  CHECK_SEEDS (100, BACK (.reward = 3, .faults = 6));
  CHECK_SEEDS (100, BACK (.reward = 3, .p99 = 8));
  CHECK_SEEDS (100, BACK (.reward = 5, .hit = -50));
}

TEST (neutral_rolled_back)
{
  CHECK_SEEDS (95, BACK (0));
  CHECK_SEEDS (95, !kept ((effect) { 0 }, 8));
  CHECK_SEEDS (95, !kept ((effect) { 0 }, 100));
}

TEST (better_kept)
{
  CHECK_SEEDS (95, kept ((effect) { .reward = 3 }, 16));
  CHECK_SEEDS (95, kept ((effect) { .reward = 3 }, 100));
  CHECK_SEEDS (95, kept ((effect) { .reward = 3, .hit = 5, .faults = -5,
                                    .p99 = -5 }, 16));
  /* A little worse in something, within its tolerance.  */
  CHECK_SEEDS (95, kept ((effect) { .reward = 3, .faults = 0.5 }, 16));
}

/* A trial of a change that brings GAIN noises to a level, which rose by RISE of
   them in each of 16 windows and has stayed for eight.  */
static hkm_canary_verdict
after_a_rise (double rise, double gain)
{
  hkm_canary_config config = hkm_canary_default;
  hkm_canary c;
  config.level = true;
  hkm_canary_init (&c, &config);
  for (int i = 0;; i++)
    {
      if (i == 24)
        CHECK (hkm_canary_begin (&c));
      hkm_canary_window w = window ((effect) {
          .reward = i < 16 ? rise * (i - 16) : i < 24 ? 0 : gain });
      hkm_canary_verdict v = hkm_canary_add (&c, &w);
      if (v != HKM_CANARY_NONE)
        return v;
      CHECK (i < 40);
    }
}

/* What it rose by before is neither noise nor the change's merit.  */
TEST (level_may_rise)
{
  for (int rise = 0; rise <= 1; rise++)
    {
      CHECK_SEEDS (95, after_a_rise (rise, 3) == HKM_CANARY_KEEP);
      CHECK_SEEDS (95, after_a_rise (rise, 0) == HKM_CANARY_ROLL_BACK);
      CHECK_SEEDS (95, after_a_rise (rise, -3) == HKM_CANARY_ROLL_BACK);
    }
}

/* One trial after another on one baseline: the share that is kept of neutral
   ones, and of good ones, each undone again.  */
TEST (again_and_again)
{
  int neutral = 0, good = 0;
  seed_chance (1);
  hkm_canary c = baseline (16);
  for (int i = 0; i < 2000; i++)
    {
      bool better = i % 2;
      bool keep = try (&c, (effect) { .reward = 3 * better }, i % 4 > 1)
                  == HKM_CANARY_KEEP;
      if (better)
        good += keep;
      else
        neutral += keep;
      CHECK (!hkm_canary_begin (&c));
      int again = 0;
      for (; !hkm_canary_begin (&c); again++)
        {
          hkm_canary_window w = window ((effect) { 0 });
          hkm_canary_add (&c, &w);
        }
      CHECK (again == (keep ? 8 : 2));
      c.running = false; /* `try' begins it */
    }
  printf ("# of 1000: kept %d neutral, %d good\n", neutral, good);
  CHECKF (neutral <= 50 && good >= 950, "%d %d", neutral, good);
}

/* A baseline of N windows that do not vary.  */
static hkm_canary
still (int n, hkm_fix reward)
{
  hkm_canary c;
  hkm_canary_window w = { { reward, 0, 0, 0 }, 64 };
  hkm_canary_init (&c, &hkm_canary_default);
  while (n-- > 0)
    hkm_canary_add (&c, &w);
  return c;
}

/* Exactly what each tolerance allows, and one more; in one window far beyond.
   */
TEST (tolerances)
{
  static const struct
  {
    hkm_canary_measure m;
    hkm_fix base, worst, far;
  } rows[] = {
    { HKM_CANARY_REWARD, 5, 5, 4 },
    { HKM_CANARY_HIT, HKM_FIX (1, 2), HKM_FIX (1, 2) - HKM_FIX (2, 100),
      HKM_FIX (1, 2) - 5 * HKM_FIX (2, 100) },
    { HKM_CANARY_FAULTS, 0, HKM_FIX (16, 1), HKM_FIX (65, 1) },
    { HKM_CANARY_FAULTS, HKM_FIX (1000, 1), HKM_FIX (1000, 1)
      + 1000 * HKM_FIX (1, 10), HKM_FIX (1401, 1) },
    { HKM_CANARY_P99, 0, HKM_FIX (1000, 1), HKM_FIX (4001, 1) },
    { HKM_CANARY_P99, HKM_FIX (100000, 1), HKM_FIX (100000, 1)
      + 100000 * HKM_FIX (1, 5), HKM_FIX (180001, 1) },
  };
  for (unsigned r = 0; r < sizeof rows / sizeof *rows; r++)
    for (int step = 0; step < 4; step++)
      {
        hkm_canary c;
        hkm_canary_window w = { .volume = 64 };
        hkm_canary_init (&c, &hkm_canary_default);
        w.measure[rows[r].m] = rows[r].base;
        for (int i = 0; i < 8; i++)
          hkm_canary_add (&c, &w);
        CHECK (hkm_canary_begin (&c));
        int down = rows[r].m <= HKM_CANARY_HIT ? -1 : 1;
        bool reward = rows[r].m == HKM_CANARY_REWARD;
        w.measure[HKM_CANARY_REWARD]++;
        hkm_fix base = rows[r].base, worst = rows[r].worst;
        w.measure[rows[r].m] = step == 2   ? rows[r].far
                               : step == 3 ? base + 4 * (worst - base)
                                           : worst + step * down;
        if (reward)
          w.measure[rows[r].m] = worst + 1 - step;
        hkm_canary_verdict v = HKM_CANARY_NONE;
        int n = 0;
        for (; v == HKM_CANARY_NONE; n++)
          v = hkm_canary_add (&c, &w);
        CHECKF (v == (step ? HKM_CANARY_ROLL_BACK : HKM_CANARY_KEEP),
                "row %u step %d", r, step);
        CHECKF (c.culprit == rows[r].m || !step, "row %u step %d", r, step);
        if (!reward)
          {
            CHECKF (n == (step == 2 ? 1 : 4), "row %u step %d: %d", r, step,
                    n);
            CHECK (c.reason == (step == 0   ? HKM_CANARY_BETTER
                                : step == 2 ? HKM_CANARY_HARMFUL
                                            : HKM_CANARY_WORSE));
          }
      }
}

/* What the log shows.  */
TEST (reasons)
{
  hkm_canary_window w = { { 10, 0, 0, 0 }, 64 };
  hkm_canary c = still (8, 10);
  CHECK (hkm_canary_begin (&c));
  for (int i = 0; i < 3; i++)
    CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_NONE);
  CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_ROLL_BACK);
  CHECK (c.reason == HKM_CANARY_NOT_BETTER && c.culprit == HKM_CANARY_REWARD);
  CHECK (c.before[HKM_CANARY_REWARD] == 10);
  CHECK (c.after[HKM_CANARY_REWARD] == 10);
  c = still (8, 10);
  w.measure[HKM_CANARY_REWARD] = 14;
  hkm_canary_begin (&c);
  for (int i = 0; i < 3; i++)
    CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_NONE);
  w.measure[HKM_CANARY_REWARD] = 18;
  CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_KEEP);
  CHECK (c.before[HKM_CANARY_REWARD] == 10);
  CHECK (c.after[HKM_CANARY_REWARD] == 15);
}

TEST (idle_windows)
{
  hkm_canary c;
  hkm_canary_init (&c, &hkm_canary_default);
  for (int i = 0; i < 100; i++)
    CHECK (hkm_canary_add (&c, &idle) == HKM_CANARY_NONE);
  CHECK (!hkm_canary_begin (&c) && c.windows == 0);
  /* A trial that sees nothing ends: others may have more to learn from.  */
  c = still (8, 10);
  CHECK (hkm_canary_begin (&c) && !hkm_canary_begin (&c));
  for (int i = 1; i < 8; i++)
    CHECK (hkm_canary_add (&c, &idle) == HKM_CANARY_NONE);
  CHECK (hkm_canary_add (&c, &idle) == HKM_CANARY_ROLL_BACK);
  CHECK (c.reason == HKM_CANARY_IDLE && !c.running && c.counted == 0);
  /* So does one that sees too little, by its limit.  */
  hkm_canary_window better = { { 20, 0, 0, 0 }, 64 };
  c = still (8, 10);
  hkm_canary_begin (&c);
  for (int i = 1; i < 16; i++)
    CHECK (hkm_canary_add (&c, i == 7 ? &better : &idle) == HKM_CANARY_NONE);
  CHECK (hkm_canary_add (&c, &idle) == HKM_CANARY_ROLL_BACK);
  CHECK (c.reason == HKM_CANARY_IDLE && c.counted == 1);
  /* The fourth that counts decides, be it the last it may last.  */
  c = still (8, 10);
  hkm_canary_begin (&c);
  for (int i = 0; i < 12; i++)
    CHECK (hkm_canary_add (&c, i == 6 ? &better : &idle) == HKM_CANARY_NONE);
  for (int i = 0; i < 2; i++)
    CHECK (hkm_canary_add (&c, &better) == HKM_CANARY_NONE);
  CHECK (hkm_canary_add (&c, &better) == HKM_CANARY_KEEP);
}

/* Seven windows are too few, eight do.  */
TEST (baseline_first)
{
  hkm_canary c = still (7, 10);
  CHECK (!hkm_canary_begin (&c));
  c = still (8, 10);
  CHECK (hkm_canary_begin (&c));
  /* The baseline follows the load.  */
  seed_chance (1);
  c = baseline (100);
  double reward = real (c.before[HKM_CANARY_REWARD]);
  double deviation = real (c.noise[HKM_CANARY_REWARD]);
  CHECKF (reward > 9.5 && reward < 10.5, "%g", reward);
  CHECKF (deviation > 0.2 && deviation < 0.7, "%g", deviation);
  for (int i = 0; i < 100; i++)
    {
      hkm_canary_window w = window ((effect) { .reward = 40 });
      hkm_canary_add (&c, &w);
    }
  CHECK (c.windows == 16);
  reward = real (c.before[HKM_CANARY_REWARD]);
  CHECKF (reward > 29.5 && reward < 30.5, "%g", reward);
}

/* The noise is that of the windows, from the first two on.  */
TEST (noise_of_baseline)
{
  seed_chance (1);
  for (int windows = 2; windows < 64; windows *= 2)
    {
      double sum = 0;
      for (int i = 0; i < 2000; i++)
        {
          hkm_canary c = baseline (windows);
          sum += real (c.noise[HKM_CANARY_REWARD]);
        }
      sum /= 2000 * noise.reward * 0.798;
      CHECKF (sum > 0.96 && sum < 1.04, "%d windows: %g", windows, sum);
    }
}

TEST (edges)
{
  /* No dwell: the first window decides.  Negative tolerances are none.  */
  hkm_canary_config config = hkm_canary_default;
  config.dwell = 0;
  config.volume = 0;
  for (int m = 0; m < HKM_CANARY_MEASURES; m++)
    config.tolerance[m].share = config.tolerance[m].floor = -HKM_FIX_MAX;
  hkm_canary c;
  hkm_canary_init (&c, &config);
  hkm_canary_window w = { .volume = 0 };
  for (int i = 0; i < 8; i++)
    hkm_canary_add (&c, &w);
  CHECK (hkm_canary_begin (&c));
  w.measure[HKM_CANARY_REWARD] = 1;
  CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_KEEP);
  /* No time at all.  */
  config.most = 0;
  config.volume = 1;
  hkm_canary_init (&c, &config);
  w.volume = 1;
  for (int i = 0; i < 8; i++)
    hkm_canary_add (&c, &w);
  w.volume = 0;
  CHECK (hkm_canary_begin (&c));
  CHECK (hkm_canary_add (&c, &w) == HKM_CANARY_ROLL_BACK);
}

/* A day of windows of a second, of extremes: every trial ends in time, and
   a change that does nothing is hardly kept.  */
TEST (adversary)
{
  static const hkm_fix extreme[]
    = { HKM_FIX_MAX, INT64_MIN, 0, -HKM_FIX_MAX, 1, -1 };
  for (int kind = 0; kind < 4; kind++)
    {
      hkm_canary c;
      unsigned trials = 0, keeps = 0, lasted = 0;
      hkm_canary_init (&c, &hkm_canary_default);
      seed_chance (1);
      for (unsigned i = 0; i < 86400; i++)
        {
          hkm_canary_window w = { .volume = kind == 3 ? chance () % 128
                                                      : UINT64_MAX };
          for (unsigned m = 0; m < HKM_CANARY_MEASURES; m++)
            w.measure[m] = extreme[kind == 0   ? i % 2
                                   : kind == 1 ? 0
                                   : kind == 2 ? 2
                                               : chance () % 6];
          bool began = hkm_canary_begin (&c);
          trials += began;
          lasted = began ? 1 : lasted + 1;
          bool ran = c.running;
          hkm_canary_verdict v = hkm_canary_add (&c, &w);
          keeps += v == HKM_CANARY_KEEP;
          CHECK ((v != HKM_CANARY_NONE) == (ran && !c.running));
          CHECK (!c.running || lasted < 16);
          CHECK (c.windows <= 16 && c.counted <= 4);
          for (unsigned m = 0; m < HKM_CANARY_MEASURES; m++)
            CHECK (c.noise[m] >= 0);
        }
      CHECKF (trials > 4000, "%u", trials);
      CHECKF (keeps * 20 <= trials, "kind %d: %u of %u", kind, keeps, trials);
    }
}

int
main (void)
{
  RUN (harmful_rolled_back);
  RUN (neutral_rolled_back);
  RUN (better_kept);
  RUN (level_may_rise);
  RUN (again_and_again);
  RUN (tolerances);
  RUN (reasons);
  RUN (idle_windows);
  RUN (baseline_first);
  RUN (noise_of_baseline);
  RUN (edges);
  RUN (adversary);
  return check_done ();
}
