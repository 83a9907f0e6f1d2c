/* See dyn.h.  The word of a class is its only state: whoever takes the last slab
   of a closed class away sees both in one step.  */
#include "policy/dyn.h"

#ifdef HKM_WITH_DYN_CLASSES

#include "os/os.h"
#include "policy/policy.h"

uint32_t hkm_dyn_word[HKM_DYNS];
static uint32_t wanted[HKM_DYNS]; /* guarded by the policy's lock */

bool
hkm_dyn_enter (unsigned cls)
{
  if (!hkm_class_is_dynamic (cls))
    return true;
  if (hkm_dyn_is_closed (cls))
    return false;
  /* Acquire: what opened the class set its size before.  */
  uint32_t *word = &hkm_dyn_word[cls - HKM_CLASS_DYN];
  if (hkm_fetch_add_acq_rel (word, HKM_DYN_SLAB) & HKM_DYN_OPEN)
    return true;
  hkm_dyn_leave (cls); /* closed between */
  return false;
}

void
hkm_dyn_leave (unsigned cls)
{
  if (!hkm_class_is_dynamic (cls))
    return;
  /* Release: who finds the class without slabs writes the size they had.  */
  uint32_t *word = &hkm_dyn_word[cls - HKM_CLASS_DYN];
  uint32_t was = hkm_fetch_sub_acq_rel (word, HKM_DYN_SLAB);
  HKM_ASSERT (was >= HKM_DYN_SLAB);
  if (was == HKM_DYN_SLAB)
    hkm_policy_settle ();
}

/* ---- changing the tables; all under the policy's lock ---- */

static bool
unseal (void)
{
  return hkm_os_unseal (hkm_slot_of, sizeof hkm_slot_of)
         && hkm_os_unseal (hkm_class, sizeof hkm_class);
}

static void
seal (void)
{
  hkm_os_seal (hkm_class, sizeof hkm_class);
  hkm_os_seal (hkm_slot_of, sizeof hkm_slot_of);
}

/* As it should be already?  */
static bool
is_settled (unsigned d)
{
  return hkm_class[HKM_CLASS_DYN + d].size == wanted[d];
}

/* Open what can be, close what must be.  */
static HKM_COLD bool
settle_unsealed_locked (void)
{
  bool takes[HKM_DYNS], changed = false;
  for (unsigned d = 0; d < HKM_DYNS; d++)
    {
      uint32_t *word = &hkm_dyn_word[d];
      if (!is_settled (d)
          && hkm_fetch_and_acq_rel (word, ~(uint32_t) HKM_DYN_OPEN)
                     / HKM_DYN_SLAB == 0)
        {
          hkm_class_resize (HKM_CLASS_DYN + d, wanted[d]);
          changed = true;
        }
      takes[d] = is_settled (d) && wanted[d] != 0;
      if (takes[d])
        hkm_fetch_or_acq_rel (word, HKM_DYN_OPEN);
    }
  hkm_class_route (takes);
  return changed;
}

bool
hkm_dyn_settle_locked (void)
{
  bool settled = true;
  for (unsigned d = 0; d < HKM_DYNS; d++)
    settled = settled && is_settled (d);
  if (settled || !unseal ())
    return false;
  bool changed = settle_unsealed_locked ();
  seal ();
  return changed;
}

HKM_COLD bool
hkm_dyn_want_locked (const uint32_t size[HKM_DYNS])
{
  bool same = true;
  for (unsigned d = 0; d < HKM_DYNS; d++)
    same = same && size[d] == wanted[d];
  if (same)
    return true;
  if (!unseal ())
    return false;
  for (unsigned d = 0; d < HKM_DYNS; d++)
    wanted[d] = size[d];
  settle_unsealed_locked ();
  seal ();
  return true;
}

#endif
