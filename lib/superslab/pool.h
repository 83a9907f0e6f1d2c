/* The superslab pool's own data, shared by acquire.c (handing out), release.c
   (taking back, purging) and superslab.c (mapping, the LRU, facts).  Private
   to this room.  Everything here is guarded by hkm_pool.lock.

   A slot is in one of three states:
     UNUSED  neither bit: reads as zero, costs nothing
     ACTIVE  used bit: part of a slab or run somebody holds
     EMPTY   empty bit: free, still resident; part of a carved slab on its
             class's list, or of nothing (kind NONE)
   A superslab with ACTIVE slots is in the bucket of its domain and free slots,
   one without is in the LRU; one with EMPTY slots is on the idle list too.  */
#ifndef HKM_SUPERSLAB_POOL_H
#define HKM_SUPERSLAB_POOL_H

#include "base/lock.h"
#include "policy/policy.h"
#include "superslab/superslab.h"

/* Domains: 0 is shared by all; k + 1 belongs to ultra group Ck alone.  */
enum { HKM_DOMAINS = HKM_GROUPS };

#define HKM_SLOT_SIZE HKM_GRANULE
#define HKM_RESIDENT_UNIT ((size_t) 4096)

typedef struct hkm_superslab
{
  hkm_link link;      /* bucket, LRU, or free descriptors */
  hkm_link idle_link; /* idle list while `empty` is not 0 */
  char *base;
  uint32_t used;      /* ACTIVE slots */
  uint32_t empty;     /* EMPTY slots */
  uint32_t purged;    /* UNUSED slots that once were used */
  uint8_t domain;
  uint64_t classes;   /* classes with a slab here, now or lately */
  uint8_t resident[HKM_SUPERSLAB_SLOTS]; /* of EMPTY slots, in units */
  hkm_slab slab[HKM_SUPERSLAB_SLOTS];
} hkm_superslab;

typedef struct hkm_pool
{
  hkm_lock lock;
  bool ready;
  hkm_link *bucket[HKM_DOMAINS]; /* by free slots, 0..31; NULL: never used */
  hkm_link lru;        /* oldest at the back */
  hkm_link idle;       /* oldest at the front */
  hkm_link unmapped;   /* descriptors without memory */
  hkm_link class_empty[HKM_CLASSES]; /* EMPTY slabs, still carved */
  uint32_t colour[HKM_CLASSES];
  uint64_t superslabs, lru_count, run_count, run_slots;
  hkm_counts counts;
  hkm_policy policy; /* its copy: hkm_pool_policy_locked */
} hkm_pool;

extern hkm_pool hkm_pool_state;

/* The policy as it is published now.  */
HKM_INLINE const hkm_policy *
hkm_pool_policy_locked (void)
{
  if (hkm_policy_is_stale (&hkm_pool_state.policy))
    hkm_policy_refresh (&hkm_pool_state.policy);
  return &hkm_pool_state.policy;
}

HKM_INLINE uint32_t
hkm_slot_mask (unsigned first, unsigned n)
{
  return (n >= 32 ? ~(uint32_t) 0 : ((uint32_t) 1 << n) - 1) << first;
}

/* Put SS where its bits say it belongs; call after changing `used`.  */
void hkm_superslab_place_locked (hkm_superslab *ss);
/* A superslab for DOMAIN with every slot free: from the LRU or the OS; not
   placed yet.  NULL: no memory.  */
hkm_superslab *hkm_superslab_get_locked (uint8_t domain);
/* Forget the carved slab that EMPTY slot SLOT of SS is part of, if any.  */
void hkm_slab_dismantle_locked (hkm_superslab *ss, unsigned slot);
/* Make free slots [first, first+n) ACTIVE; true if all were UNUSED.  */
bool hkm_slots_take_locked (hkm_superslab *ss, unsigned first, unsigned n);
/* Make ACTIVE slots EMPTY, RESIDENT bytes of them from the start resident.
   They join the idle memory; over budget, something is purged.  */
void hkm_slots_drop_locked (hkm_superslab *ss, unsigned first, unsigned n,
                            size_t resident);
/* Purge every EMPTY slot of SS; bytes given back.  */
size_t hkm_superslab_purge_locked (hkm_superslab *ss);
/* Unmap empty superslabs beyond CAP.  */
void hkm_lru_shrink_locked (uint64_t cap);

#endif
