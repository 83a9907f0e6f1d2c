/* Block sizes for the dynamic classes, for tests of all classes.  */
#ifndef UNIT_DYNAMIC_H
#define UNIT_DYNAMIC_H

#include "policy/policy.h"

#include "check.h"

/* The dynamic classes are as good as the others.  */
static void
give_sizes (void)
{
  hkm_policy p = { .generation = 0 };
  hkm_policy_refresh (&p);
  p.dyn[0] = 8240;
  p.dyn[1] = 3088;
  CHECK (hkm_policy_publish (&p));
}

#endif
