/* The cache of freed big mappings, and whose pages are given back when idle
   memory is over its budget.  Private to this room; everything is guarded by
   hkm_big_lock.

   A mapping has three lengths: size <= touched <= mapped.  The program may
   use `size' bytes (none of a cached one); beyond `touched' all reads as zero.
   What lies between the two is idle memory, left by an earlier user, of live
   blocks as of cached ones; but of those from the front only if it is much (see
   hkm_big_alloc).  */
#ifndef HKM_BIG_CACHE_H
#define HKM_BIG_CACHE_H

#include "base/lock.h"
#include "big/big.h"
#include "policy/policy.h"

typedef struct hkm_big
{
  hkm_slab head;       /* kind BIG; what the address map leads to */
  hkm_link link;       /* cached: by age; else among spare descriptors */
  hkm_link size_link;  /* cached: in its size's bucket */
  hkm_link idle_link;  /* while `idle' is not 0: by age */
  char *base;          /* of mapping and block; relaxed atomic */
  size_t size;         /* usable bytes; relaxed atomic */
  size_t touched;      /* beyond these bytes nothing is resident */
  size_t mapped;
  size_t idle;         /* bytes counted as idle memory; relaxed atomic where it
                          is not 0, and release to 0 */
  uint64_t turn;       /* cached: a later one was freed later; else 0 */
  uint64_t idle_since; /* milliseconds */
  bool asked, huge;    /* huge pages were asked for; and granted */
} hkm_big;

extern hkm_lock hkm_big_lock;
extern hkm_counts hkm_big_counts;

/* The length of a mapping for SIZE bytes: blocks begin at granules, and so can
   what is cut from behind this one.  */
HKM_INLINE size_t
hkm_big_granules (size_t size)
{
  return (size + HKM_GRANULE - 1) & ~(HKM_GRANULE - 1);
}

/* The longest mapping that serves SIZE bytes by the hints of MARK, and is not cut:
   half as long again, since what is not touched costs addresses alone, and what
   is touched beyond is idle memory; but by the hint exact none that is longer. */
HKM_INLINE size_t
hkm_big_most (size_t size, hkm_mark mark)
{
  size_t least = hkm_big_granules (size);
  return (mark & HKM_HINT_EXACT) != 0 ? least : least + least / 2;
}

/* The policy in force.  */
const hkm_policy *hkm_cache_policy_locked (void);
/* big/front.h does as that says.  */
void hkm_cache_set_front_locked (void);
/* A cached mapping for SIZE bytes (of pages) at a multiple of ALIGN, taken out,
   of `size' 0, and cut from a longer one if need be; or NULL.  */
hkm_big *hkm_cache_take_locked (size_t size, size_t align, hkm_mark mark);
/* The live BIG becomes at least SIZE bytes, and no more than MOST if what is over
   can be cut off, by the cached mapping behind it.  False: there is none such. */
bool hkm_cache_extend_locked (hkm_big *big, size_t size, size_t most);
/* The program freed a block: it does not just grow.  No lock.  */
void hkm_cache_note_free (void);
/* Cache BIG, which was freed, as one with neighbours that are cached, and in
   place of what is older.  False: it is beyond the budget, and nothing was
   done.  */
bool hkm_cache_put_locked (hkm_big *big);
/* As put, whatever the budget, for a mapping that the OS would not have; its
   pages go.  */
void hkm_cache_force_locked (hkm_big *big);
/* BIG serves SIZE bytes from now on, at most `mapped'.  */
void hkm_cache_use_locked (hkm_big *big, size_t size);
/* Nothing of BIG counts as idle, until the next use.  */
void hkm_cache_hold_locked (hkm_big *big);
/* Give pages back while idle memory is over its budget.  */
void hkm_cache_reclaim_locked (void);
/* True if P lies in a cached mapping.  Searches.  */
bool hkm_cache_holds_locked (const char *p);
/* Bytes of cached mappings that are resident but no idle memory, because the
   strategy keeps them.  */
size_t hkm_cache_kept_locked (void);
/* Give every cached mapping back; bytes.  */
size_t hkm_cache_trim_locked (void);
/* BIG, fresh from the arena or used before, gets the mapping BASE of SIZE bytes
   (NULL: none).  False: it is not registered.  */
bool hkm_big_set (hkm_big *big, char *base, size_t size);
/* Give the mapping of BIG, which nobody can reach any more but by its address,
   back to the OS.  False: it would not have it (the mapping limit).  */
bool hkm_big_unmap (hkm_big *big);
/* A descriptor without a mapping, and back.  NULL: no memory.  */
hkm_big *hkm_big_descriptor_locked (void);
void hkm_big_forget_locked (hkm_big *big);

/* Of cached mappings, and idle.  Relaxed atomic.  */
extern size_t hkm_cached_bytes, hkm_big_idle_bytes;

#endif
