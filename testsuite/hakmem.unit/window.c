/* What is made of two observations: the factors that learners are rewarded by.  */
#include "learn/window.h"
#include "check.h"

#include <string.h>

static hkm_observation before, after;
static hkm_window window;

static void
begin (void)
{
  memset (&window, 0, sizeof window);
  memset (&before, 0, sizeof before);
  memset (&after, 0, sizeof after);
}

/* A second of HEAPS heaps, in which blocks of so many bytes came and went and cold
   calls took COLD_MS.  */
static void
make (uint32_t heaps, uint64_t bytes, uint64_t cold_ms)
{
  before = after;
  after.time_ms += 1000;
  after.heaps = heaps;
  after.counts.value[HKM_COUNT_RUN_ASKED_BYTES] += bytes;
  after.counts.value[HKM_COUNT_RUN_BYTES] += bytes;
  after.counts.value[HKM_COUNT_REFILL] += cold_ms * 1000000 / 40;
  hkm_window_make (&window, &before, &after);
}

static bool
is_near (uint64_t n, uint64_t other)
{
  return n >= other - other / 50 && n <= other + other / 50;
}

#define SECOND ((uint64_t) 1000000000)
/* What is priced at a second of work.  */
#define SECOND_BYTES (SECOND / 20 * 1000)

TEST (no_more_work_than_there_was_time_for)
{
  begin ();
  make (1, SECOND_BYTES / 2, 0);
  CHECKF (is_near (window.work_ns, SECOND / 2), "%llu ns",
          (unsigned long long) window.work_ns);
  begin ();
  for (int i = 0; i < 3; i++)
    make (1, 7 * SECOND_BYTES, 100);
  CHECKF (is_near (window.work_ns, SECOND), "%llu ns",
          (unsigned long long) window.work_ns);
  CHECK (is_near ((uint64_t) window.time, HKM_FIX (11, 10)));
  begin ();
  make (4, 7 * SECOND_BYTES, 0); /* by four at a time */
  CHECK (is_near (window.work_ns, 4 * SECOND));
  begin ();
  make (0, 7 * SECOND_BYTES, 0); /* by nobody knows how many */
  CHECK (is_near (window.work_ns, 7 * SECOND));
}

/* A window whose two ends the clock told wrong changes little, and idle ones
   nothing.  */
TEST (of_late)
{
  begin ();
  for (int i = 0; i < 64; i++)
    make (1, 7 * SECOND_BYTES, 0);
  after.time_ms += 500; /* half a second more */
  make (1, 7 * SECOND_BYTES, 0);
  CHECKF (window.work_ns < SECOND + SECOND / 20, "%llu ns",
          (unsigned long long) window.work_ns);
  for (int i = 0; i < 64; i++)
    make (1, 0, 0);
  CHECK (window.work_ns == 0);
  make (1, 7 * SECOND_BYTES, 0);
  CHECKF (window.work_ns < SECOND + SECOND / 20, "%llu ns",
          (unsigned long long) window.work_ns);
}

/* GIVEN percent of what was asked for, by slabs that have SLABS percent of the
   memory; half of the rest is idle.  */
static hkm_fix
waste (uint64_t given, uint64_t slabs)
{
  begin ();
  after.counts.value[HKM_COUNT_RUN_ASKED_BYTES] = 1000000;
  after.counts.value[HKM_COUNT_RUN_BYTES] = 10000 * given;
  after.slab_bytes = slabs * 1000;
  after.kept_bytes = (100 - slabs) * 1000 / 2;
  after.live_bytes = 100 * 1000 - after.kept_bytes;
  hkm_window_make (&window, &before, &after);
  return window.waste;
}

TEST (waste_is_of_all_memory)
{
  CHECK (waste (100, 50) == HKM_FIX_ONE && waste (90, 50) == HKM_FIX_ONE);
  CHECK (is_near ((uint64_t) waste (130, 100), HKM_FIX (130, 100)));
  CHECK (is_near ((uint64_t) waste (130, 50), HKM_FIX (115, 100)));
  CHECK (is_near ((uint64_t) waste (130, 10), HKM_FIX (103, 100)));
  CHECK (is_near ((uint64_t) waste (130, 0), HKM_FIX (130, 100))); /* not known */
}

int
main (void)
{
  RUN (no_more_work_than_there_was_time_for);
  RUN (of_late);
  RUN (waste_is_of_all_memory);
  return check_done ();
}
