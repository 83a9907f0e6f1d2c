/* learn/ucb: synthetic arms, and the edges.  */
#include "learn/ucb.h"
#include "synthetic.h"

/* PULLS trials of the arms, of which arm (BEST + i) mod arms is i gaps worse
   than the best.  */
static void
pull (hkm_ucb *u, unsigned best, double gap, double noise, double scale,
      int pulls)
{
  while (pulls-- > 0)
    {
      unsigned arm = hkm_ucb_choose (u);
      unsigned worse = (arm + u->arms - best) % u->arms;
      hkm_ucb_reward (u, arm, noisy (-(gap * worse) * scale, noise * scale));
    }
}

static unsigned
most_pulled (const hkm_ucb *u)
{
  unsigned most = 0;
  for (unsigned a = 1; a < u->arms; a++)
    if (u->pulls[a] > u->pulls[most])
      most = a;
  return most;
}

static bool
finds (unsigned arms, double scale)
{
  hkm_ucb u;
  unsigned best = (unsigned) (chance () % arms);
  hkm_ucb_init (&u, arms);
  pull (&u, best, 0.1, 0.1, scale, 2000);
  return most_pulled (&u) == best && hkm_ucb_best (&u) == best;
}

TEST (finds_the_best)
{
  CHECK_SEEDS (95, finds (2, 1));
  CHECK_SEEDS (95, finds (4, 1));
  CHECK_SEEDS (95, finds (8, 1));
}

/* Of rewards in any unit.  */
TEST (any_scale)
{
  CHECK_SEEDS (95, finds (4, 1e-3));
  CHECK_SEEDS (95, finds (4, 1e6));
}

/* The arms that are not best cost little: most pulls go to the best two.  */
static bool
spares (void)
{
  hkm_ucb u;
  hkm_ucb_init (&u, 4);
  pull (&u, 2, 0.1, 0.1, 1e3, 2000);
  return u.pulls[2] > 800 && u.pulls[1] < 300 && u.pulls[1] > 10;
}

TEST (exploits_and_explores)
{
  CHECK_SEEDS (95, spares ());
}

/* Trials until it settles, 1000 at most; *ON is the arm.  */
static int
settle (hkm_ucb *u, unsigned best, double gap, double noise, unsigned *on)
{
  int n = 0;
  while (!hkm_ucb_settled (u) && n < 1000)
    pull (u, best, gap, noise, 1, 1), n++;
  *on = hkm_ucb_best (u);
  return n;
}

static bool
settles (unsigned arms, double gap, int within)
{
  hkm_ucb u;
  unsigned best = (unsigned) (chance () % arms), on;
  hkm_ucb_init (&u, arms);
  return settle (&u, best, gap, 0.1, &on) <= within && on == best;
}

TEST (settles_on_the_best)
{
  CHECK_SEEDS (95, settles (2, 0.3, 30));
  CHECK_SEEDS (95, settles (4, 0.3, 30));
  CHECK_SEEDS (95, settles (8, 0.3, 30));
  CHECK_SEEDS (95, settles (4, 0.1, 1000));
}

/* Arms that are alike are not told apart for long.  */
static bool
undecided (void)
{
  hkm_ucb u;
  unsigned on;
  hkm_ucb_init (&u, 4);
  return settle (&u, 0, 0, 0.1, &on) >= 60;
}

TEST (does_not_settle_on_noise)
{
  CHECK_SEEDS (90, undecided ());
}

static bool
follows (void)
{
  hkm_ucb u;
  hkm_ucb_init (&u, 4);
  pull (&u, 0, 0.3, 0.1, 1, 500);
  if (hkm_ucb_best (&u) != 0)
    return false;
  hkm_ucb_forget (&u, HKM_FIX (1, 16));
  bool stale = hkm_ucb_settled (&u);
  for (unsigned a = 0; a < 4; a++) /* all of them tried again, first */
    {
      stale |= hkm_ucb_choose (&u) != a || hkm_ucb_settled (&u);
      pull (&u, 3, 0.3, 0.1, 1, 1);
    }
  unsigned on;
  int n = settle (&u, 3, 0.3, 0.1, &on);
  return !stale && n <= 100 && on == 3;
}

TEST (follows_a_shift)
{
  CHECK_SEEDS (95, follows ());
}

TEST (forget_all)
{
  hkm_ucb u;
  hkm_ucb_init (&u, 3);
  pull (&u, 0, 0.3, 0.1, 1, 100);
  hkm_ucb_forget (&u, -5);
  for (unsigned a = 0; a < 3; a++)
    CHECK (u.pulls[a] == 0 && u.sum[a] == 0 && hkm_ucb_mean (&u, a) == 0);
  CHECK (hkm_ucb_choose (&u) == 0 && hkm_ucb_best (&u) == 0);
  hkm_ucb_reward (&u, 0, 7 * HKM_FIX_ONE);
  CHECK (u.low == u.high && u.high == 7 * HKM_FIX_ONE);
  hkm_ucb_reward (&u, 0, 9 * HKM_FIX_ONE);
  hkm_ucb_forget (&u, HKM_FIX_MAX); /* all of it stays */
  CHECK (u.pulls[0] == 2 && hkm_ucb_mean (&u, 0) == 8 * HKM_FIX_ONE);
  for (int i = 0; i < 100; i++)
    hkm_ucb_reward (&u, 0, 8 * HKM_FIX_ONE);
  hkm_ucb_forget (&u, HKM_FIX_ONE); /* of so many not */
  CHECK (u.pulls[0] == HKM_UCB_STALE && u.fresh[0] == 0
         && hkm_ucb_mean (&u, 0) == 8 * HKM_FIX_ONE);
  hkm_ucb_forget (&u, HKM_FIX_ONE / 2);
  CHECK (u.pulls[0] == 2 && u.sum[0] == 16 * HKM_FIX_ONE);
}

/* The formula, in floating point.  */
static double
index_of (const hkm_ucb *u, unsigned arm)
{
  double total = 0;
  for (unsigned a = 0; a < u->arms; a++)
    total += u->pulls[a];
  double ln = real (hkm_fix_ln (fix (total)));
  return real (u->sum[arm]) / u->pulls[arm]
         + 1.5 * real (u->high - u->low)
             * real (hkm_fix_sqrt (fix (ln / u->pulls[arm])));
}

TEST (index)
{
  hkm_ucb u;
  seed_chance (1);
  hkm_ucb_init (&u, 5);
  pull (&u, 1, 0.1, 0.2, 1, 5);
  for (int i = 0; i < 3000; i++)
    {
      unsigned choice = hkm_ucb_choose (&u);
      for (unsigned a = 0; a < 5; a++)
        CHECKF (index_of (&u, a) <= index_of (&u, choice) + 1e-4,
                "%u, not %u", choice, a);
      pull (&u, 1, 0.1, 0.2, 1, 1);
    }
}

/* The mean absolute deviation of normal noise is 0.798 of the standard one,
   from the second pull of an arm on; that of arms apart doesn't count.  */
static double
noise_after (int pulls)
{
  hkm_ucb u;
  double sum = 0;
  for (int i = 0; i < 1000; i++)
    {
      hkm_ucb_init (&u, 8);
      pull (&u, 0, 10, 1, 1, 8);
      for (int k = 0; k < pulls; k++)
        for (unsigned a = 0; a < 8; a++)
          hkm_ucb_reward (&u, a, noisy (-10.0 * a, 1));
      sum += real (u.noise);
    }
  return sum / 1000;
}

TEST (noise)
{
  seed_chance (1);
  double early = noise_after (1), late = noise_after (20);
  CHECKF (early > 0.77 && early < 0.83, "%g", early);
  CHECKF (late > 0.77 && late < 0.83, "%g", late);
}

/* A reward draws the ends in by a 64th of the way.  */
TEST (range)
{
  hkm_ucb u;
  hkm_ucb_init (&u, 1);
  hkm_ucb_reward (&u, 0, -64 * HKM_FIX_ONE);
  hkm_ucb_reward (&u, 0, 64 * HKM_FIX_ONE);
  CHECK (u.low == -62 * HKM_FIX_ONE && u.high == 64 * HKM_FIX_ONE);
  hkm_ucb_reward (&u, 0, 0);
  CHECK (u.high == 63 * HKM_FIX_ONE && u.low == -62 * HKM_FIX_ONE * 63 / 64);
}

/* Three standard errors of the difference; of the difference of ten and ten
   pulls, 3 * 1.2533 * sqrt (0.2) = 1.68 times the noise.  */
TEST (settled_bound)
{
  hkm_ucb u;
  for (int apart = 167; apart <= 169; apart += 2)
    {
      u = (hkm_ucb) { .arms = 2, .noise = HKM_FIX_ONE, .noises = 64,
                      .pulls = { 10, 10 }, .fresh = { 5, 5 },
                      .sum = { 0, 10 * HKM_FIX (apart, 100) } };
      CHECK (hkm_ucb_settled (&u) == (apart == 169));
    }
  /* Half of it must be new, of the best and of the other.  */
  u.fresh[0] = 4;
  CHECK (!hkm_ucb_settled (&u));
  u.fresh[0] = 5;
  u.fresh[1] = 4;
  CHECK (!hkm_ucb_settled (&u));
}

/* A freak widens the range for a while only.  */
TEST (freak)
{
  hkm_ucb u;
  hkm_ucb_init (&u, 2);
  seed_chance (1);
  hkm_ucb_reward (&u, 0, 1000 * HKM_FIX_ONE);
  pull (&u, 0, 0.1, 0.1, 1, 1000);
  CHECKF (u.high - u.low < 2 * HKM_FIX_ONE, "%g", real (u.high - u.low));
}

TEST (edges)
{
  hkm_ucb u;
  hkm_ucb_init (&u, 0);
  CHECK (u.arms == 1 && hkm_ucb_choose (&u) == 0 && hkm_ucb_settled (&u));
  hkm_ucb_reward (&u, 0, -HKM_FIX_ONE);
  CHECK (hkm_ucb_choose (&u) == 0 && hkm_ucb_mean (&u, 0) == -HKM_FIX_ONE);
  hkm_ucb_init (&u, 99);
  CHECK (u.arms == HKM_UCB_ARMS && !hkm_ucb_settled (&u));
  hkm_ucb_reward (&u, 8, HKM_FIX_ONE);
  CHECK (hkm_ucb_mean (&u, 8) == 0 && hkm_ucb_choose (&u) == 0);
  /* A negative mean is better than none known.  */
  hkm_ucb_reward (&u, 5, -HKM_FIX_ONE);
  CHECK (hkm_ucb_best (&u) == 5);
  /* The same from all: in turn, and nothing to settle on.  */
  hkm_ucb_init (&u, 3);
  for (unsigned i = 0; i < 60; i++)
    {
      CHECK (hkm_ucb_choose (&u) == i % 3);
      hkm_ucb_reward (&u, hkm_ucb_choose (&u), HKM_FIX_ONE);
    }
  CHECK (!hkm_ucb_settled (&u) && hkm_ucb_best (&u) == 0);
  /* No noise at all: what is better is better, once there are deviations
     enough to say that there is none.  */
  hkm_ucb_init (&u, 2);
  for (unsigned i = 0; i < 8; i++)
    hkm_ucb_reward (&u, i % 2, i % 2);
  CHECK (!hkm_ucb_settled (&u));
  for (int i = 0; i < 10; i++)
    hkm_ucb_reward (&u, hkm_ucb_choose (&u), hkm_ucb_choose (&u));
  CHECK (hkm_ucb_settled (&u) && hkm_ucb_best (&u) == 1);
}

/* A day of windows of 4 s, of extremes: all bounds of the structure hold.  */
TEST (adversary)
{
  static const hkm_fix extreme[]
    = { HKM_FIX_MAX, -HKM_FIX_MAX, 0, INT64_MIN, 1, -1 };
  seed_chance (1);
  for (int kind = 0; kind < 4; kind++)
    {
      hkm_ucb u;
      hkm_ucb_init (&u, 8);
      for (int i = 0; i < 21600; i++)
        {
          unsigned arm = hkm_ucb_choose (&u);
          uint32_t total = 0;
          CHECK (arm < 8);
          hkm_ucb_reward (&u, arm,
                          extreme[kind == 0   ? (unsigned) i % 2
                                  : kind == 1 ? 0
                                  : kind == 2 ? 2
                                              : chance () % 6]);
          if (kind == 3 && chance () % 1000 == 0)
            hkm_ucb_forget (&u, (hkm_fix) chance ());
          for (unsigned a = 0; a < 8; a++)
            {
              total += u.pulls[a];
              hkm_fix mean = hkm_ucb_mean (&u, a);
              CHECK (mean <= HKM_UCB_REWARD && mean >= -HKM_UCB_REWARD);
              CHECK (u.fresh[a] <= u.pulls[a]);
            }
          CHECK (total <= HKM_UCB_PULLS && u.low <= u.high && u.noise >= 0);
          CHECK (u.noises <= 64 && hkm_ucb_best (&u) < 8);
          hkm_ucb_settled (&u);
        }
      /* One arm of all zeros or maxima is as good as the next.  */
      for (unsigned a = 0; a < 8 && kind < 3 && kind > 0; a++)
        CHECK (u.pulls[a] > 200);
    }
}

int
main (void)
{
  RUN (finds_the_best);
  RUN (any_scale);
  RUN (exploits_and_explores);
  RUN (settles_on_the_best);
  RUN (does_not_settle_on_noise);
  RUN (follows_a_shift);
  RUN (forget_all);
  RUN (index);
  RUN (noise);
  RUN (range);
  RUN (settled_bound);
  RUN (freak);
  RUN (edges);
  RUN (adversary);
  return check_done ();
}
