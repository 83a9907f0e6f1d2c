/* Claims of the near table, growth of the far one, and writes to both.  */
#include "map/map.h"
#include "base/lock.h"
#include "os/os.h"

hkm_map_data hkm_map HKM_ALIGNED (HKM_CACHE_LINE);

static hkm_lock map_lock = HKM_LOCK_INIT (HKM_RANK_MAP);

void
hkm_map_init (void)
{
  uintptr_t page = hkm_os_page_size (), start = (uintptr_t) &hkm_map;
  uintptr_t from = (start + page - 1) & ~(page - 1);
  uintptr_t to = (start + sizeof hkm_map) & ~(page - 1);
  hkm_os_no_huge ((void *) from, to - from);
}

void
hkm_map_claim (const void *base)
{
  uintptr_t a = (uintptr_t) base, nobody = 0;
  hkm_cas_acq_rel (hkm_map_tag_at (a), &nobody, hkm_map_tag_of (a));
}

bool
hkm_map_withdraw (const void *base)
{
  uintptr_t a = (uintptr_t) base, *tag = hkm_map_tag_at (a);
  if (hkm_load_relaxed (tag) != hkm_map_tag_of (a))
    return false;
  hkm_store_release (tag, HKM_MAP_WITHDRAWN);
  return true;
}

void
hkm_map_settle (const void *base, bool stays)
{
  uintptr_t a = (uintptr_t) base;
  hkm_store_release (hkm_map_tag_at (a), stays ? hkm_map_tag_of (a) : 0);
}

/* The leaf for root index TOP, made if need be; NULL: no memory.  */
static hkm_map_leaf *
leaf_for (uintptr_t top, bool make)
{
  hkm_map_leaf *leaf = hkm_load_acquire (&hkm_map.leaf[top]);
  if (leaf != NULL || !make)
    return leaf;
  hkm_lock_take (&map_lock);
  leaf = hkm_load_relaxed (&hkm_map.leaf[top]);
  if (leaf == NULL)
    {
      /* Mapped by itself, not from the arena: half a megabyte of which a
         process touches a page or two.  */
      size_t page = hkm_os_page_size ();
      leaf = hkm_os_map ((sizeof *leaf + page - 1) & ~(page - 1), page);
      if (leaf != NULL) /* pairs with the acquire above */
        hkm_store_release (&hkm_map.leaf[top], leaf);
    }
  hkm_lock_give (&map_lock);
  return leaf;
}

#define LEAF_MASK (((uintptr_t) 1 << HKM_MAP_LEAF_BITS) - 1)

struct hkm_slab *
hkm_map_find_far (uintptr_t a)
{
  uintptr_t granule = a >> HKM_GRANULE_SHIFT, top = granule >> HKM_MAP_LEAF_BITS;
  if (top >> HKM_MAP_ROOT_BITS != 0)
    return NULL;
  const hkm_map_leaf *leaf = leaf_for (top, false);
  if (leaf == NULL)
    return NULL;
  return (struct hkm_slab *) hkm_load_relaxed (
      &leaf->entry[granule & LEAF_MASK]);
}

static bool
set_far (uintptr_t granule, size_t n, struct hkm_slab *slab)
{
  if ((granule + n - 1) >> HKM_MAP_LEAF_BITS >> HKM_MAP_ROOT_BITS != 0)
    return false;
  for (size_t i = 0; i < n; i++) /* first the leaves: all or nothing */
    if (slab != NULL
        && leaf_for ((granule + i) >> HKM_MAP_LEAF_BITS, true) == NULL)
      return false;
  for (size_t i = 0; i < n; i++)
    {
      hkm_map_leaf *leaf = leaf_for ((granule + i) >> HKM_MAP_LEAF_BITS, false);
      if (leaf != NULL)
        hkm_store_release (&leaf->entry[(granule + i) & LEAF_MASK],
                           (uintptr_t) slab);
    }
  return true;
}

bool
hkm_map_set (const void *addr, size_t n, struct hkm_slab *slab)
{
  uintptr_t a = (uintptr_t) addr;
  if (hkm_load_relaxed (hkm_map_tag_at (a)) != hkm_map_tag_of (a))
    return set_far (a >> HKM_GRANULE_SHIFT, n, slab);
  uintptr_t value = slab != NULL ? (uintptr_t) slab - (uintptr_t) &hkm_map : 0;
  for (size_t i = 0; i < n; i++)
    hkm_store_release (&hkm_map.near[hkm_map_near_index (addr) + i].slab,
                       value);
  return true;
}

void
hkm_map_set_row (const void *addr, size_t n, struct hkm_slab *const *row,
                 struct hkm_slab *none)
{
  uintptr_t a = (uintptr_t) addr;
  bool near = hkm_load_relaxed (hkm_map_tag_at (a)) == hkm_map_tag_of (a);
  for (size_t i = 0; i < n; i++)
    {
      struct hkm_slab *slab = row[i] != NULL ? row[i] : none;
      if (near)
        hkm_store_release (&hkm_map.near[hkm_map_near_index (addr) + i].slab,
                           (uintptr_t) slab - (uintptr_t) &hkm_map);
      else
        set_far ((a >> HKM_GRANULE_SHIFT) + i, 1, slab);
    }
}

void
hkm_map_set_sink (const void *addr, size_t n, struct hkm_slot *sink)
{
  uintptr_t a = (uintptr_t) addr;
  if (hkm_load_relaxed (hkm_map_tag_at (a)) == hkm_map_tag_of (a))
    for (size_t i = 0; i < n; i++)
      hkm_store_relaxed (&hkm_map.near[hkm_map_near_index (addr) + i].sink,
                         sink);
}

void
hkm_map_fork_prepare (void)
{
  hkm_lock_take (&map_lock);
}

void
hkm_map_fork_done (void)
{
  hkm_lock_give (&map_lock);
}
