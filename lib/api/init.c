/* The process's first call, and what is left to do at its end.  Lazy, because
   the first block is wanted before any constructor runs; nothing here allocates
   a block.  */
#include "api/api.h"
#include "api/learn.h"
#include "api/report.h"
#include "base/atomic.h"
#include "base/lock.h"
#include "big/big.h"
#include "learn/site.h"
#include "map/map.h"
#include "opts/opts.h"
#include "os/os.h"
#include "policy/file.h"
#include "policy/policy.h"
#include "pool/run_cache.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"
#include "thread/helper.h"
#include "thread/thread.h"

bool hkm_opted_out;

static hkm_lock init_lock = HKM_LOCK_INIT (HKM_RANK_INIT);
static uint32_t init_done; /* 1 once everything below is constant; release */

static uint64_t
mixed (uint64_t x)
{
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* The secret from the kernel's 128 random bits.  libc makes its stack and
   pointer guards of the same bits, so it mixes both halves: 64 bits that may
   leak can't be turned back into either.  */
static void
make_secret (void)
{
  uint64_t r[2];
  hkm_os_random (r);
  hkm_secret_key = (uintptr_t) (mixed (r[0] ^ 0x9e3779b97f4a7c15u)
                                ^ mixed (r[1] + 0x7f4a7c159e3779b9u))
                   | 1;
}

static HKM_COLD bool
init_slow (void)
{
  bool first = false;
  if (hkm_lock_interrupts ()) /* perhaps this very function */
    return false;
  hkm_lock_take (&init_lock);
  if (!hkm_load_relaxed (&init_done))
    {
      first = true;
      hkm_os_start ();
      hkm_map_init ();
      hkm_opts_load ();
      make_secret ();
#ifdef HKM_WITH_THP
      /* auto needs no answer: then the kernel's own limits do.  */
      if (hkm_opt (HKM_OPT_THP) != HKM_THP_AUTO)
        hkm_os_thp_read ();
#endif
      hkm_policy_init ();
      hkm_os_limit (hkm_opt (HKM_OPT_LIMIT));
      hkm_retain_init (hkm_opt (HKM_OPT_RETAIN));
      hkm_run_pool_init ();
      hkm_retain_set_delay (hkm_opt (HKM_OPT_PURGE_DELAY_MS));
      hkm_big_init ();
      hkm_thread_init ();
      hkm_opted_out = hkm_sanitizer_find () || hkm_opt (HKM_OPT_DISABLE) != 0;
      /* Before the first heap, so that none starts with another.  */
      if (!hkm_opted_out)
        {
          hkm_retain_earn (hkm_policy_at_start ());
          hkm_site_init ();
        }
      hkm_store_release (&init_done, 1);
    }
  hkm_lock_give (&init_lock);
  if (first)
    {
      /* From here on this thread may allocate.  */
      if (!hkm_opted_out)
        hkm_thread_init_fork ();
      hkm_report_start ();
      if (hkm_opt (HKM_OPT_HELP))
        hkm_opts_help ();
      if (!hkm_opted_out)
        {
          hkm_api_learn_begin ();
          hkm_helper_begin ();
        }
      if (hkm_opt (HKM_OPT_TINY_PREWARM) && !hkm_opted_out)
        hkm_superslab_prewarm ((unsigned) hkm_opt (HKM_OPT_TINY_PREWARM));
    }
  return hkm_opted_out;
}

bool
hkm_init (void)
{
  if (hkm_likely (hkm_load_acquire (&init_done)))
    return hkm_opted_out;
  return init_slow ();
}

/* True if ENTRY starts with HAKMEM_.  Told letter by letter: a string constant
   lies in a part of the library that a process without a call of ours would
   fault in for this alone.  */
static bool
is_ours (const char *e)
{
  return e[0] == 'H' && e[1] == 'A' && e[2] == 'K' && e[3] == 'M'
         && e[4] == 'E' && e[5] == 'M' && e[6] == '_';
}

/* True if the environment has a HAKMEM_ variable that may want something said.
   Other processes without a call of ours, /bin/true for one, are spared the
   start.  */
static HKM_COLD bool
has_variables (void)
{
  char **entry = hkm_os_environ ();
  for (; entry != NULL && *entry != NULL; entry++)
    if (is_ours (*entry))
      return !hkm_os_secure ();
  return false;
}

/* A library's destructors run while others' code is still to come, so this one
   only looks.  Under AT_SECURE no file is written, whatever the options say.  */
__attribute__ ((destructor)) static void
at_exit (void)
{
  bool used = hkm_load_acquire (&init_done) != 0;

  if ((!used && !has_variables ()) || hkm_lock_interrupts () || hkm_init ())
    return;
  hkm_report_at_exit ();
  if (used) /* or else the policy is what the options say */
    hkm_policy_at_exit (hkm_api_learn_settled, hkm_retain_earned ());
}
