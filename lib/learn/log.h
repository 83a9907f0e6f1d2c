/* The log of decisions: the last few, in a ring.  */
#ifndef HKM_LEARN_LOG_H
#define HKM_LEARN_LOG_H

#include "learn/canary.h"
#include "learn/moves.h"
#include "os/out.h"

/* Who wants a change.  */
enum hkm_learner
{
  HKM_LEARNER_CAP_MID,
  HKM_LEARNER_CAP_LARGE,
  HKM_LEARNER_DYN,
  /* Those that rate strategies against each other (learn/elo.h).  */
  HKM_LEARNER_RATED,
  HKM_LEARNER_BIGCACHE = HKM_LEARNER_RATED,
  HKM_LEARNER_RETAIN,
  /* Those that choose among a few settings of a number (learn/arms.h).  */
  HKM_LEARNER_ARMS,
  HKM_LEARNER_WMAX_MID = HKM_LEARNER_ARMS,
  HKM_LEARNER_WMAX_LARGE,
  HKM_LEARNER_THP,
  HKM_LEARNER_RETURN,
  HKM_LEARNER_BUMP,
  HKM_LEARNER_MAGAZINE,
  HKM_LEARNER_REMOTE,
  HKM_LEARNER_BUNDLE,
  HKM_LEARNERS
};

typedef struct hkm_decision
{
  uint64_t time_ms;
  uint32_t window;       /* its number */
  uint8_t learner;       /* enum hkm_learner */
  uint8_t verdict;       /* hkm_canary_verdict */
  uint8_t reason;        /* hkm_canary_reason */
  uint8_t culprit;       /* hkm_canary_measure, if it was worse */
  uint8_t moves;         /* numbers changed; the first of them: */
  hkm_move first;
  hkm_fix before, after; /* mean rewards */
} hkm_decision;

enum { HKM_LOG = 64 };
typedef struct hkm_log
{
  uint32_t count; /* so far */
  hkm_decision ring[HKM_LOG];
} hkm_log;

void hkm_log_add (hkm_log *log, const hkm_decision *decision);
/* One line each, the oldest first.  */
void hkm_log_print (hkm_out *out, const hkm_log *log);
/* As the elements of a JSON array.  */
void hkm_log_print_json (hkm_out *out, const hkm_log *log);
const char *hkm_learner_name (enum hkm_learner who);
/* A number with three decimals.  */
void hkm_log_put_fix (hkm_out *out, hkm_fix value);

#endif
