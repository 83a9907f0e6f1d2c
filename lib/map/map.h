/* The address map: from any address to the descriptor of the 64 KiB granule it
   lies in.  Two levels; leaves are mapped on demand and never go away.  Every
   pointer, of any origin, can be looked up: a granule nobody registered
   yields NULL.

   Both levels hold distances from hkm_map.none, a leaf of zeros that is never
   written, so that the zero of an unused root entry leads to that leaf, and the
   zero of an unused leaf entry to its first line, which reads as a descriptor
   that no heap owns: the hot lookup needs no test.

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
#if UINTPTR_MAX > 0xffffffffu
/* 48 bits of user address: x86-64 uses 47, aarch64 48 unless asked for more. */
#define HKM_MAP_ROOT_BITS 16
#define HKM_MAP_LEAF_BITS 16
#else
#define HKM_MAP_ROOT_BITS 2
#define HKM_MAP_LEAF_BITS 14
#endif
#define HKM_MAP_LEAF_SHIFT (HKM_GRANULE_SHIFT + HKM_MAP_LEAF_BITS)

typedef struct hkm_map_leaf
{
  uintptr_t entry[(size_t) 1 << HKM_MAP_LEAF_BITS]; /* descriptor - none */
} hkm_map_leaf;

typedef struct hkm_map_root
{
  uintptr_t leaf[(size_t) 1 << HKM_MAP_ROOT_BITS]; /* leaf - none */
  hkm_map_leaf none; /* also nobody's descriptor */
} hkm_map_root;

extern HKM_HIDDEN hkm_map_root hkm_map;
#define HKM_MAP_NONE offsetof (hkm_map_root, none)

/* The descriptor registered for P's granule, or nobody's; bits of P
   beyond the map's reach are ignored.  For the hot path, where the pointer
   check (hkm_slab_holds) compares the whole address afterwards.  */
HKM_INLINE struct hkm_slab *
hkm_map_find_masked (const void *p)
{
  uintptr_t a = (uintptr_t) p;
  uintptr_t top
      = a >> HKM_MAP_LEAF_SHIFT & (((uintptr_t) 1 << HKM_MAP_ROOT_BITS) - 1);
  /* The low 32 bits alone hold granule and offset: one shift, no mask.  */
  _Static_assert (HKM_MAP_LEAF_SHIFT == 32 || UINTPTR_MAX == 0xffffffffu,
                  "a leaf spans 32 bits");
  uintptr_t low = (uint32_t) a >> HKM_GRANULE_SHIFT
                 & (((uint32_t) 1 << HKM_MAP_LEAF_BITS) - 1);
  /* Opaque, so that `none` goes into displacements and `low` is scaled by the
     load itself: three instructions less.  */
  uintptr_t map = (uintptr_t) &hkm_map;
  HKM_OPAQUE (map);
  uintptr_t leaf
      = map + hkm_load_relaxed ((const uintptr_t *) (map + top * sizeof map));
  HKM_OPAQUE (leaf);
  uintptr_t entry = hkm_load_relaxed (
      (const uintptr_t *) (leaf + low * sizeof map + HKM_MAP_NONE));
  uintptr_t slab = map + entry + HKM_MAP_NONE;
  HKM_OPAQUE (slab);
  return (struct hkm_slab *) slab;
}

/* The descriptor registered for P's granule, or NULL.  Any P.  */
HKM_INLINE struct hkm_slab *
hkm_map_find (const void *p)
{
  struct hkm_slab *slab = hkm_map_find_masked (p);
#if UINTPTR_MAX > 0xffffffffu
  if ((uintptr_t) p >> HKM_MAP_LEAF_SHIFT >> HKM_MAP_ROOT_BITS != 0)
    return NULL;
#endif
  return (void *) slab == (void *) &hkm_map.none ? NULL : slab;
}

/* Register SLAB (NULL: nobody) for the N granules from ADDR, a multiple of the
   granule.  False: no memory for a leaf, or an address beyond the map; then
   nothing was written.  Clearing never fails.  Callers keep two writers off
   the same granule; growth is locked inside (HKM_RANK_MAP).  */
bool hkm_map_set (const void *addr, size_t n, struct hkm_slab *slab);
void hkm_map_fork_prepare (void);
void hkm_map_fork_done (void);

#endif
