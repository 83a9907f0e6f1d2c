/* See arms.h.  A learner's settings are numbers of one knob, or factors of what
   the options say for each class: the order is that of the trials.  */
#include "learn/arms.h"
#include "opts/opts.h"

enum { SETTINGS = 6, SAME = 8 }; /* a factor of SAME changes nothing */

struct armed
{
  uint16_t switch_option;      /* enum hkm_opt_id */
  uint16_t option;             /* the knob's; or HKM_OPT_COUNT: by class */
  uint8_t counter;             /* enum hkm_counter: that it matters to */
  uint32_t least;              /* so many in a window */
  uint32_t value[SETTINGS];    /* 0: none; the policy's own comes first */
};

static const struct armed table[HKM_ARMED] = {
#define ARMED(who) [HKM_LEARNER_##who - HKM_LEARNER_ARMS]
#ifdef HKM_WITH_LEARN_WMAX
  ARMED (WMAX_MID) = { HKM_OPT_WMAX_LEARN, HKM_OPT_WMAX_MID,
                       HKM_COUNT_REFILL_ACQUIRE, 4, { 0 } },
  ARMED (WMAX_LARGE) = { HKM_OPT_WMAX_LEARN, HKM_OPT_WMAX_LARGE,
                         HKM_COUNT_RUN_ALLOC, 64, { 0 } },
#endif
#ifdef HKM_WITH_LEARN_THP
  ARMED (THP) = { HKM_OPT_THP_LEARN, HKM_OPT_THP_THRESHOLD,
                  HKM_COUNT_BIG_ALLOC, 4,
                  { 2 << 20, 8 << 20, 128 << 20, 512 << 20 } },
#endif
#ifdef HKM_WITH_LEARN_REFILL
  ARMED (RETURN) = { HKM_OPT_REFILL_LEARN, HKM_OPT_TINY_RETURN_FRACTION,
                     HKM_COUNT_REFILL_PARTIAL, 256, { 4, 8, 16 } },
  ARMED (BUMP) = { HKM_OPT_REFILL_LEARN, HKM_OPT_TINY_BUMP_CHUNK,
                   HKM_COUNT_REFILL_CARVE, 256, { 4096, 16384, 65536 } },
  ARMED (MAGAZINE) = { HKM_OPT_REFILL_LEARN, HKM_OPT_COUNT,
                       HKM_COUNT_MAGAZINE_DRAIN, 16,
                       { SAME / 2, 2 * SAME, 4 * SAME } },
  ARMED (REMOTE) = { HKM_OPT_REFILL_LEARN, HKM_OPT_COUNT,
                     HKM_COUNT_REMOTE_PUSH, 256,
                     { SAME / 4, SAME / 2, 2 * SAME, 4 * SAME } },
#ifdef HKM_WITH_BUNDLE
  ARMED (BUNDLE) = { HKM_OPT_REFILL_LEARN, HKM_OPT_LARGE_BUNDLE,
                     HKM_COUNT_RUN_BUNDLE, 64, { 1, 4, 16, 32 } },
#endif
#endif
#undef ARMED
};

static const struct armed *
row_of (enum hkm_learner who)
{
  return &table[who - HKM_LEARNER_ARMS];
}

static bool
is_by_class (const struct armed *row)
{
  return row->option == HKM_OPT_COUNT;
}

static void
add_arm (hkm_arms *arms, enum hkm_learner who, uint32_t value)
{
  unsigned i = who - HKM_LEARNER_ARMS, n = arms->count[i];
  for (unsigned a = 0; a < n; a++)
    if (arms->value[i][a] == value)
      return;
  if (n == HKM_UCB_ARMS || value == 0)
    return;
  arms->value[i][n] = value;
  arms->count[i]++;
}

#ifdef HKM_WITH_LEARN_WMAX
static void
add_candidates (hkm_arms *arms, enum hkm_learner who, enum hkm_opt_id list)
{
  for (unsigned i = 0; i < 8; i++)
    add_arm (arms, who, hkm_opt_list (list, i));
}
#endif

HKM_COLD void
hkm_arms_init (hkm_arms *arms)
{
  hkm_policy_refresh (&arms->shipped);
  for (unsigned w = HKM_LEARNER_ARMS; w < HKM_LEARNERS; w++)
    {
      enum hkm_learner who = (enum hkm_learner) w;
      const struct armed *row = row_of (who);
      if (row->least == 0) /* not in this build */
        continue;
      add_arm (arms, who, is_by_class (row)
                      ? SAME
                      : hkm_move_value (&arms->shipped, HKM_MOVE_KNOB,
                                        hkm_policy_knob_of (row->option)));
      for (unsigned i = 0; i < SETTINGS; i++)
        add_arm (arms, who, row->value[i]);
    }
#ifdef HKM_WITH_LEARN_WMAX
  add_candidates (arms, HKM_LEARNER_WMAX_MID, HKM_OPT_WMAX_CANDIDATES_MID);
  add_candidates (arms, HKM_LEARNER_WMAX_LARGE, HKM_OPT_WMAX_CANDIDATES_LARGE);
#endif
}

bool
hkm_arms_wanted (enum hkm_learner who)
{
  const struct armed *row = row_of (who);
  if (who == HKM_LEARNER_THP && hkm_opt (HKM_OPT_THP) != HKM_THP_AUTO)
    return false; /* somebody said what is to be */
  return row->least != 0 && hkm_opt ((enum hkm_opt_id) row->switch_option) != 0;
}

static uint32_t
times (uint32_t usual, uint32_t factor, uint32_t least, uint32_t most)
{
  uint32_t n = usual * factor / SAME;
  return n < least ? least : n > most ? most : n;
}

static void
magazine_moves (const hkm_policy *shipped, uint32_t factor,
                const hkm_policy *policy, hkm_moves *moves)
{
  for (unsigned c = 0; c < HKM_CLASS_STATIC; c++)
    if (policy->cls[c].magazine)
      {
        uint32_t cap = times (shipped->cls[c].cap, factor, 2,
                              hkm_policy_cap_max (policy, c));
        hkm_moves_add (moves, policy, HKM_MOVE_CAP, c, cap);
        hkm_moves_add (moves, policy, HKM_MOVE_BATCH, c,
                       times (shipped->cls[c].batch, factor, 1, cap / 2));
      }
}

static void
remote_moves (const hkm_policy *shipped, uint32_t factor,
              const hkm_policy *policy, hkm_moves *moves)
{
  const struct hkm_opt_row *row
      = hkm_opts_row (HKM_OPT_TINY_REMOTE_DRAIN_THRESH);
  for (unsigned c = 0; c < HKM_CLASS_STATIC; c++)
    hkm_moves_add (moves, policy, HKM_MOVE_REMOTE, c,
                   times (shipped->cls[c].remote, factor, (uint32_t) row->min,
                          (uint32_t) row->max));
}

HKM_COLD void
hkm_arms_moves (const hkm_arms *arms, enum hkm_learner who, unsigned a,
                const hkm_policy *policy, hkm_moves *moves)
{
  uint32_t value = arms->value[who - HKM_LEARNER_ARMS][a];
  const struct armed *row = row_of (who);
  moves->count = 0;
  if (who == HKM_LEARNER_MAGAZINE)
    magazine_moves (&arms->shipped, value, policy, moves);
  else if (who == HKM_LEARNER_REMOTE)
    remote_moves (&arms->shipped, value, policy, moves);
  else
    hkm_moves_add (moves, policy, HKM_MOVE_KNOB,
                   hkm_policy_knob_of (row->option), value);
}

bool
hkm_arms_matter (enum hkm_learner who, const hkm_observation *before,
                 const hkm_observation *after)
{
  const struct armed *row = row_of (who);
  return after->counts.value[row->counter] - before->counts.value[row->counter]
         >= row->least;
}
