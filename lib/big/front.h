/* Freed mappings of up to 2 MiB that wait in front of the cache, where who frees
   and who asks need no lock.  Private to this room.

   A mapping lies in a box of the processor that freed it.  To put one or to take
   one is one atomic on the box's word; as the word names a mapping that is free
   while it stands there, it does not matter how often it came and went in between
   (no ABA).  A thread stopped between two steps holds its mapping alone.

   Each shard in use has its part of HAKMEM_BIGCACHE to itself, and the cache the
   rest.  What is here is idle memory, as far as it was touched, but on no list: it
   goes by way of the cache.  */
#ifndef HKM_BIG_FRONT_H
#define HKM_BIG_FRONT_H

#include "big/cache.h"

enum
{
  HKM_FRONT_SHARDS = 8, /* at most */
  HKM_FRONT_ROW = 16    /* boxes of a shard */
};
#define HKM_FRONT_LONGEST ((size_t) 2 << 20)
#define HKM_FRONT_SHARD_BYTES (HKM_FRONT_ROW * HKM_FRONT_LONGEST)

/* So far: how many mappings, and blocks of how many bytes they were.  */
typedef struct hkm_front_sums
{
  uint64_t puts, put_bytes, taken, taken_bytes;
} hkm_front_sums;

/* Of BUDGET bytes of cached mappings up to a quarter may be here; what is put
   from now on is COUNTED as idle memory, or not; until POLICY changes.  OPEN
   false: nothing is put.  */
void hkm_front_set_locked (bool open, bool counted, size_t budget,
                           const hkm_policy *policy);
/* True if the policy changed since: nothing is put or taken until it is set
   anew.  */
bool hkm_front_is_stale (void);
/* Shards in use.  */
unsigned hkm_front_shards (void);

/* Keep BIG, which nobody else can reach, of no idle memory; it is not live any more
   then.  What the cache is to have: BIG itself, as it was, or what it displaced; or
   NULL.  *tend: the caller is to see that idle memory keeps to its budget (now and
   then, or since it does not). */
hkm_big *hkm_front_put (hkm_big *big, bool *tend);
/* A mapping for SIZE bytes (of pages) at a multiple of ALIGN, by the hints of
   MARK; the caller's, in use and of no idle memory; *dirty bytes of it were touched
   before.  NULL: none.  */
hkm_big *hkm_front_take (size_t size, size_t align, hkm_mark mark,
                         size_t *dirty);
/* What box I of all shards holds, taken out, of no idle memory; or NULL.  */
hkm_big *hkm_front_take_at (unsigned i);
void hkm_front_sum (hkm_front_sums *sum);
/* Add to FACTS what is in the boxes.  */
void hkm_front_facts (hkm_big_facts *facts);

#endif
