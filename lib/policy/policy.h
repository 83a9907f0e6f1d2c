/* The policy: how each class behaves, as data.  Cold code reads it, hot code
   never does.

   There is one published policy, with a generation.  Whoever acts by it (a
   heap, the superslab pool) holds a copy of its own, guarded by its own lock,
   and refreshes it at the start of its cold paths, where an unchanged policy
   costs one load.  So no reader sees half of a change, there is no old policy
   to give back, and a thread that sleeps keeps nobody waiting.  A change acts
   from the holder's next refill on, never on blocks handed out.

   What the layout of live memory depends on (each class's route and domain, and
   the size of all but the dynamic ones, dyn.h) is fixed at start.  */
#ifndef HKM_POLICY_POLICY_H
#define HKM_POLICY_POLICY_H

#include "base/atomic.h"
#include "base/compiler.h"
#include "base/size_class.h"

typedef struct hkm_class_policy
{
  bool magazine : 1;   /* fixed; route: frees of all slabs meet in the front
                          slot */
  uint8_t domain : 7;  /* fixed; 0: shares superslabs; k+1: group Ck has its
                          own */
  uint8_t warm;        /* empty slabs a heap keeps */
  uint16_t batch;      /* blocks a magazine takes from a slab at once; up to four
                          times that if the slab has no more */
  uint16_t cap;        /* blocks a magazine holds before it drains half */
  uint16_t remote;     /* blocks of one slab gathered before they are pushed */
} hkm_class_policy;

/* Runs come in classes of lengths: 1, 2, 3..4, 5..8 and 9..16 slots.  */
enum { HKM_RUN_CLASSES = 5 };

typedef struct hkm_policy
{
  uint32_t generation;      /* of the publication it was copied from; 0: none */
  hkm_class_policy cls[HKM_CLASSES];
  uint32_t interval;        /* frees between two heartbeats of a front slot */
  uint32_t bump_bytes;      /* carving step */
  uint32_t return_fraction; /* a full slab returns when 1/this is free */
  uint32_t warm_cap;        /* empty slabs a heap keeps of each tiny class */
  uint32_t mid_cap;         /* the same of each mid class, in slots */
  uint32_t run_cap;         /* free runs of a slot that a heap keeps; a half for
                               each doubling of their length */
  uint32_t run_most[HKM_RUN_CLASSES]; /* as that says, or as was learned */
  uint32_t run_bundle;      /* runs that go to the shared pool together */
  uint32_t run_wmax;        /* percent of its size that a run may be long */
  uint32_t reuse_guard;     /* 0, 1: verify before a slab leaves its class */
  uint32_t affinity;        /* 0, 1: prefer superslabs that hold the class */
  uint32_t lru_cap;         /* empty superslabs kept */
  uint32_t bigcache_strategy; /* HAKMEM_BIGCACHE_STRATEGY's choices */
  uint32_t retain_strategy; /* HAKMEM_RETAIN_STRATEGY's */
  uint32_t thp;             /* enum hkm_thp */
  uint32_t thp_threshold;   /* bytes */
  uint32_t dyn[HKM_DYNS];   /* block sizes wanted of the dynamic classes, or 0 */
  uint32_t wmax;            /* a mid request may take a larger class's free block
                               up to this many per cent of its size */
} hkm_policy;

enum hkm_thp { HKM_THP_OFF, HKM_THP_AUTO, HKM_THP_ALWAYS }; /* HAKMEM_THP */

/* The numbers of a policy that are not a class's: each is at first what an
   option says, and has that option's range.  */
typedef struct hkm_knob
{
  uint16_t option; /* enum hkm_opt_id */
  uint16_t offset; /* of a uint32_t in hkm_policy */
} hkm_knob;
enum { HKM_KNOBS = 18 };
extern HKM_HIDDEN const hkm_knob hkm_knob_table[HKM_KNOBS];

HKM_INLINE uint32_t *
hkm_policy_knob (hkm_policy *policy, unsigned k)
{
  return (uint32_t *) ((char *) policy + hkm_knob_table[k].offset);
}

/* The knob that option ID sets; HKM_KNOBS: it is none's.  */
HKM_INLINE unsigned
hkm_policy_knob_of (unsigned id)
{
  unsigned k = 0;
  while (k < HKM_KNOBS && hkm_knob_table[k].option != id)
    k++;
  return k;
}

/* The block size that POLICY gives class CLS; 0: a dynamic class is off.  */
uint32_t hkm_policy_block (const hkm_policy *policy, unsigned cls);
/* The largest magazine that class CLS may have; the smallest is 2.  */
uint32_t hkm_policy_cap_max (const hkm_policy *policy, unsigned cls);
/* The most empty slabs of CLS, and free runs of class CLS, that a heap may
   keep.  */
uint32_t hkm_policy_warm_max (unsigned cls);
uint32_t hkm_policy_run_max (void);
/* Let POLICY keep of each class (`warm', run_most) what its knobs say.  */
void hkm_policy_keep_as_knobs (hkm_policy *policy);

/* Publish the policy that the options ask for.  Called once, by init, before
   the first holder exists.  */
void hkm_policy_init (void);
/* Publish NEXT under a new generation (NEXT's own is not looked at).  False,
   and nothing changes: a number is out of range, NEXT differs in what is fixed,
   or the kernel does not let the class tables change.  Takes HKM_RANK_POLICY;
   any thread.  */
bool hkm_policy_publish (const hkm_policy *next);
/* Publish the policy in force as CHANGE leaves it, and what follows from that: a
   dynamic class that gets another size has the magazine that the options say for
   it.  CHANGE may compare, and act by what it finds; false from it, or from here:
   nothing changes.  It runs under HKM_RANK_POLICY.  */
bool hkm_policy_change (bool (*change) (hkm_policy *next, void *with),
                        void *with);
/* Publish the policy in force but for knob K, which becomes VALUE, and what
   follows from it: a dynamic class's magazine, as the options say for its size;
   what is kept of each class, if K is how much that is.  */
bool hkm_policy_set (unsigned k, uint64_t value);
/* A dynamic class that is to change its size has no slab any more.  */
void hkm_policy_settle (void);

/* The generation in force.  Relaxed: whoever sees a new one copies under the
   publisher's lock, and whoever does not yet will, at a later cold path.  */
extern HKM_HIDDEN uint32_t hkm_policy_generation;
HKM_INLINE bool
hkm_policy_is_stale (const hkm_policy *mine)
{
  return hkm_unlikely (hkm_load_relaxed (&hkm_policy_generation)
                       != mine->generation);
}
/* Of the policy in force, HAKMEM_RETAIN_STRATEGY's choice: retention is nobody's,
   and holds no copy.  Relaxed.  */
extern HKM_HIDDEN uint32_t hkm_policy_retain_strategy;
/* Bring MINE, which the caller may write, up to date; true if it changed.
   Takes HKM_RANK_POLICY.  */
bool hkm_policy_refresh (hkm_policy *mine);

void hkm_policy_fork_prepare (void);
void hkm_policy_fork_done (void);

#endif
