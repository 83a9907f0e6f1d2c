/* superslab/retain: the budget's arithmetic, on a clock that the test sets.  */
#include "base/atomic.h"
#include "policy/policy.h"
#include "superslab/retain.h"
#include "check.h"

static uint64_t clock_ms = 1000000;

uint32_t hkm_policy_retain_strategy;

uint64_t hkm_os_clock_ms (void);
uint64_t
hkm_os_clock_ms (void)
{
  return clock_ms;
}

enum { MB = 1 << 20 };

/* Bytes that are purged at once: admitted, refused, left again.  */
static void
refused (size_t bytes)
{
  CHECK (!hkm_retain_admit (bytes));
  hkm_retain_leave (bytes);
  hkm_retain_purged (bytes);
}

TEST (floor)
{
  hkm_retain_init (8 * MB);
  CHECK (hkm_retain_budget () == 8 * MB && hkm_retain_idle () == 0);
  CHECK (hkm_retain_admit (5 * MB));
  CHECK (hkm_retain_admit (3 * MB));
  CHECK (hkm_retain_idle () == 8 * MB);
  CHECK (!hkm_retain_admit (1));
  hkm_retain_leave (1);
  hkm_retain_leave (8 * MB);
  CHECK (hkm_retain_idle () == 0);
}

TEST (share_of_live_memory)
{
  size_t least = hkm_retain_budget ();
  hkm_retain_live ((ptrdiff_t) 800 * MB);
  CHECK (hkm_retain_budget () >= 100 * MB
         && hkm_retain_budget () <= 108 * MB);
  CHECK (hkm_retain_admit (90 * MB));
  hkm_retain_leave (90 * MB);
  hkm_retain_live (-(ptrdiff_t) 800 * MB);
  CHECK (hkm_retain_budget () == least);
}

/* What the budget is made of.  */
TEST (strategies)
{
  enum { REGRET, SHARE, FLOOR };
  size_t least = hkm_retain_budget ();
  clock_ms += 10000;
  refused (50 * MB);
  hkm_retain_wanted (50 * MB);
  hkm_retain_live ((ptrdiff_t) 800 * MB);
  CHECK (hkm_retain_budget () == 150 * MB);
  hkm_store_relaxed (&hkm_policy_retain_strategy, SHARE);
  CHECK (hkm_retain_budget () == 100 * MB);
  hkm_store_relaxed (&hkm_policy_retain_strategy, FLOOR);
  CHECK (hkm_retain_budget () == least);
  /* It is regretted whether it counts or not: what a strategy costs is known, and
     the other begins with what this one saw.  */
  uint64_t regretted = hkm_retain_regretted ();
  refused (20 * MB);
  hkm_retain_wanted (20 * MB);
  CHECK (hkm_retain_regretted () == regretted + 20 * MB);
  CHECK (hkm_retain_budget () == least);
  hkm_retain_live (-(ptrdiff_t) 800 * MB);
  hkm_store_relaxed (&hkm_policy_retain_strategy, REGRET);
  CHECK (hkm_retain_budget () > least);
}

/* Half of what an earlier process earned is regret as any other, from now on.  */
TEST (earned_before)
{
  hkm_retain_init (8 * MB);
  clock_ms += 10000;
  CHECK (!hkm_retain_goes_on ());
  hkm_retain_earn (200 * MB);
  hkm_retain_earn (120 * MB);
  CHECK (hkm_retain_earned () == 100 * MB && hkm_retain_goes_on ());
  CHECK (hkm_retain_budget () == 108 * MB);
  refused (120 * MB); /* and it is not halved for that */
  CHECK (hkm_retain_budget () == 108 * MB);
  CHECK (hkm_retain_admit (100 * MB));
  for (int i = 0; i < 12; i++) /* idle for good */
    {
      clock_ms += 2100;
      hkm_retain_tick ();
    }
  CHECK (hkm_retain_earned () < MB && !hkm_retain_goes_on ());
  hkm_retain_leave (100 * MB);
  hkm_retain_init (8 * MB);
}

/* The least that was idle since it was asked for, however short that is.  */
TEST (unused)
{
  hkm_retain_leave (hkm_retain_idle ());
  hkm_retain_unused ();
  CHECK (hkm_retain_unused () == 0);
  hkm_retain_admit (3 * MB);
  CHECK (hkm_retain_unused () == 0); /* not all the time */
  CHECK (hkm_retain_unused () == 3 * MB);
  hkm_retain_leave (2 * MB);
  hkm_retain_admit (2 * MB);
  CHECK (hkm_retain_unused () == MB);
  CHECK (hkm_retain_unused () == 3 * MB);
  hkm_retain_leave (3 * MB);
}

/* Budget earned by regret goes again while it stays idle, though nothing is
   purged, because nothing exceeds it; and stays while it is used.  */
TEST (regret_is_forgotten)
{
  size_t least = hkm_retain_budget ();
  clock_ms += 10000;
  refused (200 * MB);
  hkm_retain_wanted (200 * MB);
  CHECK (hkm_retain_budget () == least + 200 * MB);
  for (int i = 0; i < 5; i++) /* all of it in use within each while */
    {
      CHECK (hkm_retain_admit (200 * MB));
      clock_ms += 1500;
      hkm_retain_leave (200 * MB);
      clock_ms += 1500;
      hkm_retain_tick ();
    }
  CHECK (hkm_retain_budget () == least + 200 * MB);
  CHECK (hkm_retain_admit (200 * MB));
  int over = 0;
  for (int i = 0; i < 12; i++) /* idle for good */
    {
      clock_ms += 2100;
      over += hkm_retain_tick ();
      while (hkm_retain_idle () > hkm_retain_budget ())
        hkm_retain_leave (MB);
    }
  CHECK (over > 0);
  CHECKF (hkm_retain_idle () <= least + 2 * MB, "%zu MB stay",
          hkm_retain_idle () / MB);
  hkm_retain_leave (hkm_retain_idle ());
  CHECK (hkm_retain_budget () <= least + 2 * MB);
  clock_ms += 10000;
  hkm_retain_tick ();
}

TEST (regret)
{
  size_t least = hkm_retain_budget ();
  uint64_t before = hkm_retain_regretted ();
  /* Purged and wanted again within a second: the budget grows by that.  */
  refused (40 * MB);
  clock_ms += 100;
  hkm_retain_wanted (30 * MB);
  CHECK (hkm_retain_budget () == least + 30 * MB);
  CHECK (hkm_retain_regretted () == before + 30 * MB);
  /* Never by more than was purged.  */
  hkm_retain_wanted (100 * MB);
  CHECK (hkm_retain_budget () == least + 40 * MB);
  hkm_retain_wanted (100 * MB);
  CHECK (hkm_retain_budget () == least + 40 * MB);
}

TEST (late_want_is_no_regret)
{
  size_t raised = hkm_retain_budget ();
  refused (200 * MB);
  clock_ms += 60000;
  hkm_retain_wanted (50 * MB);
  CHECK (hkm_retain_budget () <= raised);
}

TEST (regret_fades)
{
  size_t last = hkm_retain_budget ();
  for (int i = 0; i < 60 && last > 8 * MB; i++)
    {
      clock_ms += 10000;
      hkm_retain_purged (1 * MB);
      size_t now = hkm_retain_budget ();
      CHECK (now <= last);
      last = now;
    }
  CHECKF (last == 8 * MB, "budget still %zu", last);
}

TEST (new_memory_is_no_regret)
{
  clock_ms += 100000;
  size_t before = hkm_retain_budget ();
  hkm_retain_wanted (500 * MB);
  CHECK (hkm_retain_budget () == before);
}

/* What stays idle for the delay is over the budget, once; what was wanted
   meanwhile is not, nor anything without a delay.  */
TEST (decay)
{
  hkm_retain_init (8 * MB);
  size_t least = hkm_retain_budget ();
  CHECK (hkm_retain_admit (5 * MB));
  clock_ms += 100000;
  CHECK (!hkm_retain_decay ());
  hkm_retain_set_delay (1000);
  clock_ms += 1000;
  CHECK (!hkm_retain_decay ()); /* the first look begins to count */
  clock_ms += 999;
  CHECK (!hkm_retain_decay ());
  hkm_retain_leave (2 * MB);
  CHECK (hkm_retain_admit (2 * MB));
  clock_ms += 1;
  CHECK (hkm_retain_decay ());
  CHECK (hkm_retain_budget () == 2 * MB);
  CHECK (!hkm_retain_decay ());
  hkm_retain_leave (3 * MB);
  hkm_retain_purged (3 * MB);
  hkm_retain_decayed ();
  CHECK (hkm_retain_budget () == least);
  clock_ms += 1000;
  CHECK (hkm_retain_decay () && hkm_retain_budget () == 0);
  hkm_retain_decayed ();
  hkm_retain_leave (2 * MB);
  hkm_retain_set_delay (0);
}

/* Free pages of sparse slabs: no more than the floor, and within the budget.  */
TEST (sparse)
{
  hkm_retain_init (8 * MB);
  hkm_retain_live ((ptrdiff_t) 800 * MB);
  CHECK (hkm_retain_admit_sparse (5 * MB));
  CHECK (!hkm_retain_admit_sparse (4 * MB));
  hkm_retain_leave_sparse (4 * MB);
  CHECK (hkm_retain_admit (85 * MB));
  CHECK (hkm_retain_admit_sparse (2 * MB));
  hkm_retain_leave_sparse (7 * MB);
  hkm_retain_leave (85 * MB);
  CHECK (hkm_retain_idle () == 0);
  hkm_retain_live (-(ptrdiff_t) 800 * MB);
}

/* What comes and goes on one processor or another: the sums are exact, whichever
   word it stands in.  */
TEST (each_processor_has_a_part)
{
  enum { CPUS = 11, MOST = 3 * MB };
  size_t idle[CPUS] = { 0 }, in_all = 0, live = 0;
  size_t had = hkm_retain_idle (), lived = hkm_retain_live_bytes ();
  uint32_t random = 1;
  for (int i = 0; i < 20000; i++)
    {
      random = random * 1664525 + 1013904223;
      unsigned cpu = random >> 8 & 0xff, from = random >> 16 & 0xff;
      size_t bytes = (random >> 4) % MOST;
      cpu %= CPUS;
      from %= CPUS;
      hkm_retain_admit_here (cpu, bytes);
      hkm_retain_live_here (from, (ptrdiff_t) bytes);
      idle[cpu] += bytes;
      live += bytes;
      in_all += bytes;
      if (in_all > 64 * MB)
        { /* all of it leaves elsewhere, and is not live any more there */
          for (unsigned c = 0; c < CPUS; c++)
            {
              hkm_retain_leave_here (from + c, idle[c]);
              idle[c] = 0;
            }
          hkm_retain_live_here (cpu, -(ptrdiff_t) live);
          in_all = live = 0;
        }
      if (hkm_retain_idle () != had + in_all
          || hkm_retain_live_bytes () != lived + live)
        break;
    }
  CHECKF (hkm_retain_idle () == had + in_all, "%zu for %zu",
          hkm_retain_idle (), had + in_all);
  CHECKF (hkm_retain_live_bytes () == lived + live, "%zu for %zu",
          hkm_retain_live_bytes (), lived + live);
  for (unsigned c = 0; c < CPUS; c++)
    hkm_retain_leave_here (c, idle[c]);
  hkm_retain_live_here (0, -(ptrdiff_t) live);
  CHECK (hkm_retain_idle () == had && hkm_retain_live_bytes () == lived);
}

/* Nobody is refused for what has left.  */
TEST (what_is_spare_is_not_idle)
{
  hkm_retain_init (8 * MB);
  for (unsigned c = 0; c < 4; c++)
    CHECK (hkm_retain_admit_here (c, 2 * MB));
  CHECK (!hkm_retain_admit (1));
  hkm_retain_leave (1);
  for (unsigned c = 0; c < 4; c++)
    hkm_retain_leave_here (c, 2 * MB);
  CHECK (hkm_retain_idle () == 0);
  CHECK (hkm_retain_admit (8 * MB));
  CHECK (!hkm_retain_admit_here (0, 1));
  hkm_retain_leave (8 * MB + 1);
}

/* What came and went in one processor's part was in use.  */
TEST (what_is_spare_is_wanted)
{
  hkm_retain_admit_here (3, 7 * MB);
  hkm_retain_unused ();
  hkm_retain_leave_here (3, 2 * MB);
  hkm_retain_admit_here (3, 2 * MB);
  CHECK (hkm_retain_unused () == 5 * MB);
  CHECK (hkm_retain_unused () == 7 * MB);
  hkm_retain_leave_here (3, 2 * MB);
  hkm_retain_admit_here (3, 2 * MB);
  CHECK (hkm_retain_unused () == 5 * MB);
  hkm_retain_leave_here (3, 7 * MB);
}

/* What anybody used is not said to be unused, wherever it came and went; and what
   a thread alone does not touch is said to be, but for what is spare.  */
TEST (what_was_used_is_not_unused)
{
  enum { CPUS = 4, BLOCKS = 16 };
  bool idle[CPUS * BLOCKS] = { false };
  size_t now = 0, least = 0, least_of_all = SIZE_MAX;
  uint32_t random = 7;
  hkm_retain_admit (50 * MB);
  hkm_retain_unused ();
  for (int i = 1; i <= 100000; i++)
    {
      random = random * 1664525 + 1013904223;
      unsigned block = (random >> 8) % (CPUS * BLOCKS);
      size_t bytes = (1 + block % 3) * MB;
      if (idle[block])
        hkm_retain_leave_here (random >> 20, bytes);
      else
        hkm_retain_admit_here (random >> 20, bytes);
      now += idle[block] ? -bytes : bytes;
      idle[block] = !idle[block];
      least = now < least ? now : least;
      if (i % 97 != 0)
        continue;
      size_t said = hkm_retain_unused ();
      least_of_all = said < least_of_all ? said : least_of_all;
      CHECKF (said <= least + 50 * MB, "%zu bytes for %zu", said, least);
      if (said > least + 50 * MB)
        break;
      least = now;
    }
  CHECK (least_of_all < 50 * MB); /* as not all is seen at one time */
  for (unsigned block = 0; block < CPUS * BLOCKS; block++)
    if (idle[block])
      hkm_retain_leave_here (block, (1 + block % 3) * MB);
  CHECK (hkm_retain_idle () == 50 * MB);
  hkm_retain_unused ();
  for (int i = 0; i < 1000; i++)
    {
      hkm_retain_admit_here (1, 2 * MB);
      hkm_retain_leave_here (1, 2 * MB);
    }
  CHECKF (hkm_retain_unused () == 50 * MB, "%zu", hkm_retain_unused ());
  hkm_retain_leave (50 * MB);
}

/* A budget that falls is seen by who looks, though nothing was admitted.  */
TEST (what_is_spare_goes_with_the_budget)
{
  hkm_retain_init (4 * MB);
  hkm_retain_live ((ptrdiff_t) 800 * MB);
  CHECK (hkm_retain_admit_here (0, 8 * MB));
  hkm_retain_leave_here (0, 8 * MB);
  hkm_retain_live (-(ptrdiff_t) 800 * MB);
  CHECK (hkm_retain_fits ());
  CHECK (hkm_retain_admit_here (0, 2 * MB));
  CHECK (hkm_retain_admit_here (0, 2 * MB));
  CHECK (!hkm_retain_admit_here (0, 2 * MB));
  hkm_retain_leave (6 * MB);
}

int
main (void)
{
  RUN (floor);
  RUN (share_of_live_memory);
  RUN (regret_is_forgotten);
  RUN (regret);
  RUN (late_want_is_no_regret);
  RUN (regret_fades);
  RUN (new_memory_is_no_regret);
  RUN (decay);
  RUN (sparse);
  RUN (strategies);
  RUN (earned_before);
  RUN (unused);
  RUN (each_processor_has_a_part);
  RUN (what_is_spare_is_not_idle);
  RUN (what_is_spare_is_wanted);
  RUN (what_was_used_is_not_unused);
  RUN (what_is_spare_goes_with_the_budget);
  return check_done ();
}
