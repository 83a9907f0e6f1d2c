/* learn/cap: caps of classes whose hit rate depends on them as a test says.  */
#include "learn/cap.h"
#include "check.h"
#include "synthetic.h"

static const hkm_cap_config mid
  = { .target = HKM_FIX (65, 100), .eps = HKM_FIX (3, 100), .kp = HKM_FIX (8, 1),
      .ki = HKM_FIX (1, 1), .step = 4, .min = 2, .max = 128 };
static const hkm_cap_config large
  = { .target = HKM_FIX (55, 100), .eps = HKM_FIX (3, 100), .kp = HKM_FIX (8, 1),
      .ki = HKM_FIX (1, 1), .step = 1, .min = 1, .max = 48 };

enum { ENOUGH = 95 };

/* A window in which a share HIT, give or take NOISE, of N requests hits.  */
static void
window (hkm_cap *c, const hkm_cap_config *f, double hit, double noise,
        unsigned n)
{
  unsigned before = hkm_cap_blocks (c);
  hit += noise * normal ();
  hit = hit < 0 ? 0 : hit > 1 ? 1 : hit;
  uint64_t hits = (uint64_t) (hit * n + uniform ());
  hkm_cap_window (c, f, hits, n - hits);
  unsigned now = hkm_cap_blocks (c);
  unsigned moved = now > before ? now - before : before - now;
  CHECKF (moved <= f->step, "a window moved %u to %u", before, now);
  CHECKF (now >= f->min && now <= f->max, "cap %u", now);
}

/* The hit rate of a working set of W blocks under a cap.  */
static double
straight (const hkm_cap *c, double w)
{
  return hkm_cap_blocks (c) < w ? hkm_cap_blocks (c) / w : 1;
}

static double
bent (const hkm_cap *c, double w)
{
  return hkm_cap_blocks (c) / (hkm_cap_blocks (c) + 0.4 * w);
}

static double
cliff (const hkm_cap *c, double w)
{
  return hkm_cap_blocks (c) >= w ? 1 : 0;
}

typedef double curve (const hkm_cap *, double);

/* Steps of the working set from W1 to W2: within 30 windows the hit rate is at
   the target, or as near as a block lets it, and from then on the cap stays in a
   range of SPAN.  */
static bool
converges (const hkm_cap_config *f, curve *hit, double w1, double w2, double noise,
           unsigned span)
{
  hkm_cap c;
  hkm_cap_init (&c, f, f->min + f->step);
  double target = (double) f->target / HKM_FIX_ONE;
  double near = (double) f->eps / HKM_FIX_ONE;
  bool good = true;
  for (int phase = 0; phase < 4; phase++)
    {
      double w = phase % 2 ? w2 : w1;
      for (int i = 0; i < 30; i++)
        window (&c, f, hit (&c, w), noise, 2000);
      unsigned least = hkm_cap_blocks (&c), most = least;
      for (int i = 0; i < 120; i++)
        {
          window (&c, f, hit (&c, w), noise, 2000);
          unsigned now = hkm_cap_blocks (&c);
          least = now < least ? now : least;
          most = now > most ? now : most;
          hkm_cap less = c;
          less.cap -= HKM_FIX_ONE;
          good = good && hit (&c, w) >= target - near - noise
                 && (hit (&less, w) <= target + near + noise
                     || now == f->min || now == f->max);
        }
      good = good && most - least <= span;
    }
  return good;
}

static void
converge_often (const hkm_cap_config *f, curve *hit, double w1, double w2,
                double noise, unsigned span)
{
  int good = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      seed_chance (seed);
      good += converges (f, hit, w1, w2, noise, span);
    }
  CHECKF (good >= ENOUGH, "%g to %g: %d of %d seeds", w1, w2, good, SEEDS);
}

TEST (steps)
{
  converge_often (&mid, straight, 20, 100, 0.01, 4);
  converge_often (&mid, bent, 30, 90, 0.01, 4);
  converge_often (&large, straight, 10, 30, 0.01, 1);
  converge_often (&large, bent, 8, 30, 0.01, 1);
}

/* A block is worth more than the band: one side of the target, for good.  */
TEST (coarse)
{
  converge_often (&large, straight, 2, 6, 0.01, 0);
  converge_often (&large, straight, 3, 5, 0, 0);
  converge_often (&mid, straight, 4, 9, 0.01, 0);
}

/* All or nothing: one look below in 16 windows, by a step.  */
TEST (cliffs)
{
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_cap c;
      seed_chance (seed);
      double w = 5 + (double) (seed % 8);
      hkm_cap_init (&c, &large, 40);
      int under = 0;
      for (int i = 0; i < 400; i++)
        {
          window (&c, &large, cliff (&c, w), 0.01, 2000);
          if (i >= 80)
            {
              under += hkm_cap_blocks (&c) < w;
              CHECK (hkm_cap_blocks (&c) >= w - 1
                     && hkm_cap_blocks (&c) <= w + 1);
            }
        }
      CHECKF (under <= 320 / 16 + 1, "%d of 320 windows under", under);
    }
}

/* Hit rates that the cap does not change: no running away, and back to the
   least.  The same with a share of requests that no cap serves.  */
TEST (flat)
{
  for (int level = 0; level <= 60; level += 10)
    {
      int good = 0;
      for (uint64_t seed = 1; seed <= SEEDS; seed++)
        {
          hkm_cap c;
          seed_chance (seed);
          hkm_cap_init (&c, &mid, 16);
          double sum = 0;
          unsigned most = 0;
          for (int i = 0; i < 2000; i++)
            {
              window (&c, &mid, level / 100.0, 0.02, 2000);
              unsigned now = hkm_cap_blocks (&c);
              most = now > most ? now : most;
              sum += now;
            }
          good += most <= 16 + 16 * mid.step && sum / 2000 <= 20;
        }
      CHECKF (good >= ENOUGH, "level %d: %d of %d", level, good, SEEDS);
    }
}

TEST (full_of_no_use)
{
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_cap c;
      seed_chance (seed);
      hkm_cap_init (&c, &mid, 16);
      for (int i = 0; i < 60; i++)
        window (&c, &mid, straight (&c, 196), 0.01, 2000);
      CHECK (hkm_cap_blocks (&c) >= 115);
      for (int i = 0; i < 32 + 130; i++)
        {
          unsigned was = hkm_cap_blocks (&c);
          bool slow = c.aim < mid.target;
          window (&c, &mid, 0.2, 0.01, 2000);
          CHECK (!slow || c.aim == mid.target || hkm_cap_blocks (&c) + 1 >= was);
        }
      CHECKF (hkm_cap_blocks (&c) <= 16, "%u kept", hkm_cap_blocks (&c));
    }
}

/* A class that could do with more than there is gives back a little once, and
   no more of it: no windup, no cycle.  */
TEST (starved)
{
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_cap c;
      seed_chance (seed);
      hkm_cap_init (&c, &mid, 16);
      unsigned least = mid.max;
      for (int i = 0; i < 1000; i++)
        {
          window (&c, &mid, straight (&c, 300), 0.01, 2000);
          if (i >= 40 && hkm_cap_blocks (&c) < least)
            least = hkm_cap_blocks (&c);
          CHECK (i < 300 || hkm_cap_blocks (&c) == mid.max);
        }
      CHECKF (least >= 90, "down to %u", least);
      window (&c, &mid, 1, 0, 2000);
      window (&c, &mid, 1, 0, 2000);
      window (&c, &mid, 1, 0, 2000);
      CHECKF (hkm_cap_blocks (&c) < mid.max, "wound up");
    }
}

TEST (idle)
{
  hkm_cap c;
  hkm_cap_init (&c, &mid, 33);
  for (int i = 0; i < 10; i++)
    hkm_cap_window (&c, &mid, 10, 90);
  hkm_cap was = c;
  was.before = hkm_cap_blocks (&c);
  for (int i = 0; i < 1000; i++)
    hkm_cap_window (&c, &mid, 0, 0);
  CHECK (memcmp (&was, &c, sizeof c) == 0);
  hkm_cap_config sure = mid;
  sure.target = HKM_FIX_ONE;
  hkm_cap_window (&c, &sure, 0, 0);
  c.demand = was.demand = 100;
  CHECK (memcmp (&was, &c, sizeof c) == 0);
  uint64_t none[1] = { 0 };
  hkm_caps_balance (&c, 1, &mid, 100, none, true);
  CHECK (memcmp (&was, &c, sizeof c) == 0);
}

/* Few events in a window, at the target: chance alone moves nothing far; clearly
   off it: the cap follows.  */
TEST (few)
{
  int still = 0, found = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_cap c;
      seed_chance (seed);
      hkm_cap_init (&c, &mid, 65);
      unsigned least = 65, most = 65;
      for (int phase = 0; phase < 2; phase++)
        {
          for (int i = 0; i < 1000; i++)
            {
              double hit = straight (&c, phase ? 30 : 100);
              unsigned hits = 0;
              for (int k = 0; k < 20; k++)
                hits += uniform () < hit;
              hkm_cap_window (&c, &mid, hits, 20 - hits);
              unsigned now = hkm_cap_blocks (&c);
              least = !phase && now < least ? now : least;
              most = !phase && now > most ? now : most;
            }
        }
      still += least >= 55 && most <= 75;
      found += hkm_cap_blocks (&c) >= 17 && hkm_cap_blocks (&c) <= 23;
    }
  CHECKF (still >= ENOUGH, "still %d of %d", still, SEEDS);
  CHECKF (found >= ENOUGH, "found %d of %d", found, SEEDS);
}

/* Counts near the largest number, one event, nonsense in the configuration, and
   a day of windows that contradict each other.  */
TEST (extremes)
{
  hkm_cap_config odd = { -5, INT64_MAX, INT64_MAX, INT64_MIN, 0, 9, 3 };
  hkm_cap c, d;
  hkm_cap_init (&c, &mid, UINT32_MAX);
  hkm_cap_init (&d, &odd, 5);
  for (int i = 0; i < 86400; i++)
    {
      seed_chance ((uint64_t) i);
      static const uint64_t count[] = { 0, 1, UINT64_MAX, INT64_MAX, 1000 };
      uint64_t hits = count[chance () % 5], misses = count[chance () % 5];
      if (i < 20000)
        hits = i % 2 ? UINT64_MAX : 0, misses = ~hits;
      else if (i < 40000)
        hits = 0, misses = 0;
      uint64_t demand[1] = { count[chance () % 5] };
      unsigned before = hkm_cap_blocks (&c);
      hkm_cap_window (&c, &mid, hits, misses);
      hkm_caps_balance (&c, 1, &mid, 100 + (unsigned) (i > 50000) * 1000, demand,
                        i % 3);
      unsigned now = hkm_cap_blocks (&c);
      CHECK (now >= mid.min && now <= mid.max);
      CHECK (i == 0 || (now <= before + mid.step && before <= now + mid.step));
      hkm_cap_window (&d, &odd, hits, misses);
      hkm_caps_balance (&d, 1, &odd, 4, demand, true);
    }
}

/* Exact moves.  */
static void
exactly (hkm_cap *c, const hkm_cap_config *f, unsigned per_cent, unsigned blocks)
{
  hkm_cap_window (c, f, per_cent * 100000, (100 - per_cent) * 100000);
  CHECKF (hkm_cap_blocks (c) == blocks, "%u %%: %u, not %u", per_cent,
          hkm_cap_blocks (c), blocks);
}

TEST (controller)
{
  hkm_cap_config f = mid;
  f.kp = f.ki = HKM_FIX_ONE;
  hkm_cap c;
  /* Steps of 0.2, 0.3, 0.4 by the integral; then it is emptied: -0.5.  */
  hkm_cap_init (&c, &f, 20);
  exactly (&c, &f, 55, 20);
  exactly (&c, &f, 55, 22);
  exactly (&c, &f, 55, 23);
  exactly (&c, &f, 90, 21);
  /* No windup while at full speed: 0.2 after it.  */
  hkm_cap_init (&c, &f, 20);
  for (unsigned i = 1; i <= 5; i++)
    exactly (&c, &f, 0, 20 + 4 * i);
  exactly (&c, &f, 55, 40);
  /* Not past what a straight line says.  */
  hkm_cap_init (&c, &mid, 4);
  exactly (&c, &mid, 53, 5);
  hkm_cap_init (&c, &mid, 4);
  exactly (&c, &mid, 45, 6);
  /* One window a little off is none.  */
  hkm_cap_init (&c, &mid, 64);
  exactly (&c, &mid, 65, 64);
  exactly (&c, &mid, 70, 64);
  hkm_cap_init (&c, &mid, 64);
  exactly (&c, &mid, 65, 64);
  exactly (&c, &mid, 60, 64);
}

/* A lowered aim is raised when the target is near, or the rate falls further. */
TEST (aim)
{
  for (unsigned then = 0; then <= 70; then += 70)
    {
      hkm_cap c;
      hkm_cap_init (&c, &mid, 16);
      for (int i = 0; i < 14; i++)
        window (&c, &mid, 0.2, 0, 2000);
      CHECK (c.aim < HKM_FIX (2, 10));
      hkm_cap had = c;
      uint64_t demand[1] = { 100 };
      hkm_caps_balance (&c, 1, &mid, 1000, demand, true);
      CHECK (hkm_cap_blocks (&c) == hkm_cap_blocks (&had)); /* of no use */
      for (int i = 0; i < 30; i++)
        window (&c, &mid, then / 100.0, 0, 2000);
      /* Further down it was raised, and is lowered under that again.  */
      CHECKF (then == 0 ? c.aim < 0 : c.aim == mid.target, "aim %g",
              (double) c.aim / HKM_FIX_ONE);
    }
}

/* The cap is needed again: at once, not when the aim is due.  */
TEST (needed_again)
{
  hkm_cap c;
  hkm_cap_init (&c, &mid, 16);
  for (int i = 0; i < 70; i++)
    window (&c, &mid, 0.2, 0, 2000);
  CHECKF (hkm_cap_blocks (&c) <= 8, "%u", hkm_cap_blocks (&c));
  for (int i = 0; i < 30; i++)
    window (&c, &mid, straight (&c, 110), 0, 2000);
  CHECKF (straight (&c, 110) >= 0.6, "%u", hkm_cap_blocks (&c));
}

/* Eight classes share a budget; what is left over in the end goes by demand.  */
enum { N = 8, BUDGET = 150 };

static unsigned
share_window (hkm_cap *c, const double *w, const uint64_t *demand, bool fill)
{
  unsigned sum = 0, before[N];
  for (unsigned i = 0; i < N; i++)
    {
      before[i] = hkm_cap_blocks (&c[i]);
      window (&c[i], &mid, straight (&c[i], w[i]), 0.01, 2000);
    }
  hkm_caps_balance (c, N, &mid, BUDGET, demand, fill);
  for (unsigned i = 0; i < N; i++)
    {
      unsigned now = hkm_cap_blocks (&c[i]);
      CHECK (now >= mid.min && now <= mid.max);
      CHECKF (now <= before[i] + mid.step && before[i] <= now + mid.step,
              "class %u: %u to %u", i, before[i], now);
      sum += now;
    }
  CHECKF (sum <= BUDGET, "sum %u", sum);
  return sum;
}

static void
begin (hkm_cap *c)
{
  for (unsigned i = 0; i < N; i++)
    hkm_cap_init (&c[i], &mid, BUDGET / N);
}

TEST (budget)
{
  /* Enough for all: all at their target.  Not enough: the one of least demand
     goes short, and gets it back.  */
  double w[N] = { 40, 30, 20, 10, 20, 20, 20, 20 };
  uint64_t demand[N] = { 80, 70, 60, 50, 40, 30, 20, 10 };
  int good = 0, short_ = 0, back = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_cap c[N];
      seed_chance (seed);
      begin (c);
      for (int i = 0; i < 60; i++)
        share_window (c, w, demand, false);
      bool all = true;
      for (unsigned i = 0; i < N; i++)
        all = all && straight (&c[i], w[i]) >= 0.6;
      good += all;
      w[1] = 95;
      for (int i = 0; i < 60; i++)
        share_window (c, w, demand, false);
      short_ += straight (&c[0], w[0]) >= 0.6 && straight (&c[1], w[1]) >= 0.6
                && straight (&c[6], w[6]) >= 0.6
                && straight (&c[7], w[7]) < 0.5;
      w[1] = 30;
      for (int i = 0; i < 200; i++)
        share_window (c, w, demand, false);
      back += straight (&c[7], w[7]) >= 0.6;
    }
  CHECKF (good >= ENOUGH, "%d good", good);
  CHECKF (short_ >= ENOUGH, "%d short", short_);
  CHECKF (back >= ENOUGH, "%d back", back);
}

TEST (water_filling)
{
  double w[N] = { 20, 100, 20, 10, 10, 10, 10, 10 };
  uint64_t base[N] = { 50, 100, 80, 5, 5, 5, 5, 0 }, demand[N];
  int good = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      hkm_cap c[N];
      seed_chance (seed);
      begin (c);
      unsigned least = 999, most = 0, sum = 0;
      for (int i = 0; i < 300; i++)
        {
          for (int k = 0; k < N; k++)
            demand[k] = base[k] + chance () % (base[k] / 4 + 1);
          sum = share_window (c, w, demand, true);
          if (i < 60)
            continue;
          unsigned now = hkm_cap_blocks (&c[1]);
          least = now < least ? now : least;
          most = now > most ? now : most;
        }
      /* All of it is in use; the first has what the others need not.  */
      good += sum == BUDGET && least >= 70 && most - least <= mid.step
              && straight (&c[0], w[0]) >= 0.6 && straight (&c[4], w[4]) >= 0.6;
    }
  CHECKF (good >= ENOUGH, "%d good", good);
}

/* The step, the order and the limits of balancing, by themselves.  */
TEST (balance)
{
  hkm_cap c[4];
  uint64_t demand[4] = { 10, 5, 7, 7 };
  for (int i = 0; i < 4; i++)
    hkm_cap_init (&c[i], &mid, 20);
  hkm_caps_balance (c, 4, &mid, 73, demand, true);
  CHECK (hkm_cap_blocks (&c[0]) == 20 && hkm_cap_blocks (&c[1]) == 16
         && hkm_cap_blocks (&c[2]) == 17 && hkm_cap_blocks (&c[3]) == 20);
  for (int i = 0; i < 4; i++)
    hkm_cap_window (&c[i], &mid, 0, 0);
  /* The budget fell: more than a step, and no less than the least.  */
  hkm_caps_balance (c, 4, &mid, 20, demand, true);
  CHECK (hkm_cap_blocks (&c[0]) == 14 && hkm_cap_blocks (&c[1]) == 2
         && hkm_cap_blocks (&c[2]) == 2 && hkm_cap_blocks (&c[3]) == 2);
  hkm_caps_balance (c, 4, &mid, 0, demand, true);
  for (int i = 0; i < 4; i++)
    {
      CHECK (hkm_cap_blocks (&c[i]) == mid.min);
      hkm_cap_window (&c[i], &mid, 0, 0);
    }
  /* A step to the one of most demand; nothing without water-filling.  */
  hkm_caps_balance (c, 4, &mid, 100, demand, false);
  CHECK (hkm_cap_blocks (&c[0]) == 2);
  hkm_caps_balance (c, 4, &mid, 100, demand, true);
  CHECK (hkm_cap_blocks (&c[0]) == 6 && hkm_cap_blocks (&c[1]) == 2);
  /* Over its aim is taken from before less demand.  */
  hkm_cap_init (&c[0], &mid, 50);
  hkm_cap_init (&c[1], &mid, 50);
  hkm_cap_window (&c[0], &mid, 1000, 0);
  hkm_cap_window (&c[1], &mid, 650, 350);
  demand[0] = 100, demand[1] = 1;
  hkm_cap before = c[0];
  hkm_caps_balance (c, 2, &mid, 96, demand, false);
  CHECK (hkm_cap_blocks (&before) == 46 && hkm_cap_blocks (&c[0]) == 46);
  hkm_cap_window (&c[0], &mid, 0, 0);
  hkm_caps_balance (c, 2, &mid, 94, demand, false);
  CHECK (hkm_cap_blocks (&c[0]) == 44 && hkm_cap_blocks (&c[1]) == 50);
  hkm_caps_balance (c, 0, &mid, 0, demand, true);
  /* Who has most demand keeps the gift until another has a quarter more, on the
     mean; what is taken empties the integral.  */
  for (int i = 0; i < 2; i++)
    hkm_cap_init (&c[i], &mid, 8);
  static const uint64_t by_turns[][2]
    = { { 100, 0 }, { 100, 110 }, { 100, 200 }, { 100, 0 }, { 0, 500 } };
  static const unsigned blocks[][2]
    = { { 12, 8 }, { 16, 8 }, { 20, 8 }, { 24, 8 }, { 24, 12 } };
  for (int i = 0; i < 5; i++)
    {
      hkm_cap_window (&c[0], &mid, 0, 0);
      hkm_cap_window (&c[1], &mid, 0, 0);
      hkm_caps_balance (c, 2, &mid, 1000, by_turns[i], true);
      CHECKF (hkm_cap_blocks (&c[0]) == blocks[i][0]
                && hkm_cap_blocks (&c[1]) == blocks[i][1],
              "%d: %u %u", i, hkm_cap_blocks (&c[0]), hkm_cap_blocks (&c[1]));
    }
  c[0].integral = HKM_FIX_ONE;
  hkm_caps_balance (c, 1, &mid, 20, by_turns[0], false);
  CHECK (c[0].integral == 0);
}

int
main (void)
{
  RUN (steps);
  RUN (coarse);
  RUN (cliffs);
  RUN (flat);
  RUN (full_of_no_use);
  RUN (starved);
  RUN (idle);
  RUN (few);
  RUN (extremes);
  RUN (controller);
  RUN (aim);
  RUN (needed_again);
  RUN (budget);
  RUN (water_filling);
  RUN (balance);
  return check_done ();
}
