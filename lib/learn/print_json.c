/* What the driver has to say about itself, for programs.  */
#include "learn/driver.h"
#include "opts/opts.h"

typedef long long ll; /* what %lld takes */

static HKM_COLD void
put_fix (hkm_out *out, const char *name, hkm_fix value, const char *after)
{
  hkm_out_printf (out, "\"%s\": ", name);
  hkm_log_put_fix (out, value);
  hkm_out_printf (out, "%s", after);
}

static HKM_COLD void
put_strategies (hkm_out *out, const hkm_driver *d, unsigned k)
{
  const hkm_elo *e = &d->rated[k];
  hkm_out_printf (out, "      \"%s\": {\"ratings\": [",
                  hkm_learner_name ((enum hkm_learner) (HKM_LEARNER_RATED + k)));
  for (unsigned i = 0; i < e->players; i++)
    hkm_out_printf (out, "%s%lld", i > 0 ? ", " : "",
                    (ll) hkm_fix_round (e->rating[i]));
  hkm_out_printf (out, "], \"choices\": %llu, ",
                  (unsigned long long) e->choices);
  put_fix (out, "regret", e->regret, k + 1 < HKM_RATED ? "},\n" : "}\n");
}

/* The settings of learner I, the one in force marked.  */
static HKM_COLD void
put_arms (hkm_out *out, const hkm_driver *d, unsigned i)
{
  const hkm_ucb *ucb = &d->ucb[i];
  hkm_out_printf (out, "      \"%s\": [", hkm_learner_name (
                    (enum hkm_learner) (HKM_LEARNER_ARMS + i)));
  for (unsigned a = 0; a < ucb->arms; a++)
    {
      hkm_out_printf (out, "%s{\"value\": %u, \"in_force\": %s, \"pulls\": %u, ",
                      a > 0 ? ", " : "", d->arms.value[i][a],
                      a == d->arm[i] ? "true" : "false", ucb->pulls[a]);
      put_fix (out, "reward", hkm_ucb_mean (ucb, a), "}");
    }
  hkm_out_printf (out, "]");
}

HKM_COLD void
hkm_driver_print_json (hkm_out *out, const hkm_driver *d)
{
  const hkm_window *w = &d->window;
  hkm_out_printf (out, "  \"learning\": {\n    \"keeps\": %s,\n"
                       "    \"converged\": %s,\n    \"on_trial\": %s,\n",
                  d->keeps ? "true" : "false", d->drift.frozen ? "true" : "false",
                  d->on_trial ? "true" : "false");
  hkm_out_printf (out, "    \"windows\": %u,\n    \"trials\": %u,\n"
                       "    \"kept\": %u,\n", d->windows, d->trials, d->kept);
  hkm_out_printf (out, "    \"refill_ns\": {\"p50\": %lld, \"p99\": %lld},\n",
                  (ll) hkm_fix_round (hkm_quantile_value (&d->p50)),
                  (ll) hkm_fix_round (hkm_quantile_value (&d->p99)));
  hkm_out_printf (out, "    \"last_window\": {");
  put_fix (out, "time", w->time, ", ");
  put_fix (out, "waste", w->waste, ", ");
  put_fix (out, "kept", w->kept, ", ");
  put_fix (out, "back", w->back, "},\n");
  hkm_out_printf (out, "    \"strategies\": {\n");
  for (unsigned k = 0; k < HKM_RATED; k++)
    put_strategies (out, d, k);
  hkm_out_printf (out, "    },\n    \"settings\": {\n");
  for (unsigned i = 0; i < HKM_ARMED; i++)
    {
      put_arms (out, d, i);
      hkm_out_printf (out, i + 1 < HKM_ARMED ? ",\n" : "\n");
    }
  hkm_out_printf (out, "    },\n    \"decisions\": [\n");
  hkm_log_print_json (out, &d->log);
  hkm_out_printf (out, "    ]\n  },\n");
}
