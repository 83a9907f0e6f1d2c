/* The shipped policy, from the options.  */
#include "policy/policy.h"
#include "opts/opts.h"

hkm_policy hkm_policy_now;

/* The magazine keeps mid blocks by count; beyond this many bytes of one class
   a thread would hold more idle memory than its speed is worth.  */
#define MAGAZINE_BYTES ((uint32_t) 512 << 10)

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

static void
class_policy_init (unsigned c)
{
  hkm_class_policy *p = &hkm_policy_now.cls[c];
  unsigned group = hkm_class[c].group;
  unsigned list = group < HKM_GROUP_MID ? group : 7;
  bool ultra = is_ultra (group);
  p->domain = ultra ? (uint8_t) (group + 1) : 0;
  p->magazine = on_magazine (group, ultra);
  p->remote = (uint16_t) hkm_opt_list (HKM_OPT_TINY_REMOTE_DRAIN_THRESH, list);
  uint32_t cap = (uint32_t) hkm_opt (HKM_OPT_TINY_SLL_CAP);
  uint32_t most = MAGAZINE_BYTES / hkm_class[c].size;
  if (cap > most)
    cap = most;
  if (cap < 2)
    cap = 2;
  p->cap = (uint16_t) cap;
  uint32_t batch = (uint32_t) hkm_opt (
      group < 4 ? HKM_OPT_TINY_REFILL_COUNT_HOT : HKM_OPT_TINY_REFILL_COUNT_MID);
  p->batch = (uint16_t) (batch > cap / 2 ? cap / 2 : batch);
}

void
hkm_policy_init (void)
{
  hkm_policy *p = &hkm_policy_now;
  p->interval = (uint32_t) hkm_opt (HKM_OPT_TINY_DRAIN_INTERVAL);
  p->bump_bytes = (uint32_t) hkm_opt (HKM_OPT_TINY_BUMP_CHUNK);
  p->return_fraction = (uint32_t) hkm_opt (HKM_OPT_TINY_RETURN_FRACTION);
  p->warm_cap = (uint32_t) hkm_opt (HKM_OPT_TINY_WARM_CAP);
  p->run_cap = (uint32_t) hkm_opt (HKM_OPT_CAP_LARGE);
  p->reuse_guard = hkm_opt (HKM_OPT_TINY_SLAB_REUSE_GUARD) != 0;
  p->affinity = hkm_opt (HKM_OPT_SS_AFFINITY) != 0;
#ifdef HKM_WITH_SS_LRU
  p->lru_cap = (uint32_t) hkm_opt (HKM_OPT_SS_LRU);
#else
  p->lru_cap = 0;
#endif
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    class_policy_init (c);
}
