/* Growth of the address map and writes to it.  */
#include "map/map.h"
#include "base/lock.h"
#include "os/os.h"

hkm_map_root hkm_map HKM_ALIGNED (HKM_CACHE_LINE);

static hkm_lock map_lock = HKM_LOCK_INIT (HKM_RANK_MAP);

/* The leaf for root index TOP, made if need be; NULL: no memory.  */
static hkm_map_leaf *
leaf_for (uintptr_t top, bool make)
{
  uintptr_t offset = hkm_load_acquire (&hkm_map.leaf[top]);
  if (offset == 0 && make)
    {
      hkm_lock_take (&map_lock);
      offset = hkm_load_relaxed (&hkm_map.leaf[top]);
      if (offset == 0)
        {
          /* Mapped by itself, not from the arena: half a megabyte of which a
             process touches a page or two.  */
          size_t page = hkm_os_page_size ();
          size_t size = (sizeof (hkm_map_leaf) + page - 1) & ~(page - 1);
          void *leaf = hkm_os_map (size, page);
          if (leaf != NULL)
            {
              offset = (uintptr_t) leaf - (uintptr_t) &hkm_map.none;
              /* Pairs with the acquire above; readers in hkm_map_find follow
                 the address dependency.  */
              hkm_store_release (&hkm_map.leaf[top], offset);
            }
        }
      hkm_lock_give (&map_lock);
    }
  if (offset == 0)
    return NULL;
  return (hkm_map_leaf *) ((uintptr_t) &hkm_map.none + offset);
}

bool
hkm_map_set (const void *addr, size_t n, struct hkm_slab *slab)
{
  uintptr_t granule = (uintptr_t) addr >> HKM_GRANULE_SHIFT;
  const uintptr_t leaf_mask = ((uintptr_t) 1 << HKM_MAP_LEAF_BITS) - 1;
  if ((granule + n - 1) >> HKM_MAP_LEAF_BITS
      >= (uintptr_t) 1 << HKM_MAP_ROOT_BITS)
    return false;
  for (size_t i = 0; i < n; i++) /* first the leaves: all or nothing */
    if (slab != NULL
        && leaf_for ((granule + i) >> HKM_MAP_LEAF_BITS, true) == NULL)
      return false;
  uintptr_t value = slab != NULL ? (uintptr_t) slab - (uintptr_t) &hkm_map.none : 0;
  for (size_t i = 0; i < n; i++)
    {
      hkm_map_leaf *leaf = leaf_for ((granule + i) >> HKM_MAP_LEAF_BITS, false);
      if (leaf != NULL)
        hkm_store_release (&leaf->entry[(granule + i) & leaf_mask], value);
    }
  return true;
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
