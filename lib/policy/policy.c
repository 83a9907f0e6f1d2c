/* The published policy: made from the options, replaced as a whole.  */
#include "policy/policy.h"
#include "base/lock.h"
#include "opts/opts.h"
#include "policy/dyn.h"

static hkm_lock policy_lock = HKM_LOCK_INIT (HKM_RANK_POLICY);
static hkm_policy published;    /* guarded by policy_lock */
/* Written under it, read by anybody; relaxed.  */
uint32_t hkm_policy_generation, hkm_policy_retain_strategy;

/* The magazine keeps mid blocks by count; beyond this many bytes of one class
   a thread would hold more idle memory than its speed is worth.  */
#define MAGAZINE_BYTES ((uint32_t) 512 << 10)

#define KNOB(option_, member_)                                                \
  { HKM_OPT_##option_, offsetof (hkm_policy, member_) }
const hkm_knob hkm_knob_table[HKM_KNOBS] = {
  KNOB (TINY_DRAIN_INTERVAL, interval),
  KNOB (TINY_BUMP_CHUNK, bump_bytes),
  KNOB (TINY_RETURN_FRACTION, return_fraction),
  KNOB (TINY_WARM_CAP, warm_cap),
  KNOB (CAP_MID, mid_cap),
  KNOB (CAP_LARGE, run_cap),
  KNOB (LARGE_BUNDLE, run_bundle),
  KNOB (WMAX_LARGE, run_wmax),
  KNOB (TINY_SLAB_REUSE_GUARD, reuse_guard),
  KNOB (SS_AFFINITY, affinity),
  KNOB (SS_LRU, lru_cap),
  KNOB (BIGCACHE_STRATEGY, bigcache_strategy),
  KNOB (RETAIN_STRATEGY, retain_strategy),
  KNOB (THP, thp),
  KNOB (THP_THRESHOLD, thp_threshold),
  KNOB (MID_DYN1, dyn[0]),
  KNOB (MID_DYN2, dyn[1]),
  KNOB (WMAX_MID, wmax),
};

/* ---- as the options say ---- */

static bool
on_magazine (unsigned group, bool ultra)
{
#ifdef HKM_WITH_TINY_SLL
  if (ultra) /* ultra groups never use the magazine */
    return false;
  if (group == HKM_GROUP_MID)
    return true;
  return !hkm_opt (HKM_OPT_TINY_HOTHEAP_V2)
         || !(hkm_opt (HKM_OPT_TINY_HOTHEAP_CLASSES) >> group & 1);
#else
  (void) group, (void) ultra;
  return false;
#endif
}

static bool
is_ultra (unsigned group)
{
#ifdef HKM_WITH_ULTRA
  return group < HKM_GROUP_MID && hkm_opt (HKM_OPT_TINY_C7_ULTRA)
         && (hkm_opt (HKM_OPT_TINY_ULTRA_CLASSES) >> group & 1);
#else
  (void) group;
  return false;
#endif
}

uint32_t
hkm_policy_block (const hkm_policy *policy, unsigned cls)
{
  return hkm_class_is_dynamic (cls) ? policy->dyn[cls - HKM_CLASS_DYN]
                                    : hkm_class[cls].size;
}

uint32_t
hkm_policy_cap_max (const hkm_policy *policy, unsigned cls)
{
  uint32_t most = (uint32_t) hkm_opts_row (HKM_OPT_TINY_SLL_CAP)->max;
  uint32_t block = hkm_policy_block (policy, cls);
  uint32_t fit = MAGAZINE_BYTES / (block != 0 ? block : HKM_MID_MAX);
  return fit < most ? fit : most;
}

uint32_t
hkm_policy_warm_max (unsigned cls)
{
  bool mid = hkm_class[cls].group == HKM_GROUP_MID;
  uint64_t most = hkm_opts_row (mid ? HKM_OPT_CAP_MID
                                    : HKM_OPT_TINY_WARM_CAP)->max;
  return most < UINT8_MAX ? (uint32_t) most : UINT8_MAX;
}

uint32_t
hkm_policy_run_max (void)
{
  return (uint32_t) hkm_opts_row (HKM_OPT_CAP_LARGE)->max;
}

/* Of the longest mid slab; for dynamic classes, whose slabs may be of any.  */
enum { MID_SLOTS = 8 };

/* Empty slabs kept of class C: of a mid class whole slabs for its slots, at
   least one unless it is to have none.  */
static uint8_t
warm_of_knobs (const hkm_policy *policy, unsigned c)
{
  if (hkm_class[c].group != HKM_GROUP_MID)
    return (uint8_t) policy->warm_cap;
  unsigned slots = hkm_class_is_dynamic (c) ? MID_SLOTS : hkm_class[c].slots;
  uint32_t slabs = (policy->mid_cap + slots - 1) / slots;
  return (uint8_t) (slabs < UINT8_MAX ? slabs : UINT8_MAX);
}

/* A half for each doubling, so that all classes may have as many bytes; at
   least one, unless there are to be none.  */
static uint32_t
run_most_of_knobs (const hkm_policy *policy, unsigned k)
{
  uint32_t most = policy->run_cap >> k;
  return most != 0 || policy->run_cap == 0 ? most : 1;
}

HKM_COLD void
hkm_policy_keep_as_knobs (hkm_policy *policy)
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    policy->cls[c].warm = warm_of_knobs (policy, c);
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    policy->run_most[k] = run_most_of_knobs (policy, k);
}

static HKM_COLD hkm_class_policy
class_policy_of_options (const hkm_policy *policy, unsigned c)
{
  hkm_class_policy p = { 0 };
  unsigned group = hkm_class[c].group;
  unsigned list = group < HKM_GROUP_MID ? group : 7;
  bool ultra = is_ultra (group);
  p.domain = ultra ? (uint8_t) (group + 1) : 0;
  p.magazine = on_magazine (group, ultra);
  p.remote = (uint16_t) hkm_opt_list (HKM_OPT_TINY_REMOTE_DRAIN_THRESH, list);
  uint32_t cap = (uint32_t) hkm_opt (HKM_OPT_TINY_SLL_CAP);
  uint32_t most = hkm_policy_cap_max (policy, c);
  if (cap > most)
    cap = most;
  p.cap = (uint16_t) cap;
  uint32_t batch = (uint32_t) hkm_opt (
      group < 4 ? HKM_OPT_TINY_REFILL_COUNT_HOT : HKM_OPT_TINY_REFILL_COUNT_MID);
  p.batch = (uint16_t) (batch > cap / 2 ? cap / 2 : batch);
  return p;
}

/* ---- publication ---- */

static void
next_generation_locked (void)
{
  if (++published.generation == 0)
    published.generation = 1;
  hkm_store_relaxed (&hkm_policy_generation, published.generation);
}

/* False, and nothing changes: the class tables can't.  */
static bool
publish_locked (const hkm_policy *next)
{
  uint32_t generation = published.generation;
#ifdef HKM_WITH_DYN_CLASSES
  /* First: who sees the new generation gives up what is closed.  */
  if (!hkm_dyn_want_locked (next->dyn))
    return false;
#endif
  published = *next;
  published.generation = generation;
#ifndef HKM_WITH_SS_LRU
  published.lru_cap = 0;
#endif
#ifndef HKM_WITH_THP
  published.thp = HKM_THP_OFF;
#endif
#ifndef HKM_WITH_DYN_CLASSES
  published.dyn[0] = published.dyn[1] = 0;
#endif
#ifndef HKM_WITH_BUNDLE
  published.run_bundle = 1;
#endif
#ifndef HKM_WITH_WMAX
  published.wmax = published.run_wmax = 100;
#endif
  hkm_store_relaxed (&hkm_policy_retain_strategy, published.retain_strategy);
  next_generation_locked ();
  return true;
}

void
hkm_policy_settle (void)
{
#ifdef HKM_WITH_DYN_CLASSES
  hkm_lock_take (&policy_lock);
  if (hkm_dyn_settle_locked ())
    next_generation_locked (); /* heaps use the class again */
  hkm_lock_give (&policy_lock);
#endif
}

void
hkm_policy_init (void)
{
  hkm_policy p = { 0 };
  for (unsigned k = 0; k < HKM_KNOBS; k++)
    *hkm_policy_knob (&p, k)
        = (uint32_t) hkm_opt ((enum hkm_opt_id) hkm_knob_table[k].option);
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    p.cls[c] = class_policy_of_options (&p, c);
  hkm_policy_keep_as_knobs (&p);
  hkm_lock_take (&policy_lock);
  if (!publish_locked (&p))
    {
      p.dyn[0] = p.dyn[1] = 0;
      HKM_CHECK (publish_locked (&p));
    }
  hkm_lock_give (&policy_lock);
}

static bool
class_is_valid (const hkm_policy *policy, unsigned c)
{
  const hkm_class_policy *p = &policy->cls[c];
  return p->cap >= 2 && p->cap <= hkm_policy_cap_max (policy, c)
         && p->batch >= 1 && p->batch <= p->cap / 2
         && p->warm <= hkm_policy_warm_max (c)
         && hkm_opts_takes (HKM_OPT_TINY_REMOTE_DRAIN_THRESH, p->remote);
}

static HKM_COLD bool
is_valid (const hkm_policy *next)
{
  hkm_policy copy = *next; /* the knobs' accessor wants it writable */
  for (unsigned k = 0; k < HKM_KNOBS; k++)
    if (!hkm_opts_takes ((enum hkm_opt_id) hkm_knob_table[k].option,
                         *hkm_policy_knob (&copy, k)))
      return false;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    if (!class_is_valid (next, c))
      return false;
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    if (next->run_most[k] > hkm_policy_run_max ())
      return false;
  return next->dyn[0] == 0 || next->dyn[0] != next->dyn[1];
}

static bool
keeps_what_is_fixed_locked (const hkm_policy *next)
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    if (next->cls[c].magazine != published.cls[c].magazine
        || next->cls[c].domain != published.cls[c].domain)
      return false;
  return true;
}

static bool
publish_valid_locked (const hkm_policy *next)
{
  return is_valid (next) && keeps_what_is_fixed_locked (next)
         && publish_locked (next);
}

bool
hkm_policy_publish (const hkm_policy *next)
{
  hkm_lock_take (&policy_lock);
  bool may = publish_valid_locked (next);
  hkm_lock_give (&policy_lock);
  return may;
}

bool
hkm_policy_change (bool (*change) (hkm_policy *next, void *with), void *with)
{
  hkm_lock_take (&policy_lock);
  hkm_policy next = published;
  bool may = change (&next, with);
  for (unsigned c = HKM_CLASS_DYN; c < HKM_CLASSES; c++)
    if (hkm_policy_block (&next, c) != hkm_policy_block (&published, c))
      {
        next.cls[c] = class_policy_of_options (&next, c);
        next.cls[c].warm = warm_of_knobs (&next, c);
      }
  may = may && publish_valid_locked (&next);
  hkm_lock_give (&policy_lock);
  return may;
}

struct knob_value { unsigned k; uint64_t value; };

static bool
set_knob (hkm_policy *next, void *with)
{
  const struct knob_value *to = with;
  uint32_t *knob = hkm_policy_knob (next, to->k);
  bool keeps = knob == &next->warm_cap || knob == &next->mid_cap
               || knob == &next->run_cap;
  *knob = (uint32_t) to->value;
  if (keeps)
    hkm_policy_keep_as_knobs (next);
  return to->value <= UINT32_MAX;
}

bool
hkm_policy_set (unsigned k, uint64_t value)
{
  struct knob_value to = { k, value };
  return hkm_policy_change (set_knob, &to);
}

bool
hkm_policy_refresh (hkm_policy *mine)
{
  if (!hkm_policy_is_stale (mine))
    return false;
  hkm_lock_take (&policy_lock);
  *mine = published;
  hkm_lock_give (&policy_lock);
  return true;
}

void
hkm_policy_fork_prepare (void)
{
  hkm_lock_take (&policy_lock);
}

void
hkm_policy_fork_done (void)
{
  hkm_lock_give (&policy_lock);
}
