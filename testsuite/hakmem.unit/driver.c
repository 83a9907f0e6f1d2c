/* The driver of the learners in worlds made up for it: what happens in a window
   follows from the policy it published, and from nothing else.  */
#include "learn/driver.h"
#include "learn/moves.h"
#include "opts/opts.h"
#include "check.h"

#include <string.h>

static hkm_driver driver;
static hkm_observation seen;
static uint64_t chance_state;

static uint32_t
chance (void)
{
  chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t) (chance_state >> 33);
}

static hkm_policy
policy (void)
{
  hkm_policy p = { .generation = 0 };
  hkm_policy_refresh (&p);
  return p;
}

static hkm_policy shipped;

static void
count (enum hkm_counter which, uint64_t n)
{
  seen.counts.value[which] += n;
}

static void
begin (bool keeps, uint64_t seed)
{
  CHECK (hkm_policy_publish (&shipped));
  chance_state = seed * 977 + 1;
  memset (&seen, 0, sizeof seen);
  hkm_driver_init (&driver, &seen, keeps, seed);
}

/* A million small blocks a window, give or take, and cold calls that cost COLD
   in a thousand of the work, give or take NOISE in a thousand of that.  */
static void
window_of (uint32_t cold, uint32_t noise)
{
  uint64_t blocks = 1000000 + chance () % 100000;
  uint64_t ns = blocks * 25 * cold / 1000;
  ns = ns * (1000 - noise + chance () % (2 * noise + 1)) / 1000;
  count (HKM_COUNT_FREE_COUNTED, blocks);
  count (HKM_COUNT_REFILL, ns / 40);
  count (HKM_COUNT_REFILL_CARVE, 1000);
  seen.live_bytes = 64 << 20;
  seen.time_ms += 1000;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    seen.refills[c] += 100;
  hkm_driver_window (&driver, &seen);
}

/* ---- arms ---- */

/* The carving step decides what cold calls cost.  */
static uint32_t
cost_of_bump (uint32_t usual, uint32_t with_64k)
{
  return policy ().bump_bytes == 65536 ? with_64k : usual;
}

TEST (a_better_setting_is_found_and_kept)
{
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      begin (true, seed);
      for (int i = 0; i < 300; i++)
        window_of (cost_of_bump (100, 60), 30);
      found += policy ().bump_bytes == 65536;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* A setting that harms is in force for a dwell at most, each time it is tried,
   and not in the end.  */
TEST (a_harmful_setting_is_taken_back)
{
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      unsigned longest = 0, in_row = 0;
      begin (true, seed);
      for (int i = 0; i < 300; i++)
        {
          window_of (cost_of_bump (100, 300), 30);
          in_row = policy ().bump_bytes == 65536 ? in_row + 1 : 0;
          longest = in_row > longest ? in_row : longest;
        }
      unsigned dwell = (unsigned) hkm_opt (HKM_OPT_WMAX_DWELL_SEC) + 1;
      CHECKF (policy ().bump_bytes != 65536, "kept with seed %u", seed);
      CHECKF (longest >= 1 && longest <= dwell, "%u windows with seed %u",
              longest, seed);
    }
}

TEST (settings_that_do_not_matter_are_left)
{
  int changed = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      begin (true, seed);
      for (int i = 0; i < 300; i++)
        window_of (100, 30);
      changed += policy ().bump_bytes != shipped.bump_bytes;
    }
  CHECKF (changed <= 10, "%d of 100 seeds", changed);
}

/* Cold calls become fewer by themselves, for a long time and in phases.  */
TEST (what_gets_better_by_itself_is_not_kept)
{
  int changed = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      begin (true, seed);
      for (uint32_t i = 0; i < 300; i++)
        window_of (20 + (seed % 2 ? 900 - 3 * i : 600 * (i / 15 % 2)), 30);
      changed += policy ().bump_bytes != shipped.bump_bytes;
    }
  CHECKF (changed <= 5, "%d of 100 seeds", changed);
}

/* As canary, nothing stays, however good it is.  */
TEST (a_dry_run_keeps_nothing)
{
  begin (false, 1);
  for (int i = 0; i < 300; i++)
    window_of (cost_of_bump (100, 60), 30);
  hkm_policy settled = { .generation = 0 };
  hkm_driver_settled (&driver, &settled);
  CHECK (settled.bump_bytes == shipped.bump_bytes);
  CHECK (driver.trials > 0 && driver.kept == 0);
  CHECK (driver.log.count == driver.trials
         || driver.log.count + 1 == driver.trials);
}

/* Who saves the policy during a trial gets what there was before it.  */
TEST (a_trial_is_not_settled)
{
  hkm_policy before = shipped;
  int differs = 0;
  begin (true, 1);
  for (int i = 0; i < 300; i++)
    {
      window_of (cost_of_bump (100, 60), 30);
      hkm_policy now = policy (), settled = { .generation = 0 };
      hkm_driver_settled (&driver, &settled);
      bool tried = driver.on_trial && !driver.checking;
      CHECK (settled.bump_bytes == (tried ? before : now).bump_bytes);
      differs += settled.bump_bytes != now.bump_bytes;
      if (!driver.on_trial)
        before = now;
    }
  CHECK (differs > 0);
}

/* What somebody else sets while it is on trial is his.  */
TEST (others_changes_are_left_alone)
{
  begin (true, 1);
  while (!driver.on_trial
         || driver.trial.moves.move[0].kind != HKM_MOVE_KNOB)
    window_of (cost_of_bump (100, 300), 30);
  unsigned knob = driver.trial.moves.move[0].index;
  CHECK (hkm_policy_set (knob, 8192));
  while (driver.on_trial)
    window_of (cost_of_bump (100, 300), 30);
  hkm_policy now = policy ();
  CHECKF (*hkm_policy_knob (&now, knob) == 8192, "%u",
          *hkm_policy_knob (&now, knob));
}

/* Refills of one mid class find a slab kept in proportion to how many slots are,
   up to 40.  */
TEST (a_cap_that_is_too_low_is_raised)
{
  enum { C = HKM_CLASS_2048 + 1, ENOUGH = 40 };
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      uint32_t slots = 0;
      begin (true, seed);
      for (int i = 0; i < 600; i++)
        {
          hkm_policy p = policy ();
          slots = p.cls[C].warm * hkm_class[C].slots;
          uint32_t hit = slots < ENOUGH ? 1000 * slots / ENOUGH : 1000;
          seen.refills[C] += 1000;
          seen.acquires[C] += 1000 - hit + (hit > 20 ? chance () % 20 : 0);
          window_of (50, 10);
        }
      /* 0.65, the target, is 26 slots.  */
      found += slots >= 24 && slots <= 34;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* ---- strategies ---- */

/* A window of RUNS requests, in which KEPT MiB beside 100 live stay resident, more or
   less, UNUSED of them all the time.  */
static void
quiet_window (uint64_t runs, uint64_t kept, uint64_t unused)
{
  kept <<= 20;
  count (HKM_COUNT_RUN_ALLOC, runs);
  seen.kept_bytes = kept - kept / 20 + chance () % (kept / 10 + 1);
  seen.unused_bytes = unused << 20;
  seen.live_bytes = 100 << 20;
  seen.time_ms += 1000;
  hkm_driver_window (&driver, &seen);
}

/* The same of 1000 requests, in which PURGED MiB go to the OS and WANTED come
   again.  */
static void
window_keeps (uint64_t kept, uint64_t unused, uint64_t purged, uint64_t wanted)
{
  count (HKM_COUNT_BIG_ASKED_BYTES, (uint64_t) 800 << 20);
  count (HKM_COUNT_PURGE, purged);
  count (HKM_COUNT_PURGE_BYTES, purged << 20);
  count (HKM_COUNT_REGRET_BYTES, wanted << 20);
  quiet_window (1000, kept, unused);
}

#ifdef HKM_WITH_BIGCACHE
/* Big blocks come and go; what stays resident follows from the strategy, and nobody
   wants it.  */
TEST (a_better_strategy_is_found)
{
  static const uint64_t kept[] = { 60, 64, 20, 90 };
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      begin (true, seed);
      for (int i = 0; i < 300; i++)
        {
          count (HKM_COUNT_BIG_ALLOC, 100);
          uint64_t here = kept[policy ().bigcache_strategy];
          window_keeps (here, here - here / 10, 0, 0);
        }
      found += policy ().bigcache_strategy == 2;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}
#endif

/* What is idle is wanted again at once, or it is not: the budget of free memory
   follows.  */
TEST (a_better_retention_is_found)
{
  static const uint64_t kept[] = { 70, 16, 4 };
  static const struct { uint64_t purged[3], wanted[3]; unsigned best; } worlds[] = {
    { { 0, 10, 20 }, { 0, 0, 0 }, 2 },
    { { 0, 400, 900 }, { 0, 400, 900 }, 0 },
    { { 0, 10, 900 }, { 0, 0, 900 }, 1 },
  };
  for (unsigned w = 0; w < sizeof worlds / sizeof *worlds; w++)
    {
      int found = 0;
      for (unsigned seed = 1; seed <= 100; seed++)
        {
          begin (true, seed);
          for (int i = 0; i < 300; i++)
            {
              unsigned s = policy ().retain_strategy;
              window_keeps (kept[s], kept[s], worlds[w].purged[s],
                            worlds[w].wanted[s]);
            }
          found += policy ().retain_strategy == worlds[w].best;
        }
      CHECKF (found >= 95, "world %u: %d of 100 seeds", w, found);
    }
}

/* What is kept is a level: it rises when the program turns to something else, falls
   by itself a little, and what a strategy gave back stays away, be it in force or
   not.  */
TEST (retention_is_judged_as_a_level)
{
  enum { TURN = 100 };
  static const uint64_t kept[] = { 70, 16, 4 };
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      uint64_t level = 0;
      begin (true, seed);
      for (int i = 0; i < TURN; i++)
        {
          unsigned s = policy ().retain_strategy;
          uint64_t back = s == 0 ? 1 : 2, had = level;
          if (i < 4 && s == 0)
            level += kept[s] / 4;
          else if (i % 10 == 0 && level > 1)
            level--;
          level = level < kept[s] ? level : kept[s];
          window_keeps (level, level < had ? level : had, back, 0);
        }
      found += policy ().retain_strategy != 0 && driver.kept > 0;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* What is kept is judged by windows in which little or nothing was asked for, too:
   threads that live on their own free blocks are seen by few calls.  */
TEST (retention_is_judged_while_little_is_asked)
{
  static const uint64_t kept[] = { 70, 16, 4 };
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      begin (true, seed);
      for (int i = 0; i < 60; i++)
        {
          unsigned s = policy ().retain_strategy;
          quiet_window (i < 12 ? 1000 : seed % 4, kept[s], s == 0 ? kept[s] : 0);
        }
      found += policy ().retain_strategy != 0 && driver.kept > 0;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* A thriftier strategy makes calls take long, in the first window: what it gives back
   is much.  That says nothing of the others.  */
TEST (slow_calls_at_first_are_passed_over)
{
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      unsigned was = 0;
      begin (true, seed);
      for (int i = 0; i < 20; i++)
        {
          unsigned s = policy ().retain_strategy;
          for (int k = 0; k < 60; k++) /* a 99th percentile takes some windows */
            hkm_driver_slow (&driver, (s != was ? 100000 : 1000) + chance () % 100);
          was = s;
          window_keeps (s == 0 ? 70 : 4, s == 0 ? 70 : 0, 1, 0);
        }
      found += policy ().retain_strategy != 0 && driver.kept > 0;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* Where calls are few, those that give back come some windows later.  */
TEST (few_slow_calls_are_passed_over)
{
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      unsigned since = 0, late = 2 + seed % 3;
      begin (true, seed);
      for (int i = 0; i < 30; i++)
        {
          unsigned s = policy ().retain_strategy;
          since = s == 0 ? 0 : since + 1;
          for (unsigned k = 0; k < 52; k++)
            hkm_driver_slow (&driver, since == late && k < 4
                                          ? 1000000
                                          : 1000 + chance () % 100);
          window_keeps (since >= late ? 4 : 70, since >= late ? 0 : 70, 1, 0);
        }
      found += policy ().retain_strategy != 0 && driver.kept > 0;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* Where little is asked for, one superslab is many faults for a millisecond of work:
   what comes again is in the reward.  */
TEST (retention_is_not_judged_by_faults_beside)
{
  static const uint64_t kept[] = { 70, 16, 4 };
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      int since = 0;
      begin (true, seed);
      for (int i = 0; i < 60; i++)
        {
          unsigned s = policy ().retain_strategy;
          since = s == 0 ? 0 : since + 1;
          if (since == 3)
            count (HKM_COUNT_SS_MAP, 1);
          quiet_window (i < 12 ? 1000 : 3, kept[s], s == 0 ? kept[s] : 0);
        }
      found += policy ().retain_strategy != 0 && driver.kept > 0;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* While others guess, memory that is seen to be kept in vain is not to wait for its
   turn.  */
TEST (what_is_kept_in_vain_goes_first)
{
  int first = 0, others = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      begin (true, seed);
      for (int i = 0; i < 100 && driver.trial.who != HKM_LEARNER_RETAIN; i++)
        {
          bool vain = hkm_driver_keeps_in_vain (&driver);
          uint32_t trials = driver.trials;
          seen.unused_bytes = i < 20 ? 0 : 64 << 20;
          seen.kept_bytes = 70 << 20;
          count (HKM_COUNT_RETIRE, 1000);
          count (HKM_COUNT_REMOTE_PUSH, 1000);
          window_of (100, 30);
          if (driver.trials > trials && driver.trial.who != HKM_LEARNER_RETAIN)
            others += vain;
        }
      first += driver.trial.who == HKM_LEARNER_RETAIN;
    }
  CHECKF (first == 100 && others == 0, "%d of 100 seeds, after %d others", first,
          others);
}

/* Nor for windows to judge others by, of which none may come.  */
TEST (what_is_kept_in_vain_needs_no_requests)
{
  int found = 0;
  for (unsigned seed = 1; seed <= 100; seed++)
    {
      bool others = false;
      begin (true, seed);
      for (int i = 0; i < 12 || (i < 40 && !others); i++)
        { /* until one of theirs is on */
          count (HKM_COUNT_RETIRE, 1000);
          count (HKM_COUNT_REMOTE_PUSH, 1000);
          seen.kept_bytes = 45 << 20; /* of 64, as 70 of 100 */
          window_of (100, 30);
          others = driver.on_trial;
        }
      CHECKF (others, "seed %u", seed);
      for (int i = 0; i < 30; i++)
        {
          bool shipped = policy ().retain_strategy == 0;
          quiet_window (3, shipped ? 70 : 4, shipped ? 70 : 0);
        }
      found += policy ().retain_strategy != 0 && driver.kept > 0;
    }
  CHECKF (found >= 95, "%d of 100 seeds", found);
}

/* A program that uses what is kept again and again is left alone: a look at what
   keeping less would do costs it all of that.  */
TEST (retention_that_serves_is_left)
{
  begin (true, 1);
  for (int i = 0; i < 1000; i++)
    {
      unsigned s = policy ().retain_strategy;
      uint64_t back = s == 0 ? 0 : 900;
      window_keeps (s == 0 ? 70 : 4, i % 10 == 0 ? 4 : 0, back, back);
      CHECKF (s == 0, "window %d", i);
    }
}

/* Of what big blocks leave, a part lies idle all the time, another each time; or all
   does for a moment, and is wanted again.  With less, all would be faulted in again,
   so that to look at what that would do is not worth it.  */
TEST (what_is_wanted_now_and_then_is_left)
{
  static const struct { uint64_t kept[2], unused, wanted; } worlds[] = {
    { { 350, 220 }, 190, 0 }, { { 250, 250 }, 150, 0 }, { { 250, 250 }, 240, 40 },
  };
  for (unsigned w = 0; w < sizeof worlds / sizeof *worlds; w++)
    for (unsigned seed = 1; seed <= 20; seed++)
      {
        begin (true, seed);
        for (int i = 0; i < 300; i++)
          {
            hkm_policy p = policy ();
            CHECKF (p.retain_strategy == 0 && p.bigcache_strategy != 2,
                    "world %u, seed %u, window %d: %u, %u", w, seed, i,
                    p.retain_strategy, p.bigcache_strategy);
            count (HKM_COUNT_BIG_ALLOC, 100);
            uint64_t wanted = i % 5 == 0 ? worlds[w].wanted : 0;
            window_keeps (worlds[w].kept[i % 2], worlds[w].unused, wanted, wanted);
          }
      }
}

/* ---- convergence ---- */

TEST (it_rests_until_something_changes)
{
  begin (true, 3);
  for (int i = 0; i < 1500; i++)
    window_of (cost_of_bump (100, 60), 5);
  CHECK (driver.drift.frozen);
  uint32_t trials = driver.trials;
  for (int i = 0; i < 300; i++)
    window_of (cost_of_bump (100, 60), 5);
  CHECKF (driver.trials == trials, "%u trials more", driver.trials - trials);
  /* Now the other way round.  */
  for (int i = 0; i < 1500; i++)
    window_of (cost_of_bump (100, 400), 5);
  CHECK (driver.trials > trials);
  CHECK (policy ().bump_bytes != 65536);
}

/* ---- sizes ---- */

#ifdef HKM_WITH_DYN_CLASSES
/* Requests of 8230 bytes, and as many of all sizes: what a block of the first
   takes follows from the dynamic classes.  */
static void
window_of_sizes (size_t peak)
{
  hkm_policy p = policy ();
  uint64_t given = 10240;
  for (unsigned i = 0; i < HKM_DYNS; i++)
    if (p.dyn[i] >= peak && p.dyn[i] < given)
      given = p.dyn[i];
  for (int i = 0; i < 200; i++)
    {
      size_t other = 2049 + chance () % 30000;
      hkm_driver_size (&driver, peak, 1);
      hkm_driver_size (&driver, other, 1);
      count (HKM_COUNT_MID_ASKED_BYTES, peak + other);
      count (HKM_COUNT_MID_BYTES, given + other * 9 / 8);
    }
  window_of (50, 10);
}

TEST (a_size_much_asked_for_gets_a_class)
{
  begin (true, 5);
  for (int i = 0; i < 100; i++)
    window_of_sizes (8230);
  hkm_policy p = policy ();
  CHECKF (p.dyn[0] == 8240 || p.dyn[1] == 8240, "%u and %u", p.dyn[0], p.dyn[1]);
  /* Others are wanted: it goes, in time.  */
  for (int i = 0; i < 400; i++)
    window_of_sizes (9000);
  p = policy ();
  CHECKF (p.dyn[0] == 9008 || p.dyn[1] == 9008, "%u and %u", p.dyn[0], p.dyn[1]);
}
#endif

/* ---- a bad day ---- */

static void
any_window (unsigned kind)
{
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    seen.counts.value[i] += kind == 0   ? 0
                            : kind == 1 ? (uint64_t) chance () << 30
                            : kind == 2 ? chance () % 1000
                                        : UINT64_MAX / 3;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      seen.refills[c] += kind == 0 ? 0 : chance ();
      seen.acquires[c] += kind == 2 ? chance () : chance () % 8;
    }
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    {
      seen.runs[k] += chance () % 1000;
      seen.runs_new[k] += chance () % (kind == 2 ? 1000 : 8);
    }
  seen.live_bytes = chance () % 2 ? 0 : (uint64_t) chance () << 20;
  seen.kept_bytes = chance () % 2 ? 0 : (uint64_t) chance () << 20;
  seen.time_ms += 1000;
  for (unsigned i = 0; i < 20; i++)
    {
      hkm_driver_slow (&driver, chance ());
      hkm_driver_size (&driver, chance () % 40000, chance () % 100);
    }
  hkm_driver_window (&driver, &seen);
}

static uint64_t
slots_kept (const hkm_policy *p)
{
  uint64_t sum = 0;
  for (unsigned i = 0; i < HKM_MIDS; i++)
    sum += (uint64_t) p->cls[HKM_CLASS_2048 + 1 + i].warm
           * hkm_class[HKM_CLASS_2048 + 1 + i].slots;
  return sum;
}

static unsigned
apart (unsigned a, unsigned b)
{
  return a > b ? a - b : b - a;
}

/* 24 hours in windows of a second, of all and of nothing: every number stays in
   its range (or the policy would not have been published), what is kept within
   its budget (and what rounding to whole slabs adds), and each within a step of
   what it was.  */
TEST (a_day_of_anything)
{
  begin (true, 9);
  hkm_policy before = policy ();
  uint64_t budget = hkm_opt (HKM_OPT_BUDGET_MID) + HKM_MIDS * 8;
  unsigned step = (unsigned) hkm_opt (HKM_OPT_CAP_STEP_MID);
  unsigned step_large = (unsigned) hkm_opt (HKM_OPT_CAP_STEP_LARGE);
  for (int i = 0; i < 24 * 3600; i++)
    {
      any_window (i / 600 % 4 == 3 ? chance () % 4 : (unsigned) (i / 600 % 4));
      hkm_policy now = policy ();
      CHECK (slots_kept (&now) <= budget);
      for (unsigned c = HKM_CLASS_2048 + 1; c < HKM_CLASS_STATIC; c++)
        CHECKF (apart (now.cls[c].warm, before.cls[c].warm)
                    * hkm_class[c].slots
                  <= step + hkm_class[c].slots,
                "class %u from %u to %u", c, before.cls[c].warm,
                now.cls[c].warm);
      for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
        CHECKF (apart (now.run_most[k], before.run_most[k]) <= step_large,
                "runs %u from %u to %u", k, before.run_most[k],
                now.run_most[k]);
      before = now;
    }
  CHECK (driver.trials > 10);
}

int
main (void)
{
  hkm_os_start ();
  hkm_opts_load ();
  hkm_policy_init ();
  shipped = policy ();
  RUN (a_better_setting_is_found_and_kept);
  RUN (a_harmful_setting_is_taken_back);
  RUN (settings_that_do_not_matter_are_left);
  RUN (what_gets_better_by_itself_is_not_kept);
  RUN (a_dry_run_keeps_nothing);
  RUN (a_trial_is_not_settled);
  RUN (others_changes_are_left_alone);
  RUN (a_cap_that_is_too_low_is_raised);
#ifdef HKM_WITH_BIGCACHE
  RUN (a_better_strategy_is_found);
#endif
  RUN (a_better_retention_is_found);
  RUN (retention_is_judged_as_a_level);
  RUN (retention_is_judged_while_little_is_asked);
  RUN (slow_calls_at_first_are_passed_over);
  RUN (few_slow_calls_are_passed_over);
  RUN (retention_is_not_judged_by_faults_beside);
  RUN (what_is_kept_in_vain_goes_first);
  RUN (what_is_kept_in_vain_needs_no_requests);
  RUN (retention_that_serves_is_left);
  RUN (what_is_wanted_now_and_then_is_left);
  RUN (it_rests_until_something_changes);
#ifdef HKM_WITH_DYN_CLASSES
  RUN (a_size_much_asked_for_gets_a_class);
#endif
  RUN (a_day_of_anything);
  return check_done ();
}
