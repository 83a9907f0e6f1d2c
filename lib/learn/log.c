/* See log.h.  */
#include "learn/log.h"
#include "opts/opts.h"

/* Arrays, not pointers, which would cost every process relocations.  */
static const char learner_name[HKM_LEARNERS][12] = {
  [HKM_LEARNER_CAP_MID] = "cap-mid",
  [HKM_LEARNER_CAP_LARGE] = "cap-large",
  [HKM_LEARNER_DYN] = "dyn",
  [HKM_LEARNER_BIGCACHE] = "bigcache",
  [HKM_LEARNER_RETAIN] = "retain",
  [HKM_LEARNER_WMAX_MID] = "wmax-mid",
  [HKM_LEARNER_WMAX_LARGE] = "wmax-large",
  [HKM_LEARNER_THP] = "thp",
  [HKM_LEARNER_RETURN] = "return",
  [HKM_LEARNER_BUMP] = "bump",
  [HKM_LEARNER_MAGAZINE] = "magazine",
  [HKM_LEARNER_REMOTE] = "remote",
  [HKM_LEARNER_BUNDLE] = "bundle",
};
static const char verdict_name[][12] = {
  [HKM_CANARY_NONE] = "tried", [HKM_CANARY_KEEP] = "kept",
  [HKM_CANARY_ROLL_BACK] = "taken back",
};
static const char reason_name[][12] = {
  [HKM_CANARY_BETTER] = "better", [HKM_CANARY_NOT_BETTER] = "not better",
  [HKM_CANARY_WORSE] = "worse", [HKM_CANARY_HARMFUL] = "harmful",
  [HKM_CANARY_IDLE] = "idle",
};
static const char measure_name[HKM_CANARY_MEASURES][12] = {
  [HKM_CANARY_REWARD] = "reward", [HKM_CANARY_HIT] = "hit rate",
  [HKM_CANARY_FAULTS] = "faults", [HKM_CANARY_P99] = "slow path",
};
static const char move_name[HKM_MOVE_KINDS][20] = {
  [HKM_MOVE_WARM] = "slabs of class", [HKM_MOVE_RUNS] = "runs of class",
  [HKM_MOVE_CAP] = "magazine of class", [HKM_MOVE_BATCH] = "batch of class",
  [HKM_MOVE_REMOTE] = "remote of class",
};

const char *
hkm_learner_name (enum hkm_learner who)
{
  return learner_name[who];
}

void
hkm_log_add (hkm_log *log, const hkm_decision *decision)
{
  log->ring[log->count++ % HKM_LOG] = *decision;
}

HKM_COLD void
hkm_log_put_fix (hkm_out *out, hkm_fix value)
{
  uint64_t size = value < 0 ? -(uint64_t) value : (uint64_t) value;
  uint64_t whole = size >> HKM_FIX_BITS;
  uint64_t rest = (size & (HKM_FIX_ONE - 1)) * 1000 >> HKM_FIX_BITS;
  hkm_out_printf (out, "%s%llu.%llu%llu%llu", value < 0 ? "-" : "",
                  (unsigned long long) whole, (unsigned long long) rest / 100,
                  (unsigned long long) rest / 10 % 10,
                  (unsigned long long) rest % 10);
}

static const char *
knob_name (const hkm_move *move)
{
  return hkm_opts_row ((enum hkm_opt_id) hkm_knob_table[move->index].option)
    ->name;
}

static HKM_COLD void
put_move (hkm_out *out, const hkm_move *move)
{
  if (move->kind == HKM_MOVE_KNOB)
    hkm_out_printf (out, "%s", knob_name (move));
  else
    hkm_out_printf (out, "%s %u", move_name[move->kind], move->index);
  hkm_out_printf (out, " %u -> %u", move->from, move->to);
}

static HKM_COLD void
put_decision (hkm_out *out, const hkm_decision *d)
{
  hkm_out_printf (out, "  window %u  %s: ", d->window,
                  learner_name[d->learner]);
  put_move (out, &d->first);
  if (d->moves > 1)
    hkm_out_printf (out, " and %u more", d->moves - 1u);
  hkm_out_printf (out, "; %s, %s", verdict_name[d->verdict],
                  reason_name[d->reason]);
  if (d->reason == HKM_CANARY_WORSE || d->reason == HKM_CANARY_HARMFUL)
    hkm_out_printf (out, " (%s)", measure_name[d->culprit]);
  hkm_out_printf (out, "; reward ");
  hkm_log_put_fix (out, d->before);
  hkm_out_printf (out, " -> ");
  hkm_log_put_fix (out, d->after);
  hkm_out_printf (out, "\n");
}

static uint32_t
oldest (const hkm_log *log)
{
  return log->count > HKM_LOG ? log->count - HKM_LOG : 0;
}

HKM_COLD void
hkm_log_print (hkm_out *out, const hkm_log *log)
{
  for (uint32_t i = oldest (log); i < log->count; i++)
    put_decision (out, &log->ring[i % HKM_LOG]);
}

/* "what" is a variable's name, or what is said of a class.  */
static HKM_COLD void
put_decision_json (hkm_out *out, const hkm_decision *d)
{
  const hkm_move *move = &d->first;
  bool knob = move->kind == HKM_MOVE_KNOB;
  hkm_out_printf (out, "      {\"window\": %u, \"learner\": \"%s\", ", d->window,
                  learner_name[d->learner]);
  hkm_out_printf (out, "\"what\": \"%s\", ",
                  knob ? knob_name (move) : move_name[move->kind]);
  if (!knob)
    hkm_out_printf (out, "\"class\": %u, ", move->index);
  hkm_out_printf (out, "\"from\": %u, \"to\": %u, \"changes\": %u, ",
                  move->from, move->to, d->moves + 0u);
  hkm_out_printf (out, "\"verdict\": \"%s\", \"reason\": \"%s\", ",
                  verdict_name[d->verdict], reason_name[d->reason]);
  if (d->reason == HKM_CANARY_WORSE || d->reason == HKM_CANARY_HARMFUL)
    hkm_out_printf (out, "\"of\": \"%s\", ", measure_name[d->culprit]);
  hkm_out_printf (out, "\"before\": ");
  hkm_log_put_fix (out, d->before);
  hkm_out_printf (out, ", \"after\": ");
  hkm_log_put_fix (out, d->after);
  hkm_out_printf (out, "}");
}

HKM_COLD void
hkm_log_print_json (hkm_out *out, const hkm_log *log)
{
  for (uint32_t i = oldest (log); i < log->count; i++)
    {
      put_decision_json (out, &log->ring[i % HKM_LOG]);
      hkm_out_printf (out, i + 1 < log->count ? ",\n" : "\n");
    }
}
