/* Learning, as the rest of api/ sees it; nothing where it is not built.  */
#ifndef HKM_API_LEARN_H
#define HKM_API_LEARN_H

#include "base/compiler.h"
#include "os/out.h"
#include "policy/policy.h"

#ifdef HKM_WITH_LEARN
/* Once, by init, when all else is ready.  */
void hkm_api_learn_begin (void);
/* POLICY (of generation 0) becomes the published one less what is on trial: what
   is worth saving.  */
void hkm_api_learn_settled (hkm_policy *policy);
/* The part of a report on what was learned: as text; as a member of a JSON
   object, with a comma after it.  */
void hkm_api_learn_print (hkm_out *out);
void hkm_api_learn_print_json (hkm_out *out);
/* What hakmem_ctl calls "learn.NAME"; false: there is no such.  */
bool hkm_api_learn_get (const char *name, uint64_t *value);
#else
HKM_INLINE void
hkm_api_learn_begin (void)
{
}

HKM_INLINE void
hkm_api_learn_settled (hkm_policy *policy)
{
  hkm_policy_refresh (policy);
}

HKM_INLINE void
hkm_api_learn_print (hkm_out *out)
{
  (void) out;
}

#define hkm_api_learn_print_json NULL

HKM_INLINE bool
hkm_api_learn_get (const char *name, uint64_t *value)
{
  (void) name, (void) value;
  return false;
}
#endif

#endif
