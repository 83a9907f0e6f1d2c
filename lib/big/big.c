/* Big blocks: own mappings, and a cache of freed ones.  A descriptor's xword is
   1 while the program has the block and 0 otherwise, so that of two frees one
   is told.  */
#include "big/big.h"
#include "base/lock.h"
#include "opts/fail.h"
#include "os/arena.h"
#include "os/os.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"

typedef struct hkm_big
{
  hkm_slab head;  /* kind BIG; what the address map leads to */
  hkm_link link;  /* in the cache or among free descriptors */
  char *base;     /* of the mapping, and of the block; relaxed atomic */
  size_t size;    /* bytes mapped and usable; relaxed atomic */
  size_t touched; /* beyond these bytes nothing is resident */
  size_t idle;    /* counted as idle memory: of a cached one, what may be
                     resident; of a live one, what an earlier user touched
                     beyond the request */
} hkm_big;

static hkm_lock big_lock = HKM_LOCK_INIT (HKM_RANK_BIG);
/* Guarded by big_lock.  */
static hkm_link cache; /* most recent first */
static hkm_link spare; /* descriptors without a mapping */
static size_t cached_bytes; /* relaxed atomic: read without the lock */
static size_t idle_bytes;
static size_t cache_budget, live_bytes;
static uint64_t live_count;
static hkm_counts counts;

/* A cached mapping serves a request down to half its size: what is not touched
   costs addresses alone, and waste_locked sees to the rest.  */
static bool
fits (const hkm_big *big, size_t size, size_t align)
{
  return big->size >= size && big->size - size <= size
         && ((uintptr_t) big->base & (align - 1)) == 0;
}

static size_t
round_up (size_t size, size_t to)
{
  return (size + to - 1) & ~(to - 1);
}

static hkm_big *
descriptor_get_locked (void)
{
  if (hkm_list_empty (&spare))
    {
      hkm_big *big = hkm_arena_alloc (sizeof *big, HKM_CACHE_LINE);
      if (big != NULL)
        hkm_list_init (&big->link);
      return big;
    }
  hkm_big *big = hkm_container_of (spare.next, hkm_big, link);
  hkm_list_remove (&big->link);
  return big;
}

/* BIG counts as BYTES of idle memory from now on; true if within the budget.  */
static bool
count_idle_locked (hkm_big *big, size_t bytes)
{
  hkm_retain_leave (big->idle);
  idle_bytes += bytes - big->idle;
  big->idle = bytes;
  return bytes == 0 || hkm_retain_admit (bytes);
}

/* BIG, out of the cache, is to serve SIZE bytes.  If an earlier user touched much
   more, that is idle memory like any other: kept within the budget, or purged. */
static void
waste_locked (hkm_big *big, size_t size)
{
  size_t touched = big->touched;
  if (touched <= size)
    {
      hkm_retain_wanted (size - touched);
      big->touched = size;
      return;
    }
  size_t waste = touched - size;
  if (waste <= size / 4 || count_idle_locked (big, waste))
    return;
  count_idle_locked (big, 0);
  if (hkm_os_purge (big->base + size, waste))
    {
      big->touched = size;
      hkm_retain_purged (waste);
    }
}

/* The best fitting cached mapping, taken out; or NULL.  */
static hkm_big *
cache_take_locked (size_t size, size_t align)
{
  hkm_big *best = NULL;
  for (hkm_link *l = cache.next; l != &cache; l = l->next)
    {
      hkm_big *big = hkm_container_of (l, hkm_big, link);
      if (fits (big, size, align) && (best == NULL || big->size < best->size))
        best = big;
    }
  if (best == NULL)
    return NULL;
  hkm_list_remove (&best->link);
  hkm_store_relaxed (&cached_bytes, cached_bytes - best->size);
  count_idle_locked (best, 0);
  waste_locked (best, size);
  hkm_count (&counts, HKM_COUNT_BIG_CACHE_HIT, 1);
  return best;
}

/* Give the mapping of BIG, which is cached, back to the OS.  False: the OS would
   not have it (the mapping limit); it stays cached, purged if that can be.  */
static bool
unmap_locked (hkm_big *big)
{
  size_t idle = big->idle;
  hkm_map_set (big->base, 1, NULL);
  bool gone = hkm_os_unmap (big->base, big->size);
  if (!gone)
    hkm_map_set (big->base, 1, &big->head); /* its leaf exists: can't fail */
  if (gone || (idle > 0 && hkm_os_purge (big->base, big->size)))
    {
      big->touched = 0;
      count_idle_locked (big, 0);
      hkm_retain_purged (idle);
    }
  if (!gone)
    return false;
  hkm_list_remove (&big->link);
  hkm_store_relaxed (&cached_bytes, cached_bytes - big->size);
  hkm_list_push (&spare, &big->link);
  return true;
}

static size_t
cache_shrink_locked (size_t to_bytes, bool to_budget)
{
  size_t bytes = 0;
  while (!hkm_list_empty (&cache)
         && (cached_bytes > to_bytes
             || (to_budget && hkm_retain_idle () > hkm_retain_budget ())))
    {
      hkm_big *oldest = hkm_container_of (cache.prev, hkm_big, link);
      size_t size = oldest->size;
      if (!unmap_locked (oldest))
        break;
      bytes += size;
    }
  return bytes;
}

void *
hkm_big_alloc (size_t size, size_t align, bool *zeroed)
{
  size = round_up (size, hkm_os_page_size ());
  if (align < HKM_GRANULE)
    align = HKM_GRANULE;
  hkm_lock_take (&big_lock);
  hkm_big *big = cache_take_locked (size, align);
  bool fresh = big == NULL;
  if (fresh)
    big = descriptor_get_locked ();
  hkm_lock_give (&big_lock);
  if (big == NULL)
    return NULL;
  if (fresh)
    {
      char *base = hkm_os_map (size, align);
      hkm_store_relaxed (&big->head.owner, NULL);
      hkm_store_relaxed (&big->head.kind, HKM_KIND_BIG);
      hkm_store_relaxed (&big->head.xword, 0);
      hkm_store_relaxed (&big->base, base);
      hkm_store_relaxed (&big->size, size);
      big->touched = size;
      if (base != NULL && !hkm_map_set (base, 1, &big->head))
        {
          hkm_os_unmap (base, size);
          base = NULL;
        }
      if (base == NULL)
        {
          hkm_lock_take (&big_lock);
          hkm_list_push (&spare, &big->link);
          hkm_lock_give (&big_lock);
          return NULL;
        }
      hkm_retain_wanted (size);
    }
  *zeroed = fresh;
  hkm_store_release (&big->head.xword, 1);
  hkm_retain_live ((ptrdiff_t) big->size);
  hkm_lock_take (&big_lock);
  live_count++;
  live_bytes += big->size;
  hkm_count (&counts, HKM_COUNT_BIG_ALLOC, 1);
  hkm_lock_give (&big_lock);
  return big->base;
}

size_t
hkm_big_usable (const hkm_slab *slab, const void *p)
{
  const hkm_big *big = (const hkm_big *) slab;
  if (hkm_load_relaxed (&big->base) != p || !hkm_load_relaxed (&slab->xword))
    return 0;
  return hkm_load_relaxed (&big->size);
}

void
hkm_big_free (hkm_slab *slab, void *p, const char *who)
{
  hkm_big *big = (hkm_big *) slab;
  if (hkm_load_relaxed (&big->base) != p)
    {
      hkm_fail (HKM_FAULT_INVALID, who, p, 0, -1);
      return;
    }
  if (hkm_exchange_acq_rel (&slab->xword, 0) != 1)
    {
      hkm_fail (HKM_FAULT_DOUBLE_FREE, who, p, big->size, -1);
      return;
    }
  hkm_lock_take (&big_lock);
  live_count--;
  live_bytes -= big->size;
  hkm_count (&counts, HKM_COUNT_BIG_FREE, 1);
  hkm_retain_live (-(ptrdiff_t) big->size);
  count_idle_locked (big, big->touched);
  hkm_list_push (&cache, &big->link);
  hkm_store_relaxed (&cached_bytes, cached_bytes + big->size);
  if (big->size <= cache_budget || unmap_locked (big))
    cache_shrink_locked (cache_budget, true);
  hkm_lock_give (&big_lock);
  hkm_superslab_reclaim ();
}

static void
resized (hkm_big *big, size_t size)
{
  size_t old = big->size;
  hkm_store_relaxed (&big->size, size);
  hkm_retain_live ((ptrdiff_t) (size - old));
  hkm_lock_take (&big_lock);
  big->touched = size;
  count_idle_locked (big, 0);
  live_bytes += size - old;
  hkm_count (&counts, HKM_COUNT_BIG_REMAP, 1);
  hkm_lock_give (&big_lock);
}

/* Move the pages of BIG to where SIZE bytes fit.  No byte is copied.  */
static bool
move (hkm_big *big, size_t size)
{
  char *target = hkm_os_reserve (size, HKM_GRANULE);
  if (target == NULL)
    return false;
  if (!hkm_map_set (target, 1, &big->head))
    {
      hkm_os_unreserve (target, size);
      return false;
    }
  /* The old entry goes before the memory does; nobody else may look this
     block up while its owner reallocates it.  */
  char *old = big->base;
  hkm_map_set (old, 1, NULL);
  if (!hkm_os_move (old, big->size, target, size))
    {
      hkm_map_set (old, 1, &big->head);
      hkm_map_set (target, 1, NULL);
      return false;
    }
  hkm_store_relaxed (&big->base, target);
  return true;
}

void *
hkm_big_realloc (hkm_slab *slab, void *p, size_t size)
{
  hkm_big *big = (hkm_big *) slab;
  size = round_up (size, hkm_os_page_size ());
  if (size == big->size)
    return p;
  if (hkm_os_resize (big->base, big->size, size) || move (big, size))
    {
      resized (big, size);
      return big->base;
    }
  return NULL;
}

size_t
hkm_big_trim (void)
{
  hkm_lock_take (&big_lock);
  size_t bytes = cache_shrink_locked (0, false);
  hkm_lock_give (&big_lock);
  return bytes;
}

/* The cache's part in keeping to the budget, when others free.  */
static void
cache_reclaim (void)
{
  if (hkm_load_relaxed (&cached_bytes) == 0)
    return;
  hkm_lock_take (&big_lock);
  cache_shrink_locked (cache_budget, true);
  hkm_lock_give (&big_lock);
}

void
hkm_big_init (size_t budget)
{
  hkm_list_init (&cache);
  hkm_list_init (&spare);
  hkm_retain_set_reclaim (cache_reclaim);
#ifdef HKM_WITH_BIGCACHE
  cache_budget = budget;
#else
  (void) budget;
  cache_budget = 0;
#endif
}

void
hkm_big_facts_get (hkm_big_facts *facts, hkm_counts *sum)
{
  hkm_lock_take (&big_lock);
  facts->count = live_count;
  facts->bytes = live_bytes;
  facts->cached_bytes = cached_bytes;
  facts->idle_bytes = idle_bytes;
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    sum->value[i] += counts.value[i];
  hkm_lock_give (&big_lock);
}

void
hkm_big_fork_prepare (void)
{
  hkm_lock_take (&big_lock);
}

void
hkm_big_fork_done (void)
{
  hkm_lock_give (&big_lock);
}
