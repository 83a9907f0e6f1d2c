/* Superslabs as memory: mapping, descriptors, buckets, the LRU of empty ones,
   trim and facts.  Knows nothing of blocks.  */
#include "superslab/superslab.h"
#include "opts/trace.h"
#include "os/arena.h"
#include "os/os.h"
#include "superslab/pool.h"
#include "superslab/retain.h"

uintptr_t hkm_secret_key;

hkm_pool hkm_pool_first = { .lock = HKM_LOCK_INIT (HKM_RANK_SUPERSLAB) };
hkm_pool *hkm_pool_others[HKM_POOLS];
uint32_t hkm_pool_count;
hkm_slab hkm_slab_none;
hkm_lock hkm_purge_lock = HKM_LOCK_INIT (HKM_RANK_PURGE);

/* Superslabs on the LRUs of all pools; relaxed atomic: the cap is a policy.  */
static uint64_t lru_count;

/* The number of this thread's pool; no more than there are.  */
static __thread uint32_t home __attribute__ ((tls_model ("initial-exec")));

/* ---- the pools ---- */

/* The memory of pool N, or NULL.  */
static hkm_pool *
pool_make (uint32_t n)
{
  if (n == 0)
    return &hkm_pool_first;
  hkm_pool *pool = hkm_arena_alloc (sizeof *pool, HKM_CACHE_LINE);
  if (pool == NULL)
    return NULL;
  pool->lock = (hkm_lock) HKM_LOCK_INIT (HKM_RANK_SUPERSLAB);
  pool->number = n;
  return hkm_pool_others[n] = pool;
}

/* Take pool N into use, if it is the next one and there is memory.  */
static void
pool_open (uint32_t n)
{
  hkm_lock_take (&hkm_pool_first.lock);
  hkm_pool *pool = n == hkm_pool_count ? pool_make (n) : NULL;
  if (pool != NULL)
    {
      for (unsigned c = 0; c < HKM_CLASSES; c++)
        hkm_list_init (&pool->class_empty[c]);
      hkm_list_init (&pool->lru);
      hkm_list_init (&pool->idle);
      hkm_list_init (&pool->unmapped);
      hkm_store_release (&hkm_pool_count, n + 1);
    }
  hkm_lock_give (&hkm_pool_first.lock);
}

static void
note_locked (hkm_pool *pool, bool busy)
{
  bool visited = pool->number != home;
  if (pool->visited != visited)
    hkm_store_relaxed (&pool->visited, visited);
  hkm_count (&pool->counts, HKM_COUNT_POOL_LOCK, 1);
  hkm_count (&pool->counts, HKM_COUNT_POOL_BUSY, busy);
}

void
hkm_pool_lock (hkm_pool *pool)
{
  bool free = hkm_lock_take (&pool->lock);
  note_locked (pool, !free);
}

bool
hkm_pool_try (hkm_pool *pool)
{
  if (!hkm_lock_try (&pool->lock))
    return false;
  note_locked (pool, false);
  return true;
}

hkm_pool *
hkm_pool_enter (void)
{
  hkm_pool *pool;
  bool busy = false;
  if (home < hkm_load_acquire (&hkm_pool_count))
    {
      pool = hkm_pool_at (home);
      if (hkm_pool_try (pool))
        return pool;
      busy = true;
      if (!hkm_load_relaxed (&pool->visited))
        home = (home + 1) % HKM_POOLS;
    }
  if (home >= hkm_load_acquire (&hkm_pool_count))
    pool_open (home);
  if (home >= hkm_load_acquire (&hkm_pool_count))
    home = 0; /* no memory for a further one */
  pool = hkm_pool_at (home);
  busy = !hkm_lock_take (&pool->lock) || busy;
  note_locked (pool, busy);
  return pool;
}

/* ---- mapping ---- */

/* False: no memory.  */
static bool
buckets_make_locked (hkm_pool *pool, unsigned domain)
{
  hkm_link *bucket = pool->bucket[domain];
  if (bucket != NULL)
    return true;
  bucket = hkm_arena_alloc (HKM_SUPERSLAB_SLOTS * sizeof *bucket,
                            HKM_CACHE_LINE);
  if (bucket == NULL)
    return false;
  for (unsigned n = 0; n < HKM_SUPERSLAB_SLOTS; n++)
    hkm_list_init (&bucket[n]);
  pool->bucket[domain] = bucket;
  return true;
}

static hkm_superslab *
descriptor_get_locked (hkm_pool *pool)
{
  if (!hkm_list_empty (&pool->unmapped))
    {
      hkm_link *l = pool->unmapped.next;
      hkm_list_remove (l);
      return hkm_container_of (l, hkm_superslab, link);
    }
  hkm_superslab *ss = hkm_arena_alloc (sizeof *ss, HKM_CACHE_LINE);
  if (ss != NULL)
    {
      hkm_list_init (&ss->link);
      hkm_list_init (&ss->idle_link);
      ss->pool = pool;
    }
  return ss;
}

/* A new superslab from the OS, registered slot by slot.  */
static HKM_COLD hkm_superslab *
superslab_map_locked (hkm_pool *pool, bool for_slabs)
{
  hkm_superslab *ss = descriptor_get_locked (pool);
  if (ss == NULL)
    return NULL;
  ss->base = hkm_os_map (HKM_SUPERSLAB_SIZE, HKM_SUPERSLAB_SIZE);
  if (ss->base == NULL)
    {
      hkm_list_push (&pool->unmapped, &ss->link);
      return NULL;
    }
  /* A huge page makes the first touch cost 2 MiB and refills purged holes: only
     where it is asked for, or earned.  */
  bool always = hkm_pool_policy_locked (pool)->thp == HKM_THP_ALWAYS
                && hkm_os_thp () != HKM_OS_THP_NEVER;
  bool huge = (always || (for_slabs && hkm_huge_earned_locked (pool)))
              && hkm_os_huge (ss->base, HKM_SUPERSLAB_SIZE);
  if (!huge)
    hkm_os_no_huge (ss->base, HKM_SUPERSLAB_SIZE);
  hkm_count (&pool->counts, HKM_COUNT_THP_MAP, huge);
  ss->huge = huge && always;
  hkm_store_relaxed (&ss->earned, huge && !always);
  ss->used = ss->empty = 0;
  ss->classes = 0;
  hkm_map_claim (ss->base);
  /* The map needs a leaf for the address at most; slots are registered when
     they become part of a slab or run.  */
  if (!hkm_map_set (ss->base, 1, &hkm_slab_none))
    {
      hkm_os_unmap (ss->base, HKM_SUPERSLAB_SIZE);
      hkm_list_push (&pool->unmapped, &ss->link);
      return NULL;
    }
  pool->superslabs++;
  hkm_count (&pool->counts, HKM_COUNT_SS_MAP, 1);
  return ss;
}

/* SS, wholly free and on no list but the idle one, goes back to the OS.  */
static HKM_COLD bool
superslab_unmap_locked (hkm_superslab *ss)
{
  hkm_pool *pool = ss->pool;
  size_t idle = 0;
  for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
    if (ss->empty >> i & 1)
      {
        hkm_slab_dismantle_locked (ss, i);
        idle += ss->resident[i] * HKM_RESIDENT_UNIT;
      }
  hkm_map_set (ss->base, HKM_SUPERSLAB_SLOTS, NULL);
  bool claimed = hkm_map_withdraw (ss->base);
  bool gone = hkm_os_unmap (ss->base, HKM_SUPERSLAB_SIZE);
  if (claimed)
    hkm_map_settle (ss->base, !gone);
  if (!gone)
    return false; /* registered anew as slots are used */
  hkm_retain_leave (idle);
  hkm_list_remove (&ss->idle_link);
  ss->empty = 0;
  hkm_list_push (&pool->unmapped, &ss->link);
  pool->superslabs--;
  hkm_count (&pool->counts, HKM_COUNT_SS_UNMAP, 1);
  hkm_trace (SS_LRU_DEBUG, "lru: unmap %p", (void *) ss->base);
  return true;
}

/* ---- where a superslab is ---- */

void
hkm_superslab_lift_locked (hkm_superslab *ss)
{
  hkm_list_remove (&ss->link);
  if (ss->kept)
    hkm_fetch_sub_relaxed (&lru_count, 1);
  ss->kept = false;
}

/* SS, without ACTIVE slots, joins the LRU: in front of the others, but behind
   them if it holds no memory either.  */
static void
lru_put_locked (hkm_superslab *ss)
{
  if (ss->empty != 0)
    hkm_list_push (&ss->pool->lru, &ss->link);
  else
    hkm_list_append (&ss->pool->lru, &ss->link);
  ss->kept = true;
  hkm_fetch_add_relaxed (&lru_count, 1);
}

/* Unmap empty superslabs of POOL while all pools have more than CAP.  Those
   that hold idle memory come last: it is within the budget, and who unmapped it
   would fault it in again.  Only a cap of none takes them too.  */
static HKM_COLD void
lru_shrink_locked (hkm_pool *pool, uint64_t cap)
{
  while (hkm_load_relaxed (&lru_count) > cap && !hkm_list_empty (&pool->lru))
    {
      hkm_superslab *ss
          = hkm_container_of (pool->lru.prev, hkm_superslab, link);
      if (ss->empty != 0 && cap > 0)
        return;
      hkm_superslab_lift_locked (ss);
      if (!superslab_unmap_locked (ss))
        {
          /* The mapping limit.  It stays; what it holds is idle memory like
             any other.  */
          lru_put_locked (ss);
          return;
        }
    }
}

void
hkm_superslab_place_locked (hkm_superslab *ss)
{
  hkm_pool *pool = ss->pool;
  hkm_superslab_lift_locked (ss);
  if (ss->used != 0)
    {
      unsigned spare
          = HKM_SUPERSLAB_SLOTS - (unsigned) __builtin_popcount (ss->used);
      hkm_list_push (&pool->bucket[ss->domain][spare], &ss->link);
      return;
    }
  lru_put_locked (ss);
  hkm_trace (SS_LRU_DEBUG, "lru: push %p, %llu kept", (void *) ss->base,
             (unsigned long long) hkm_load_relaxed (&lru_count));
  lru_shrink_locked (pool, hkm_pool_policy_locked (pool)->lru_cap);
}

/* SS, on the LRU, is going to be used.  If nothing of it is resident and huge pages
   are earned, true: it is unmapped in favour of a new one, because where small pages
   were the kernel has a table of them, even when they are purged.  Not if the kernel
   knows no huge pages, or that would be so each time.  */
static bool
made_way_locked (hkm_superslab *ss, bool for_slabs)
{
  if (ss->empty != 0)
    return false;
  bool earned = for_slabs && hkm_huge_earned_locked (ss->pool);
  if (!earned)
    hkm_huge_split_locked (ss);
  if (!earned || ss->earned || !hkm_os_huge (ss->base, HKM_SUPERSLAB_SIZE))
    return false;
  hkm_superslab_lift_locked (ss);
  if (superslab_unmap_locked (ss))
    return true;
  /* Too many mappings.  It is advised as it is, and taken for one huge page.  */
  hkm_store_relaxed (&ss->earned, true);
  lru_put_locked (ss);
  return false;
}

hkm_superslab *
hkm_superslab_get_locked (hkm_pool *pool, uint8_t domain, bool map,
                          bool for_slabs)
{
  hkm_superslab *ss = NULL;
  if (!hkm_list_empty (&pool->lru))
    ss = hkm_container_of (pool->lru.next, hkm_superslab, link);
  else if (!map)
    return NULL;
  if (!buckets_make_locked (pool, domain))
    return NULL;
  if (ss != NULL && made_way_locked (ss, for_slabs))
    ss = NULL;
  if (ss != NULL)
    {
      hkm_superslab_lift_locked (ss);
      hkm_count (&pool->counts, HKM_COUNT_SS_LRU_HIT, 1);
      hkm_trace (SS_LRU_DEBUG, "lru: hit %p, %llu kept", (void *) ss->base,
                 (unsigned long long) hkm_load_relaxed (&lru_count));
    }
  else
    {
      ss = superslab_map_locked (pool, for_slabs);
      if (ss == NULL)
        return NULL;
      ss->domain = domain;
    }
  if (ss->domain != domain)
    {
      /* Carved slabs of another domain's classes must not be found here.  */
      for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
        if (ss->empty >> i & 1)
          hkm_slab_dismantle_locked (ss, i);
      ss->domain = domain;
      ss->classes = 0;
    }
  return ss;
}

void *
hkm_slab_address (const hkm_slab *slab)
{
  return slab->super->base + slab->first * HKM_SLOT_SIZE;
}

void
hkm_superslab_prewarm (unsigned n)
{
  hkm_pool *pool = hkm_pool_enter ();
  for (; n > 0; n--)
    {
      hkm_superslab *ss = superslab_map_locked (pool, true);
      if (ss == NULL)
        break;
      ss->domain = 0;
      hkm_superslab_place_locked (ss);
    }
  hkm_lock_give (&pool->lock);
}

HKM_COLD size_t
hkm_superslab_trim (void)
{
  size_t bytes = 0, idle = hkm_retain_idle ();
  bool unmapped = false;
  hkm_retain_drain ();
  hkm_lock_take (&hkm_purge_lock);
  for (uint32_t i = 0; i < hkm_load_acquire (&hkm_pool_count); i++)
    {
      hkm_pool *pool = hkm_pool_at (i);
      bytes += hkm_pool_purge (pool);
      hkm_pool_lock (pool);
      uint64_t before = pool->superslabs;
      lru_shrink_locked (pool, 0);
      unmapped = unmapped || before > pool->superslabs;
      hkm_lock_give (&pool->lock);
    }
  hkm_lock_give (&hkm_purge_lock);
  if (bytes == 0 && unmapped)
    bytes = idle > 0 ? idle : HKM_RESIDENT_UNIT;
  return bytes;
}

static size_t
empty_bytes_locked (const hkm_pool *pool)
{
  size_t bytes = 0;
  for (hkm_link *l = pool->idle.next; l != &pool->idle; l = l->next)
    {
      hkm_superslab *ss = hkm_container_of (l, hkm_superslab, idle_link);
      for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
        if (ss->empty >> i & 1)
          bytes += ss->resident[i] * HKM_RESIDENT_UNIT;
    }
  return bytes;
}

/* Superslabs in use with less than a quarter of their slots ACTIVE.  */
static uint64_t
sparse_locked (const hkm_pool *pool)
{
  uint64_t sparse = 0;
  for (unsigned d = 0; d < HKM_DOMAINS; d++)
    if (pool->bucket[d] != NULL)
      for (unsigned n = HKM_SUPERSLAB_SLOTS * 3 / 4 + 1;
           n < HKM_SUPERSLAB_SLOTS; n++)
        {
          const hkm_link *list = &pool->bucket[d][n];
          for (const hkm_link *l = list->next; l != list; l = l->next)
            sparse++;
        }
  return sparse;
}

HKM_COLD void
hkm_superslab_facts_get (hkm_superslab_facts *facts, hkm_counts *counts)
{
  *facts = (hkm_superslab_facts) { .lru = hkm_load_relaxed (&lru_count) };
  for (uint32_t i = 0; i < hkm_load_acquire (&hkm_pool_count); i++)
    {
      hkm_pool *pool = hkm_pool_at (i);
      hkm_lock_take (&pool->lock); /* looking doesn't count */
      facts->superslabs += pool->superslabs;
      facts->sparse += sparse_locked (pool);
      facts->empty_bytes += empty_bytes_locked (pool);
      for (unsigned k = 0; k < HKM_COUNTERS; k++)
        counts->value[k] += pool->counts.value[k];
      hkm_lock_give (&pool->lock);
    }
}

void
hkm_superslab_fork_prepare (void)
{
  hkm_lock_take (&hkm_purge_lock);
  hkm_lock_take (&hkm_pool_first.lock);
  /* Now there will be no more pools.  All forking threads take them in this
     order, and nobody else holds one and waits for another.  */
  for (uint32_t i = 1; i < hkm_pool_count; i++)
    hkm_lock_take_peer (&hkm_pool_at (i)->lock);
}

void
hkm_superslab_fork_done (void)
{
  for (uint32_t i = 1; i < hkm_pool_count; i++)
    hkm_lock_give (&hkm_pool_at (i)->lock);
  hkm_lock_give (&hkm_pool_first.lock); /* last: it is what keeps the number */
  hkm_lock_give (&hkm_purge_lock);
}
