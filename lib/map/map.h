/* The address map: from any address to the descriptor of the 64 KiB granule it
   lies in.  Every pointer, of any origin, can be looked up: a granule nobody
   registered yields NULL.

   Two tables.  The *near* one has an entry for the low bits of the granule
   number alone, so that the hot lookup is one load; it holds the superslabs,
   each of which claims its stretch of 32 entries (hkm_map_claim), and a tag per
   stretch says which addresses it stands for.  The *far* one, two levels with
   leaves mapped on demand, holds what is left: big blocks, and superslabs that
   found their stretch claimed, a multiple of 8 GiB away.  An address is in one
   of the two; frees of blocks that the far table knows take the cold path.

   Near entries hold distances from hkm_map, whose first line reads as a
   descriptor that no heap owns: so the zero of an unused entry needs no test.

   Written with release before a block is handed out, cleared before the
   memory goes (superslab/ and big/ do both under their locks); read without
   order: whoever holds a pointer got it by way of a synchronisation that
   happened after.  */
#ifndef HKM_MAP_MAP_H
#define HKM_MAP_MAP_H

#include "base/atomic.h"
#include "base/compiler.h"

struct hkm_slab;

#define HKM_GRANULE_SHIFT 16
#define HKM_GRANULE ((size_t) 1 << HKM_GRANULE_SHIFT)
#define HKM_MAP_STRETCH_SHIFT 21 /* a superslab */
#if UINTPTR_MAX > 0xffffffffu
#ifndef HKM_MAP_NEAR_BITS      /* tests want collisions */
#define HKM_MAP_NEAR_BITS 17 /* 8 GiB apart, two superslabs collide */
#endif
/* 48 bits of user address: x86-64 uses 47, aarch64 48 unless asked for more. */
#define HKM_MAP_ROOT_BITS 16
#define HKM_MAP_LEAF_BITS 16
#else
#define HKM_MAP_NEAR_BITS 16 /* every address: nothing collides */
#define HKM_MAP_ROOT_BITS 2
#define HKM_MAP_LEAF_BITS 14
#endif
#define HKM_MAP_LEAF_SHIFT (HKM_GRANULE_SHIFT + HKM_MAP_LEAF_BITS)
#define HKM_MAP_STRETCH_BITS \
  (HKM_MAP_NEAR_BITS + HKM_GRANULE_SHIFT - HKM_MAP_STRETCH_SHIFT)

typedef struct hkm_map_leaf
{
  uintptr_t entry[(size_t) 1 << HKM_MAP_LEAF_BITS]; /* descriptors, or 0 */
} hkm_map_leaf;

/* An entry of the near table.  The sink is the slab's, held here so that free's
   store does not wait for the descriptor: the next malloc reads what it wrote. */
typedef struct hkm_map_near
{
  uintptr_t slab; /* descriptor - none */
  struct hkm_slot *sink; /* read by the slab's owner alone; relaxed atomic */
} hkm_map_near;

/* No address's tag.  */
#define HKM_MAP_WITHDRAWN (~(uintptr_t) 0)

typedef struct hkm_map_data
{
  char none[HKM_CACHE_LINE]; /* zero: nobody's descriptor */
  hkm_map_near near[(size_t) 1 << HKM_MAP_NEAR_BITS];
  /* What the stretch's addresses have above the near bits, plus 1; 0: nobody
     claimed it; HKM_MAP_WITHDRAWN: nobody may.  */
  uintptr_t tag[(size_t) 1 << HKM_MAP_STRETCH_BITS];
  hkm_map_leaf *leaf[(size_t) 1 << HKM_MAP_ROOT_BITS];
} hkm_map_data;

extern HKM_HIDDEN hkm_map_data hkm_map;

HKM_INLINE size_t
hkm_map_near_index (const void *p)
{
  return (uintptr_t) p >> HKM_GRANULE_SHIFT
         & (((uintptr_t) 1 << HKM_MAP_NEAR_BITS) - 1);
}

/* The descriptor that the near table has for P or for an address that collides
   with it, or nobody's (hkm_map.none); and the sink it has there.  A stranger's
   is told from P's by the pointer check (hkm_slab_holds), which compares the
   whole address.  For the hot path.  */
HKM_INLINE struct hkm_slab *
hkm_map_find_near (const void *p, struct hkm_slot **sink)
{
  uintptr_t map = (uintptr_t) &hkm_map;
  uintptr_t at = hkm_map_near_index (p) * sizeof (hkm_map_near);
  /* Opaque, so that both loads add up the entry's address themselves.  */
  HKM_OPAQUE (map);
  uintptr_t slab
      = map + hkm_load_relaxed (&((const hkm_map_data *) (map + at))->near[0].slab);
  HKM_OPAQUE (map);
  *sink = hkm_load_relaxed (&((const hkm_map_data *) (map + at))->near[0].sink);
  return (struct hkm_slab *) slab;
}

/* Where the tag of A's stretch is, and what it must be for the near table to
   speak of A.  */
HKM_INLINE uintptr_t *
hkm_map_tag_at (uintptr_t a)
{
  return &hkm_map.tag[a >> HKM_MAP_STRETCH_SHIFT
                      & (((uintptr_t) 1 << HKM_MAP_STRETCH_BITS) - 1)];
}

HKM_INLINE uintptr_t
hkm_map_tag_of (uintptr_t a)
{
  return (a >> (HKM_GRANULE_SHIFT - 1) >> HKM_MAP_NEAR_BITS >> 1) + 1;
}

/* The descriptor the far table has for A, or NULL.  */
struct hkm_slab *hkm_map_find_far (uintptr_t a);

/* The descriptor registered for P's granule, or NULL.  Any P.  */
HKM_INLINE struct hkm_slab *
hkm_map_find (const void *p)
{
  uintptr_t a = (uintptr_t) p;
  if (hkm_unlikely (hkm_load_relaxed (hkm_map_tag_at (a))
                    != hkm_map_tag_of (a)))
    return hkm_map_find_far (a);
  struct hkm_slot *sink;
  struct hkm_slab *slab = hkm_map_find_near (p, &sink);
  return (void *) slab != (void *) &hkm_map ? slab : NULL;
}

/* At start: the near table is touched a page here and there, and must not be
   backed by huge pages, where the system uses them unasked.  */
void hkm_map_init (void);

/* Ask for the near table's entries for the superslab at BASE; granted if no
   other has them.  Before the first hkm_map_set there.  Any thread.  */
void hkm_map_claim (const void *base);
/* The superslab at BASE is about to be unmapped, everything there being cleared.
   Once it is, another thread may map the same address before this one runs
   again: so the claim has to end before, and until hkm_map_settle nobody gets
   the entries.  False: it had none, and there is nothing to settle.  */
bool hkm_map_withdraw (const void *base);
/* What came of it: the superslab STAYS, and has its claim again, or is gone, and
   the entries are anybody's.  */
void hkm_map_settle (const void *base, bool stays);

/* Register SLAB (NULL: nobody) for the N granules from ADDR, a multiple of the
   granule; all in one superslab or none.  False: no memory for a leaf, or an
   address beyond the map; then nothing was written.  Clearing never fails.
   Callers keep two writers off the same granule; growth is locked inside
   (HKM_RANK_MAP).  */
bool hkm_map_set (const void *addr, size_t n, struct hkm_slab *slab);
/* Register ROW[i], or NONE if that is NULL, for the granule i after ADDR's, N of
   them, which all were registered before: so it never fails.  Else as
   hkm_map_set.  */
void hkm_map_set_row (const void *addr, size_t n, struct hkm_slab *const *row,
                      struct hkm_slab *none);
/* Where frees by the owner of the slab there go from now on, as far as the near
   table knows the N granules from ADDR.  */
void hkm_map_set_sink (const void *addr, size_t n, struct hkm_slot *sink);
void hkm_map_fork_prepare (void);
void hkm_map_fork_done (void);

#endif
