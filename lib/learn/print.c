/* What the driver has to say about itself, for reports.  */
#include "learn/driver.h"
#include "opts/opts.h"

static HKM_COLD void
put_strategies (hkm_out *out, const hkm_driver *d, unsigned k)
{
  const hkm_elo *e = &d->rated[k];
  if (e->choices == 0)
    return;
  hkm_out_printf (out, "  ratings of %s:",
                  hkm_opts_row (hkm_driver_rated_option (k))->name);
  for (unsigned i = 0; i < e->players; i++)
    hkm_out_printf (out, " %lld", (long long) hkm_fix_round (e->rating[i]));
  hkm_out_printf (out, "; regret ");
  hkm_log_put_fix (out, e->regret);
  hkm_out_printf (out, " in %llu choices\n", (unsigned long long) e->choices);
}

static HKM_COLD void
put_arms (hkm_out *out, const hkm_driver *d)
{
  for (unsigned i = 0; i < HKM_ARMED; i++)
    {
      const hkm_ucb *ucb = &d->ucb[i];
      uint32_t pulls = 0;
      for (unsigned a = 0; a < ucb->arms; a++)
        pulls += ucb->pulls[a];
      if (pulls == 0)
        continue;
      hkm_out_printf (out, "  %s:", hkm_learner_name ((enum hkm_learner)
                                                      (HKM_LEARNER_ARMS + i)));
      for (unsigned a = 0; a < ucb->arms; a++)
        {
          hkm_out_printf (out, " %u%s ", d->arms.value[i][a],
                          a == d->arm[i] ? "*" : "");
          hkm_log_put_fix (out, hkm_ucb_mean (ucb, a));
          hkm_out_printf (out, "/%u", ucb->pulls[a]);
        }
      hkm_out_printf (out, "\n");
    }
}

HKM_COLD void
hkm_driver_print (hkm_out *out, const hkm_driver *d)
{
  hkm_out_printf (out, "\nlearning%s\n  %u windows, %u trials, %u kept; %s\n",
                  d->keeps ? "" : " (canary: all is taken back)", d->windows,
                  d->trials, d->kept,
                  d->drift.frozen ? "converged" : d->on_trial ? "a trial is running"
                                                        : "no trial running");
  hkm_out_printf (out, "  refills that were timed: p50 %lld ns, p99 %lld ns\n",
                  (long long) hkm_fix_round (hkm_quantile_value (&d->p50)),
                  (long long) hkm_fix_round (hkm_quantile_value (&d->p99)));
  hkm_out_printf (out, "  last window: time ");
  hkm_log_put_fix (out, d->window.time);
  hkm_out_printf (out, ", waste ");
  hkm_log_put_fix (out, d->window.waste);
  hkm_out_printf (out, ", kept ");
  hkm_log_put_fix (out, d->window.kept);
  hkm_out_printf (out, ", back ");
  hkm_log_put_fix (out, d->window.back);
  hkm_out_printf (out, "\n");
  for (unsigned k = 0; k < HKM_RATED; k++)
    put_strategies (out, d, k);
  put_arms (out, d);
  hkm_log_print (out, &d->log);
}
