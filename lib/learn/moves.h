/* A change of the policy that can be taken back: a few numbers, what each was
   and what it becomes.  What somebody else changed meanwhile (hakmem_ctl, a
   policy file) is his: it is neither overwritten nor taken back.  */
#ifndef HKM_LEARN_MOVES_H
#define HKM_LEARN_MOVES_H

#include "policy/policy.h"

enum hkm_move_kind
{
  HKM_MOVE_KNOB,   /* index: of hkm_knob_table */
  HKM_MOVE_WARM,   /* empty slabs kept of class INDEX */
  HKM_MOVE_RUNS,   /* free runs kept of class INDEX */
  HKM_MOVE_CAP,    /* magazine of class INDEX */
  HKM_MOVE_BATCH,  /* its refills: half of it at most */
  HKM_MOVE_REMOTE, /* blocks of class INDEX gathered for a push */
  HKM_MOVE_KINDS
};

typedef struct hkm_move
{
  uint8_t kind;  /* enum hkm_move_kind */
  uint8_t index;
  uint32_t from, to;
} hkm_move;

enum { HKM_MOVES = 128 };
typedef struct hkm_moves
{
  unsigned count;
  hkm_move move[HKM_MOVES];
} hkm_moves;

/* The number of POLICY that a move of KIND at INDEX changes.  */
uint32_t hkm_move_value (const hkm_policy *policy, enum hkm_move_kind kind,
                         unsigned index);
/* Add a move from what POLICY says to TO, unless that is the same or there are
   HKM_MOVES.  */
void hkm_moves_add (hkm_moves *moves, const hkm_policy *policy,
                    enum hkm_move_kind kind, unsigned index, uint32_t to);
/* Publish the policy in force with MOVES made (BACK: taken back), as far as each
   number is what it was.  False: none is, or the policy would not be valid;
   nothing changed.  */
bool hkm_moves_publish (const hkm_moves *moves, bool back);
/* Take MOVES back in POLICY alone, as far as each number is what it became.  */
void hkm_moves_undo (const hkm_moves *moves, hkm_policy *policy);

#endif
