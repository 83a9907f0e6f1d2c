/* Learning in a process: the driver, fed by ticks.  Included by api/ alone.  */
#ifndef HKM_LEARN_LEARN_H
#define HKM_LEARN_LEARN_H

#include "learn/window.h"
#include "os/out.h"

/* Begin, if the options ask for it: OBSERVE fills in everything but the time, may
   be called under a heap's lock, and must not wait for one.  Once, by init, when
   all else is ready.  */
void hkm_learn_begin (void (*observe) (hkm_observation *now));
/* POLICY (of generation 0) becomes the published one less what is on trial.  */
void hkm_learn_settled (hkm_policy *policy);
/* How far it is; all 0 if nobody learns.  */
typedef struct hkm_learn_facts
{
  uint64_t windows, trials, kept, converged;
} hkm_learn_facts;
void hkm_learn_facts_get (hkm_learn_facts *facts);
/* State and log as text; nothing if nobody learns.  */
void hkm_learn_print (hkm_out *out);
/* The same as a member of a JSON object, "learning", with a comma after it; null
   if nobody learns.  */
void hkm_learn_print_json (hkm_out *out);

#endif
