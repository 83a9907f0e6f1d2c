/* learn/elo: synthetic strategies, and the edges.  */
#include "learn/elo.h"
#include "synthetic.h"

#define K(n) hkm_fix_of (n)

/* Strength in points: 10^(x / 400) to one.  */
static double
odds (double behind)
{
  return 1 / (1 + real (hkm_fix_exp (fix (behind * 2.302585 / 400))));
}

/* MATCHES between players of which (BEST + i) mod players is i * 100 points
   weaker than the best.  */
static void
play (hkm_elo *e, unsigned best, int matches, hkm_fix k)
{
  unsigned n = e->players;
  while (matches-- > 0)
    {
      unsigned a = (unsigned) (chance () % n);
      unsigned b = (unsigned) ((a + 1 + chance () % (n - 1)) % n);
      double behind = 100.0 * ((a + n - best) % n)
                      - 100.0 * ((b + n - best) % n);
      hkm_elo_match (e, a, b, uniform () < odds (behind) ? HKM_FIX_ONE : 0, k);
    }
}

static bool
ranked (const hkm_elo *e, unsigned best)
{
  for (unsigned i = 1; i < e->players; i++)
    if (e->rating[(best + i) % e->players]
        >= e->rating[(best + i - 1) % e->players])
      return false;
  return hkm_elo_best (e) == best;
}

static bool
ranks (unsigned players)
{
  hkm_elo e;
  unsigned best = (unsigned) (chance () % players);
  hkm_elo_init (&e, players);
  play (&e, best, 1000, K (32));
  play (&e, best, 5000, K (4));
  return ranked (&e, best);
}

TEST (ranking_recovered)
{
  CHECK_SEEDS (95, ranks (2));
  CHECK_SEEDS (95, ranks (4));
  CHECK_SEEDS (95, ranks (8));
}

/* The points themselves, too: 300 between the first and the fourth.  */
TEST (distance_recovered)
{
  hkm_elo e;
  hkm_elo_init (&e, 4);
  seed_chance (1);
  play (&e, 0, 2000, K (16));
  play (&e, 0, 20000, K (2));
  double apart = real (e.rating[0] - e.rating[3]);
  CHECKF (apart > 260 && apart < 340, "%g", apart);
}

static double total_rated, total_truth;

/* Chosen by softmax and matched with another by chance: the true regret per
   choice of the last thousand.  */
static double
learn (void)
{
  hkm_elo e;
  uint64_t random = chance ();
  hkm_elo_init (&e, 4);
  double truth = 0, at = 0;
  for (int i = 0; i < 5000; i++)
    {
      unsigned a = hkm_elo_choose (&e, hkm_fix_of (50), &random);
      unsigned b = (unsigned) ((a + 1 + chance () % 3) % 4);
      double won = uniform () < odds (100.0 * a - 100.0 * b);
      hkm_elo_match (&e, a, b, fix (won), K (i < 500 ? 32 : 8));
      truth += odds (-100.0 * a) - 0.5;
      if (i == 3999)
        at = truth;
    }
  total_rated += real (e.regret);
  total_truth += truth;
  CHECK (e.choices == 5000);
  CHECKF (real (e.regret) > 0.5 * truth && real (e.regret) < 2 * truth,
          "%g of %g", real (e.regret), truth);
  return (truth - at) / 1000;
}

/* Choosing by chance costs 0.188.  */
static bool
learns (void)
{
  return learn () < 0.05;
}

TEST (regret)
{
  CHECK_SEEDS (95, learns ());
  printf ("# regret in 5000 choices: %.1f as rated, %.1f in truth, %.1f by "
          "chance\n", total_rated / SEEDS, total_truth / SEEDS, 5000 * 0.188);
}

TEST (expected)
{
  hkm_elo e;
  hkm_elo_init (&e, 2);
  CHECK (hkm_elo_expected (&e, 0, 1) == HKM_FIX_ONE / 2);
  e.rating[0] += hkm_fix_of (400);
  double p = real (hkm_elo_expected (&e, 0, 1));
  CHECKF (p > 0.90905 && p < 0.90913, "%g", p); /* 10 : 1 */
  p = real (hkm_elo_expected (&e, 1, 0));
  CHECKF (p > 0.09087 && p < 0.09095, "%g", p);
  CHECK (hkm_elo_expected (&e, 0, 2) == HKM_FIX_ONE / 2);
  CHECK (hkm_elo_expected (&e, 9, 0) == HKM_FIX_ONE / 2);
  /* K times the surprise, from one to the other.  */
  hkm_elo_init (&e, 3);
  hkm_elo_match (&e, 2, 0, HKM_FIX_ONE, K (32));
  CHECK (e.rating[2] == hkm_fix_of (1516) && e.rating[0] == hkm_fix_of (1484));
  CHECK (e.rating[1] == hkm_fix_of (1500));
  hkm_elo_match (&e, 1, 1, HKM_FIX_ONE, K (32));
  hkm_elo_match (&e, 1, 3, HKM_FIX_ONE, K (32));
  hkm_elo_match (&e, 3, 1, HKM_FIX_ONE, K (32));
  hkm_elo_match (&e, 1, 2, 0, 0);
  hkm_elo_match (&e, 1, 2, 0, -1);
  CHECK (e.rating[2] == hkm_fix_of (1516) && e.rating[1] == hkm_fix_of (1500));
}

/* How often each is chosen, of 100,000.  */
static void
choose (hkm_elo *e, hkm_fix temperature, int count[3])
{
  uint64_t random = 1;
  memset (count, 0, 3 * sizeof *count);
  for (int i = 0; i < 100000; i++)
    count[hkm_elo_choose (e, temperature, &random)]++;
}

TEST (softmax)
{
  hkm_elo e;
  int count[3];
  uint64_t random = 1;
  hkm_elo_init (&e, 3);
  e.rating[1] += hkm_fix_of (100);
  /* Odds of e : 1 : 1.  */
  choose (&e, hkm_fix_of (100), count);
  CHECKF (count[1] > 57000 && count[1] < 58200, "%d", count[1]);
  CHECKF (count[0] > 20500 && count[0] < 21900, "%d", count[0]);
  CHECK (e.regret > 0);
  /* Cold: the best alone, which costs nothing.  */
  e.regret = 0;
  choose (&e, 0, count);
  CHECK (count[1] == 100000 && e.regret == 0);
  for (int i = 0; i < 1 << 23; i++)
    if (hkm_elo_choose (&e, 0, &random) != 1)
      CHECK (false);
  choose (&e, -HKM_FIX_MAX, count);
  CHECK (count[1] == 100000 && e.regret == 0);
  /* Hot: any.  */
  choose (&e, HKM_FIX_MAX, count);
  CHECKF (count[0] > 32700 && count[1] > 32700 && count[2] > 32700,
          "%d %d %d", count[0], count[1], count[2]);
  CHECK (e.regret > 0);
  /* Of the same state, the same choice.  */
  for (uint64_t s = 0; s < 100; s++)
    {
      uint64_t one = s, two = s;
      CHECK (hkm_elo_choose (&e, hkm_fix_of (100), &one)
             == hkm_elo_choose (&e, hkm_fix_of (100), &two));
      CHECK (one == two && one != s);
    }
}

TEST (edges)
{
  hkm_elo e;
  uint64_t random = 0;
  hkm_elo_init (&e, 0);
  CHECK (e.players == 1 && hkm_elo_best (&e) == 0);
  CHECK (hkm_elo_choose (&e, hkm_fix_of (100), &random) == 0);
  hkm_elo_match (&e, 0, 0, HKM_FIX_ONE, K (32));
  CHECK (e.rating[0] == hkm_fix_of (1500) && e.regret == 0);
  /* The bounds.  */
  hkm_elo_init (&e, 2);
  e.rating[0] = e.rating[1] = hkm_fix_of (101);
  hkm_elo_match (&e, 0, 1, 0, K (32));
  CHECK (e.rating[0] == hkm_fix_of (100) && e.rating[1] == hkm_fix_of (117));
  e.rating[0] = hkm_fix_of (2900);
  hkm_elo_match (&e, 0, 0, HKM_FIX_ONE, K (32));
  CHECK (e.rating[0] == hkm_fix_of (2900));
  hkm_elo_init (&e, 99);
  CHECK (e.players == HKM_ELO_PLAYERS && hkm_elo_best (&e) == 0);
  e.regret = HKM_FIX_MAX - 1;
  e.rating[3] += hkm_fix_of (1000);
  for (int i = 0; i < 100; i++)
    hkm_elo_choose (&e, HKM_FIX_MAX, &random);
  CHECK (e.regret == HKM_FIX_MAX);
}

/* A day of outcomes from all to nothing, at any K.  */
TEST (adversary)
{
  static const hkm_fix extreme[]
    = { HKM_FIX_MAX, -HKM_FIX_MAX, 0, INT64_MIN, HKM_FIX_ONE,
        HKM_FIX (1000, 1) };
  hkm_elo e;
  uint64_t random = 5;
  hkm_elo_init (&e, 8);
  seed_chance (1);
  for (int i = 0; i < 86400; i++)
    {
      bool wild = i >= 43200;
      hkm_fix regret = e.regret;
      hkm_elo_match (&e, wild ? (unsigned) chance () % 10 : 0,
                     wild ? (unsigned) chance () % 10 : 1 + (unsigned) i % 7,
                     wild ? extreme[chance () % 6] : HKM_FIX_MAX,
                     wild ? extreme[chance () % 6] : HKM_FIX_MAX);
      CHECK (hkm_elo_choose (&e, extreme[i % 6], &random) < 8);
      CHECK (e.regret >= regret);
      for (unsigned p = 0; p < 8; p++)
        CHECK (e.rating[p] >= hkm_fix_of (100)
               && e.rating[p] <= hkm_fix_of (2900));
      if (i == 43199)
        {
          CHECK (e.rating[0] == hkm_fix_of (2900));
          CHECK (e.rating[7] < hkm_fix_of (1200));
        }
    }
}

int
main (void)
{
  RUN (ranking_recovered);
  RUN (distance_recovered);
  RUN (regret);
  RUN (expected);
  RUN (softmax);
  RUN (edges);
  RUN (adversary);
  return check_done ();
}
