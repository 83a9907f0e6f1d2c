/* The policy: how each class behaves, as data.  An immutable snapshot made from
   the options at start; cold code reads it, hot code never does.  */
#ifndef HKM_POLICY_POLICY_H
#define HKM_POLICY_POLICY_H

#include "base/compiler.h"
#include "base/size_class.h"

typedef struct hkm_class_policy
{
  bool magazine;       /* route: frees of all slabs meet in the front slot */
  uint8_t domain;      /* 0: shares superslabs; k+1: group Ck has its own */
  uint16_t batch;      /* blocks a magazine takes from a slab at once */
  uint16_t cap;        /* blocks a magazine holds before it drains half */
  uint16_t remote;     /* blocks of one slab gathered before they are pushed */
} hkm_class_policy;

typedef struct hkm_policy
{
  hkm_class_policy cls[HKM_CLASSES];
  uint32_t interval;        /* frees between two heartbeats of a front slot */
  uint32_t bump_bytes;      /* carving step */
  uint32_t return_fraction; /* a full slab returns when 1/this is free */
  uint32_t warm_cap;        /* empty slabs a heap keeps per class */
  uint32_t run_cap;         /* free runs a heap keeps */
  bool reuse_guard;         /* verify before a slab leaves its class */
  bool affinity;
  uint32_t lru_cap;         /* empty superslabs kept */
} hkm_policy;

/* The snapshot in force; constant after hkm_policy_init.  */
extern hkm_policy hkm_policy_now;
void hkm_policy_init (void);

#endif
