/* The retention budget: counters, updated with relaxed atomics.  It is a policy, not
   an account of ownership, so that a moment's imprecision between two threads does
   no harm.  A fork while another thread is between two steps leaves the child's sums
   up to 8 MiB off.  */
#include "superslab/retain.h"
#include "base/atomic.h"
#include "os/os.h"
#include "policy/policy.h"

/* Memory purged longer ago than this is not regretted when it is wanted.  */
#define REGRET_MS 1000
/* Regret that was of no use for this long is halved.  */
#define FORGET_MS 2000
/* Who had so much purged and wanted it again goes on using what it has.  */
#define MUCH_REGRET ((size_t) 64 << 20)

/* In the order of HAKMEM_RETAIN_STRATEGY's choices.  */
static const struct parts { bool share, regret; } kept_by[] = {
  { true, true }, { true, false }, { false, false },
};
static size_t floor_bytes;
static size_t idle, remote_idle, sparse_idle, live, regret, recently_purged;
/* The most that was purged and not wanted again, plus what was idle then: no
   budget beyond it would have been of use.  */
static size_t useful;
/* Constant after init.  */
static void (*reclaim_other) (void);
static size_t (*drain_runs) (bool all);
static uint64_t purged_at, regret_at, regretted;
/* The least that was in `idle' since the three below were lowered.  */
static size_t low_word;
/* Least idle memory since window_at: what nobody wanted in all that time.  */
static size_t low_idle;
static uint64_t window_at;
/* The same since the learners last asked.  */
static size_t unused;
/* The same for decay, and the budget while it goes on, plus 1 (0: it doesn't). */
static size_t decay_low, decay_cap;
static uint64_t decay_at, delay; /* delay: constant after init */

/* What comes and goes all the time would have all processors write the same words.
   So up to PART_MOST bytes that left idle memory stay in `idle', spare, for what
   comes next on that processor; and as many may be live, or live no more, without
   being in `live': who admits sees an eighth of that more or less in its budget,
   who gives back does not.  */
enum { PARTS = 8 };
#define PART_MOST ((size_t) 8 << 20)
static struct part
{
  HKM_ALIGNED (HKM_CACHE_LINE) size_t spare; /* of `idle', and not idle */
  size_t most; /* that was spare since `low_word' was set */
  size_t live; /* may be below zero */
} parts[PARTS];

void
hkm_retain_init (size_t floor)
{
  hkm_store_relaxed (&floor_bytes, floor);
  hkm_store_relaxed (&regret, 0);
  hkm_store_relaxed (&recently_purged, 0);
}

/* What leaves may be seen before it is seen to come: below zero is nothing.  */
static size_t
at_least_none (size_t bytes)
{
  return bytes <= PTRDIFF_MAX ? bytes : 0;
}

HKM_COLD size_t
hkm_retain_idle (void)
{
  size_t bytes = hkm_load_relaxed (&idle);
  for (unsigned i = 0; i < PARTS; i++)
    bytes -= hkm_load_relaxed (&parts[i].spare);
  return at_least_none (bytes);
}

/* What the budget is made of.  */
static struct parts
in_force (void)
{
  uint32_t choice = hkm_load_relaxed (&hkm_policy_retain_strategy);
  HKM_ASSERT (choice < sizeof kept_by / sizeof *kept_by);
  return kept_by[choice];
}

static size_t
regret_of (struct parts by)
{
  return by.regret ? hkm_load_relaxed (&regret) : 0;
}

HKM_COLD size_t
hkm_retain_earned (void)
{
  return hkm_load_relaxed (&regret);
}

/* Regret grows to the most that was of use at any time.  What is wanted beyond half
   of that is earned again by being purged once; all of it from the start is kept.  */
HKM_COLD void
hkm_retain_earn (size_t bytes)
{
  if (bytes / 2 <= hkm_load_relaxed (&regret))
    return;
  hkm_store_relaxed (&regret_at, hkm_os_clock_ms ());
  hkm_store_relaxed (&regret, bytes / 2);
}

bool
hkm_retain_goes_on (void)
{
  return regret_of (in_force ()) >= MUCH_REGRET;
}

/* The budget if LIVE_BYTES are live.  */
static size_t
budget_for (size_t live_bytes)
{
  struct parts by = in_force ();
  size_t share = by.share ? live_bytes / 8 : 0;
  size_t least = hkm_load_relaxed (&floor_bytes);
  size_t budget = share > least ? share : least;
  budget += regret_of (by);
  size_t cap = hkm_load_relaxed (&decay_cap) - 1;
  return budget < cap ? budget : cap;
}

HKM_COLD size_t
hkm_retain_live_bytes (void)
{
  size_t bytes = hkm_load_relaxed (&live);
  for (unsigned i = 0; i < PARTS; i++)
    bytes += hkm_load_relaxed (&parts[i].live);
  return at_least_none (bytes);
}

size_t
hkm_retain_live_near (void)
{
  return at_least_none (hkm_load_relaxed (&live));
}

HKM_COLD size_t
hkm_retain_budget (void)
{
  return budget_for (hkm_retain_live_bytes ());
}

uint64_t
hkm_retain_regretted (void)
{
  return hkm_load_relaxed (&regretted);
}

static void
lower (size_t *least, size_t now)
{
  if (now < hkm_load_relaxed (least))
    hkm_store_relaxed (least, now);
}

/* What was least at any time since the last call is known to all who ask; or
   somewhat less, as the parts' spare bytes were most at a time of their own.  */
static HKM_COLD void
note_low (void)
{
  size_t now = hkm_load_relaxed (&idle), low = hkm_load_relaxed (&low_word);
  if (now < low)
    low = now;
  for (unsigned i = 0; i < PARTS; i++)
    {
      size_t spare = hkm_load_relaxed (&parts[i].spare);
      size_t most = hkm_load_relaxed (&parts[i].most);
      low -= most > spare ? most : spare;
      hkm_store_relaxed (&parts[i].most, spare);
    }
  hkm_store_relaxed (&low_word, now);
  low = at_least_none (low);
  lower (&low_idle, low);
  lower (&decay_low, low);
  lower (&unused, low);
}

/* True if idle memory is within its budget, once what is spare has left it. */
static HKM_COLD bool
fits_settled (void)
{
  for (unsigned i = 0; i < PARTS; i++)
    if (hkm_load_relaxed (&parts[i].spare) != 0)
      hkm_retain_leave (hkm_exchange_acquire (&parts[i].spare, 0));
  return hkm_retain_idle () <= hkm_retain_budget ();
}

bool
hkm_retain_fits (void)
{
  return at_least_none (hkm_load_relaxed (&idle)) <= hkm_retain_budget ()
         || fits_settled ();
}

HKM_COLD size_t
hkm_retain_unused (void)
{
  note_low ();
  size_t least = hkm_load_relaxed (&unused);
  hkm_store_relaxed (&unused, hkm_retain_idle ());
  return least;
}

bool
hkm_retain_tick (void)
{
  uint64_t now = hkm_os_clock_ms ();
  if (now - hkm_load_relaxed (&window_at) < FORGET_MS)
    return false;
  note_low ();
  size_t had = hkm_load_relaxed (&regret);
  size_t idled = hkm_load_relaxed (&low_idle) / 2;
  hkm_store_relaxed (&window_at, now);
  hkm_store_relaxed (&low_idle, hkm_retain_idle ());
  if (had == 0 || idled == 0)
    return false;
  hkm_store_relaxed (&regret, had - (idled < had ? idled : had));
  return !hkm_retain_fits ();
}

void
hkm_retain_set_delay (uint64_t delay_ms)
{
  delay = delay_ms;
}

bool
hkm_retain_decay (void)
{
  if (delay == 0)
    return false;
  uint64_t now = hkm_os_clock_ms (), since = hkm_load_relaxed (&decay_at);
  if (now - since < delay)
    return false;
  /* Of those that find the time has come, one acts.  */
  if (!hkm_cas_acquire (&decay_at, &since, now))
    return false;
  note_low ();
  size_t low = hkm_load_relaxed (&decay_low), has = hkm_retain_idle ();
  hkm_store_relaxed (&decay_low, has > low ? has - low : 0);
  if (since == 0 || low == 0)
    {
      hkm_store_relaxed (&decay_low, has);
      return false;
    }
  hkm_store_relaxed (&decay_cap, (has > low ? has - low : 0) + 1);
  return true;
}

void
hkm_retain_decayed (void)
{
  hkm_store_relaxed (&decay_cap, 0);
}

bool
hkm_retain_admit_tended (size_t bytes)
{
  size_t now = hkm_fetch_add_relaxed (&idle, bytes) + bytes;
  return at_least_none (now) <= budget_for (hkm_retain_live_near ())
         || fits_settled ();
}

bool
hkm_retain_admit_here (unsigned cpu, size_t bytes)
{
  size_t *spare = &parts[cpu % PARTS].spare;
  size_t part, had = hkm_load_relaxed (spare);
  do
    part = had < bytes ? had : bytes;
  while (part != 0 && !hkm_cas_acquire (spare, &had, had - part));
  return part == bytes || hkm_retain_admit_tended (bytes - part);
}

void
hkm_retain_leave_here (unsigned cpu, size_t bytes)
{
  struct part *p = &parts[cpu % PARTS];
  size_t spare = hkm_fetch_add_relaxed (&p->spare, bytes) + bytes;
  if (spare > hkm_load_relaxed (&p->most))
    hkm_store_relaxed (&p->most, spare);
  if (spare > PART_MOST && hkm_cas_acquire (&p->spare, &spare, PART_MOST / 2))
    hkm_retain_leave (spare - PART_MOST / 2);
}

bool
hkm_retain_admit (size_t bytes)
{
  hkm_retain_tick ();
  return hkm_retain_admit_tended (bytes);
}

bool
hkm_retain_admit_remote (size_t bytes)
{
  hkm_fetch_add_relaxed (&idle, bytes);
  size_t now = hkm_fetch_add_relaxed (&remote_idle, bytes) + bytes;
  return at_least_none (now) <= hkm_load_relaxed (&floor_bytes);
}

void
hkm_retain_leave_remote (size_t bytes)
{
  hkm_fetch_sub_relaxed (&remote_idle, bytes);
  hkm_retain_leave (bytes);
}

HKM_COLD bool
hkm_retain_admit_sparse (size_t bytes)
{
  size_t now = hkm_fetch_add_relaxed (&sparse_idle, bytes) + bytes;
  return hkm_retain_admit (bytes)
         && at_least_none (now)
              <= hkm_load_relaxed (&floor_bytes)
                   + regret_of (in_force ());
}

HKM_COLD void
hkm_retain_leave_sparse (size_t bytes)
{
  hkm_fetch_sub_relaxed (&sparse_idle, bytes);
  hkm_retain_leave (bytes);
}

void
hkm_retain_leave (size_t bytes)
{
  size_t now = hkm_fetch_sub_relaxed (&idle, bytes) - bytes;
  lower (&low_word, at_least_none (now));
}

HKM_COLD void
hkm_retain_purged (size_t bytes)
{
  uint64_t now = hkm_os_clock_ms ();
  if (now - hkm_load_relaxed (&purged_at) > REGRET_MS)
    {
      hkm_store_relaxed (&recently_purged, 0);
      hkm_store_relaxed (&useful, 0);
    }
  hkm_store_relaxed (&purged_at, now);
  size_t all = hkm_fetch_add_relaxed (&recently_purged, bytes) + bytes;
  all += hkm_retain_idle ();
  if (all > hkm_load_relaxed (&useful))
    hkm_store_relaxed (&useful, all);
  /* Purging although regret raised the budget: it is not what is needed.  */
  if (now - hkm_load_relaxed (&regret_at) > FORGET_MS)
    {
      hkm_store_relaxed (&regret, hkm_load_relaxed (&regret) / 2);
      hkm_store_relaxed (&regret_at, now);
    }
}

HKM_COLD void
hkm_retain_wanted (size_t bytes)
{
  size_t purged = hkm_load_relaxed (&recently_purged);
  if (purged == 0)
    return;
  uint64_t now = hkm_os_clock_ms ();
  if (now - hkm_load_relaxed (&purged_at) > REGRET_MS)
    {
      hkm_store_relaxed (&recently_purged, 0);
      return;
    }
  /* Each purged byte is regretted once, and never more than there are.  */
  size_t most;
  do
    most = bytes < purged ? bytes : purged;
  while (!hkm_cas_acquire (&recently_purged, &purged, purged - most));
  bytes = most;
  hkm_fetch_add_relaxed (&regretted, bytes);
  size_t had = hkm_load_relaxed (&regret), enough = hkm_load_relaxed (&useful);
  if (had < enough)
    hkm_store_relaxed (&regret, had + bytes < enough ? had + bytes : enough);
  hkm_store_relaxed (&regret_at, now);
}

void
hkm_retain_live (ptrdiff_t bytes)
{
  hkm_fetch_add_relaxed (&live, (size_t) bytes);
}

void
hkm_retain_live_here (unsigned cpu, ptrdiff_t bytes)
{
  size_t *part = &parts[cpu % PARTS].live, change = (size_t) bytes;
  change += hkm_fetch_add_relaxed (part, change);
  if (change + PART_MOST > 2 * PART_MOST)
    hkm_fetch_add_relaxed (&live, hkm_exchange_acquire (part, 0));
}

void
hkm_retain_set_reclaim (void (*reclaim) (void))
{
  reclaim_other = reclaim;
}

void
hkm_retain_set_drain (size_t (*drain) (bool all))
{
  drain_runs = drain;
}

bool
hkm_retain_drain (void)
{
  return drain_runs != NULL && drain_runs (true) > 0;
}

HKM_COLD void
hkm_retain_reclaim (void)
{
  if (drain_runs != NULL && !hkm_retain_fits ())
    drain_runs (false);
  if (reclaim_other != NULL && !hkm_retain_fits ())
    reclaim_other ();
}
