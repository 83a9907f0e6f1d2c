/* The superslab pools' own data, shared by acquire.c (handing out), release.c
   (taking back, purging) and superslab.c (mapping, the LRU, facts).  Private
   to this room.

   There is one pool until two threads get into each other's way.  A thread that
   finds the lock of its pool taken by another thread of that pool goes on to
   the next one, and stays there until the same happens again.  A superslab
   belongs to the pool that mapped it, for good, and what was part of it comes
   back there; a pool serves threads of others before they map a further
   superslab, but its first of each domain it maps at once.
   Everything of a pool and its superslabs is guarded by the pool's lock.  A
   thread holds one of them at a time, but for fork.

   A slot is in one of three states:
     UNUSED  neither bit: reads as zero, costs nothing
     ACTIVE  used bit: part of a slab or run somebody holds
     EMPTY   empty bit: free, still resident; part of a carved slab on its
             class's list, or of nothing (kind NONE, or no descriptor yet)
   While its pages are purged, which is done without the lock, a slot is ACTIVE.
   A superslab with ACTIVE slots is in the bucket of its domain and free slots,
   one without is in the LRU; one with EMPTY slots is on the idle list too (a huge
   one only while it has no ACTIVE ones: huge.c).  */
#ifndef HKM_SUPERSLAB_POOL_H
#define HKM_SUPERSLAB_POOL_H

#include "base/lock.h"
#include "policy/policy.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"

/* Domains: 0 is shared by all; k + 1 belongs to ultra group Ck alone.  */
enum { HKM_DOMAINS = HKM_GROUPS };

enum { HKM_POOLS = 8 }; /* at most */

#define HKM_SLOT_SIZE HKM_GRANULE
#define HKM_RESIDENT_UNIT ((size_t) 4096)

typedef struct hkm_superslab
{
  struct hkm_pool *pool; /* constant */
  hkm_link link;      /* bucket, LRU, or free descriptors */
  hkm_link idle_link; /* idle list while `empty` is not 0 */
  char *base;
  uint32_t used;      /* ACTIVE slots */
  uint32_t empty;     /* EMPTY slots */
  uint8_t domain;
  bool kept;          /* on the LRU */
  bool huge;          /* see huge.c; constant */
  bool earned;        /* the same; relaxed atomic */
  uint64_t classes;   /* classes with a slab here, now or lately */
  uint8_t resident[HKM_SUPERSLAB_SLOTS]; /* of EMPTY slots, in units; of ACTIVE
                         ones what they were when they were taken */
  hkm_slab *slab[HKM_SUPERSLAB_SLOTS]; /* the descriptor of what starts at each
                                          slot, made when first something does;
                                          then for good */
} hkm_superslab;

/* In the map for free slots that have no descriptor: kind NONE, never written. */
extern hkm_slab hkm_slab_none;

typedef struct hkm_pool
{
  HKM_ALIGNED (HKM_CACHE_LINE) hkm_lock lock;
  uint32_t number;     /* hkm_pool_at (number) is this one; constant */
  bool visited;        /* the last to lock it was another pool's thread: a hint
                          to those who find it locked; relaxed atomic */
  hkm_link *bucket[HKM_DOMAINS]; /* by free slots, 0..31; NULL: never used */
  hkm_link lru;        /* oldest at the back */
  hkm_link idle;       /* oldest at the front */
  hkm_link unmapped;   /* descriptors without memory */
  hkm_link class_empty[HKM_CLASSES]; /* EMPTY slabs, still carved */
  uint32_t colour[HKM_CLASSES];
  uint64_t superslabs;
  hkm_counts counts;
  hkm_policy policy; /* its copy: hkm_pool_policy_locked */
} hkm_pool;

/* The first lies with the data that every process touches, the others in the
   arena: most processes have none of them.  */
extern hkm_pool hkm_pool_first;
extern hkm_pool *hkm_pool_others[HKM_POOLS]; /* the first one's place is unused */
/* The pools from the first on that are in use.  It grows under the first one's
   lock; release, so that who sees it finds them made.  */
extern uint32_t hkm_pool_count;

HKM_INLINE hkm_pool *
hkm_pool_at (uint32_t n) /* less than hkm_pool_count, or 0 */
{
  return n == 0 ? &hkm_pool_first : hkm_pool_others[n];
}

/* The calling thread's pool, locked; if one of its threads has the lock, another
   pool, which is the caller's from now on.  */
hkm_pool *hkm_pool_enter (void);
void hkm_pool_lock (hkm_pool *pool);
/* Lock POOL if that needs no waiting.  */
bool hkm_pool_try (hkm_pool *pool);

/* Purging is one thread's business at a time: fork waits for it.  */
extern hkm_lock hkm_purge_lock;

/* The policy as it is published now.  */
HKM_INLINE const hkm_policy *
hkm_pool_policy_locked (hkm_pool *pool)
{
  if (hkm_policy_is_stale (&pool->policy))
    hkm_policy_refresh (&pool->policy);
  return &pool->policy;
}

HKM_INLINE uint32_t
hkm_slot_mask (unsigned first, unsigned n)
{
  return (n >= 32 ? ~(uint32_t) 0 : ((uint32_t) 1 << n) - 1) << first;
}

/* Put SS where its bits say it belongs; call after changing `used`.  */
void hkm_superslab_place_locked (hkm_superslab *ss);
/* A superslab for DOMAIN with every slot free: from POOL's LRU or, if MAP, the
   OS; not placed yet.  FOR_SLABS: not for a run.  NULL: there is none, or no
   memory.  */
hkm_superslab *hkm_superslab_get_locked (hkm_pool *pool, uint8_t domain,
                                         bool map, bool for_slabs);
/* SS leaves the list it is on.  */
void hkm_superslab_lift_locked (hkm_superslab *ss);
/* Slots [first, first+n) of SS are part of nothing.  */
void hkm_slots_forget_locked (hkm_superslab *ss, unsigned first, unsigned n);
/* Forget the carved slab that EMPTY slot SLOT of SS is part of, if any.  */
void hkm_slab_dismantle_locked (hkm_superslab *ss, unsigned slot);
/* SS, huge and without ACTIVE slots so far, gets some of the mask TAKEN: the
   others are no idle memory any more.  */
void hkm_huge_wake_locked (hkm_superslab *ss, uint32_t taken);
/* SS has no idle slots so far, and all of it is resident: the EMPTY ones are idle
   now.  */
void hkm_huge_sleep_locked (hkm_superslab *ss);
/* Does this process use what it gives back soon enough again, and enough of it, that
   superslabs should be of huge pages?  */
bool hkm_huge_earned_locked (hkm_pool *pool);
/* The slots TAKEN of SS, earned and nothing of it resident, are going to be touched,
   and the others with them.  */
void hkm_huge_touch_locked (hkm_superslab *ss, uint32_t taken);
/* A part of SS goes back: the rest is of small pages from now on.  */
void hkm_huge_split_locked (hkm_superslab *ss);
/* Make free slots [first, first+n) ACTIVE; true if all were UNUSED.  */
bool hkm_slots_take_locked (hkm_superslab *ss, unsigned first, unsigned n);
/* Make ACTIVE slots EMPTY, RESIDENT bytes of them from the start resident.
   They join the idle memory; once the lock is given back, call
   hkm_superslab_reclaim.  */
void hkm_slots_drop_locked (hkm_superslab *ss, unsigned first, unsigned n,
                            size_t resident);
/* Purge every EMPTY slot of POOL; bytes given back.  The caller holds the purge
   lock and not POOL's.  */
size_t hkm_pool_purge (hkm_pool *pool);

#endif
