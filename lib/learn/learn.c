/* See learn.h.  */
#include "learn/learn.h"
#include "learn/driver.h"
#include "opts/opts.h"
#include "os/arena.h"
#include "policy/tick.h"

/* The order of HAKMEM_LEARN_MODE's choices.  */
enum { MODE_AUTO, MODE_FROZEN, MODE_LEARN, MODE_CANARY };

/* Guarded by the tick's lock.  In the arena, as what is noted (policy/tick.c).  */
static struct learning
{
  void (*observe) (hkm_observation *now);
  hkm_driver driver;
  hkm_observation now;
  bool begun;
} *learning; /* NULL: nobody learns */

static void
feed_samples (void)
{
  uint32_t ns;
  while (hkm_tick_slow_take (&ns))
    hkm_driver_slow (&learning->driver, ns);
  for (unsigned i = 0; i < HKM_TICK_SIZES; i++)
    {
      unsigned count = hkm_tick_size_take (i);
      if (count != 0)
        hkm_driver_size (&learning->driver,
                         (size_t) (i + HKM_TICK_SIZE_FIRST) * HKM_MIN_ALIGN,
                         count);
    }
}

static uint64_t
tick (uint64_t time_ms)
{
  hkm_driver *driver = &learning->driver;
  learning->now.time_ms = time_ms;
  learning->observe (&learning->now);
  if (learning->begun)
    {
      feed_samples ();
      hkm_driver_window (driver, &learning->now);
    }
  else
    {
      uint64_t seed[2] = { hkm_opt (HKM_OPT_LEARN_SEED) };
      if (seed[0] == 0)
        hkm_os_random (seed);
      hkm_driver_init (driver, &learning->now,
                       hkm_opt (HKM_OPT_LEARN_MODE) != MODE_CANARY,
                       seed[0] * 0x9e3779b97f4a7c15u);
      learning->begun = true;
    }
  return time_ms + hkm_opt (HKM_OPT_LEARN_WINDOW_MS);
}

void
hkm_learn_begin (void (*observe) (hkm_observation *now))
{
  uint64_t mode = hkm_opt (HKM_OPT_LEARN_MODE);
  if (mode == MODE_FROZEN || (mode == MODE_AUTO && !hkm_opt (HKM_OPT_LEARN)))
    return;
  learning = hkm_arena_alloc (sizeof *learning, HKM_CACHE_LINE);
  if (learning == NULL)
    return;
  learning->observe = observe;
  (void) hkm_tick_begin (tick);
}

void
hkm_learn_settled (hkm_policy *policy)
{
  hkm_tick_hold ();
  if (learning != NULL && learning->begun)
    hkm_driver_settled (&learning->driver, policy);
  else
    hkm_policy_refresh (policy);
  hkm_tick_go_on ();
}

void
hkm_learn_facts_get (hkm_learn_facts *facts)
{
  *facts = (hkm_learn_facts) { 0 };
  if (learning == NULL)
    return;
  hkm_tick_hold ();
  const hkm_driver *d = &learning->driver;
  *facts = (hkm_learn_facts) { d->windows, d->trials, d->kept,
                               d->drift.frozen };
  hkm_tick_go_on ();
}

void
hkm_learn_print (hkm_out *out)
{
  hkm_tick_hold ();
  if (learning != NULL && learning->begun)
    hkm_driver_print (out, &learning->driver);
  hkm_tick_go_on ();
}

void
hkm_learn_print_json (hkm_out *out)
{
  hkm_tick_hold ();
  if (learning != NULL && learning->begun)
    hkm_driver_print_json (out, &learning->driver);
  else
    hkm_out_printf (out, "  \"learning\": null,\n");
  hkm_tick_go_on ();
}
