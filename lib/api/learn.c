/* What the learners observe: gathered here, so that they know no heap.  The only
   file that includes them.  */
#include "api/learn.h"

#include "base/text.h"
#include "big/big.h"
#include "learn/learn.h"
#include "opts/opts.h"
#include "os/os.h"
#include "pool/run_cache.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"
#include "tiny/heap.h"

/* Page faults so far, if somebody is to learn from them: the one system call
   that learning makes, because nothing else tells what huge pages save.  */
static uint64_t
faults_so_far (void)
{
#ifdef HKM_WITH_THP
  if (hkm_opt (HKM_OPT_THP_LEARN))
    return hkm_os_faults ();
#endif
  return 0;
}

static void
observe (hkm_observation *now)
{
  hkm_superslab_facts slabs;
  hkm_big_facts big;

  now->heaps = hkm_heap_counts_all (&now->counts, now->refills, now->acquires);
  hkm_superslab_facts_get (&slabs, &now->counts);
  hkm_big_facts_get (&big, &now->counts);
  now->counts.value[HKM_COUNT_REGRET_BYTES] = hkm_retain_regretted ();
  hkm_run_pool_asked (now->runs, now->runs_new);
  for (unsigned i = 0; i < HKM_OS_CALLS; i++)
    now->calls[i] = hkm_os_calls ((enum hkm_os_call) i);
  now->live_bytes = hkm_retain_live_bytes ();
  now->slab_bytes
      = now->live_bytes > big.bytes ? now->live_bytes - big.bytes : 1;
  now->kept_bytes = hkm_retain_idle () + big.kept_bytes;
  now->unused_bytes = hkm_retain_unused ();
  now->faults = faults_so_far ();
}

void
hkm_api_learn_begin (void)
{
  hkm_learn_begin (observe);
}

void
hkm_api_learn_settled (hkm_policy *policy)
{
  hkm_learn_settled (policy);
}

void
hkm_api_learn_print (hkm_out *out)
{
  hkm_learn_print (out);
}

void
hkm_api_learn_print_json (hkm_out *out)
{
  hkm_learn_print_json (out);
}

bool
hkm_api_learn_get (const char *name, uint64_t *value)
{
  static const char names[][12] = { "windows", "trials", "kept", "converged" };
  hkm_learn_facts facts;

  hkm_learn_facts_get (&facts);
  const uint64_t values[]
      = { facts.windows, facts.trials, facts.kept, facts.converged };
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (hkm_text_is (name, names[i]))
      {
        *value = values[i];
        return true;
      }
  return false;
}
