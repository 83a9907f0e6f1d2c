/* See moves.h.  */
#include "learn/moves.h"

uint32_t
hkm_move_value (const hkm_policy *policy, enum hkm_move_kind kind,
                unsigned index)
{
  switch (kind)
    {
    case HKM_MOVE_KNOB:
      return *(const uint32_t *) ((const char *) policy
                                  + hkm_knob_table[index].offset);
    case HKM_MOVE_WARM: return policy->cls[index].warm;
    case HKM_MOVE_RUNS: return policy->run_most[index];
    case HKM_MOVE_CAP: return policy->cls[index].cap;
    case HKM_MOVE_BATCH: return policy->cls[index].batch;
    case HKM_MOVE_REMOTE: return policy->cls[index].remote;
    case HKM_MOVE_KINDS: break;
    }
  return 0;
}

static void
set_value (hkm_policy *policy, const hkm_move *move, uint32_t value)
{
  hkm_class_policy *p = &policy->cls[move->index];
  switch ((enum hkm_move_kind) move->kind)
    {
    case HKM_MOVE_KNOB:
      *hkm_policy_knob (policy, move->index) = value;
      break;
    case HKM_MOVE_WARM:
      p->warm = (uint8_t) value;
      break;
    case HKM_MOVE_RUNS:
      policy->run_most[move->index] = value;
      break;
    case HKM_MOVE_CAP:
      p->cap = (uint16_t) value;
      break;
    case HKM_MOVE_BATCH:
      p->batch = (uint16_t) value;
      break;
    case HKM_MOVE_REMOTE:
      p->remote = (uint16_t) value;
      break;
    case HKM_MOVE_KINDS:
      break;
    }
}

void
hkm_moves_add (hkm_moves *moves, const hkm_policy *policy,
               enum hkm_move_kind kind, unsigned index, uint32_t to)
{
  uint32_t from = hkm_move_value (policy, kind, index);
  if (from == to || moves->count == HKM_MOVES)
    return;
  moves->move[moves->count++]
      = (hkm_move) { (uint8_t) kind, (uint8_t) index, from, to };
}

struct making { const hkm_moves *moves; bool back; };

static HKM_COLD bool
make (hkm_policy *next, void *with)
{
  const struct making *m = with;
  bool any = false;
  for (unsigned i = 0; i < m->moves->count; i++)
    {
      const hkm_move *move = &m->moves->move[i];
      uint32_t now = hkm_move_value (next, (enum hkm_move_kind) move->kind,
                                     move->index);
      if (now != (m->back ? move->to : move->from))
        continue;
      set_value (next, move, m->back ? move->from : move->to);
      any = true;
    }
  return any;
}

bool
hkm_moves_publish (const hkm_moves *moves, bool back)
{
  struct making m = { moves, back };
  return hkm_policy_change (make, &m);
}

void
hkm_moves_undo (const hkm_moves *moves, hkm_policy *policy)
{
  struct making m = { moves, true };
  (void) make (policy, &m);
}
