/* Superslabs as memory: mapping, descriptors, buckets, the LRU of empty ones,
   trim and facts.  Knows nothing of blocks.  */
#include "superslab/superslab.h"
#include "opts/trace.h"
#include "os/arena.h"
#include "os/os.h"
#include "superslab/pool.h"
#include "superslab/retain.h"

uintptr_t hkm_secret_key;

hkm_pool hkm_pool_state = { .lock = HKM_LOCK_INIT (HKM_RANK_SUPERSLAB) };
#define pool hkm_pool_state

static void
pool_init_locked (void)
{
  pool.ready = true;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    hkm_list_init (&pool.class_empty[c]);
  hkm_list_init (&pool.lru);
  hkm_list_init (&pool.idle);
  hkm_list_init (&pool.unmapped);
}

/* False: no memory.  */
static bool
buckets_make_locked (unsigned domain)
{
  hkm_link *bucket = pool.bucket[domain];
  if (bucket != NULL)
    return true;
  bucket = hkm_arena_alloc (HKM_SUPERSLAB_SLOTS * sizeof *bucket,
                            HKM_CACHE_LINE);
  if (bucket == NULL)
    return false;
  for (unsigned n = 0; n < HKM_SUPERSLAB_SLOTS; n++)
    hkm_list_init (&bucket[n]);
  pool.bucket[domain] = bucket;
  return true;
}

static hkm_superslab *
descriptor_get_locked (void)
{
  if (!hkm_list_empty (&pool.unmapped))
    {
      hkm_link *l = pool.unmapped.next;
      hkm_list_remove (l);
      return hkm_container_of (l, hkm_superslab, link);
    }
  hkm_superslab *ss = hkm_arena_alloc (sizeof *ss, HKM_CACHE_LINE);
  if (ss != NULL)
    {
      hkm_list_init (&ss->link);
      hkm_list_init (&ss->idle_link);
    }
  return ss;
}

/* A new superslab from the OS, registered slot by slot.  */
static hkm_superslab *
superslab_map_locked (void)
{
  hkm_superslab *ss = descriptor_get_locked ();
  if (ss == NULL)
    return NULL;
  ss->base = hkm_os_map (HKM_SUPERSLAB_SIZE, HKM_SUPERSLAB_SIZE);
  if (ss->base == NULL)
    {
      hkm_list_push (&pool.unmapped, &ss->link);
      return NULL;
    }
  /* A huge page would make the first touch cost 2 MiB and refill purged
     holes.  */
  hkm_os_no_huge (ss->base, HKM_SUPERSLAB_SIZE);
  ss->used = ss->empty = ss->purged = 0;
  ss->classes = 0;
  hkm_map_claim (ss->base);
  /* The map needs a leaf for the address at most; slots are registered when
     they become part of a slab or run.  */
  if (!hkm_map_set (ss->base, 1, &ss->slab[0]))
    {
      hkm_os_unmap (ss->base, HKM_SUPERSLAB_SIZE);
      hkm_list_push (&pool.unmapped, &ss->link);
      return NULL;
    }
  pool.superslabs++;
  hkm_count (&pool.counts, HKM_COUNT_SS_MAP, 1);
  return ss;
}

/* SS, wholly free and on no list but the idle one, goes back to the OS.  */
static bool
superslab_unmap_locked (hkm_superslab *ss)
{
  size_t idle = 0;
  for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
    if (ss->empty >> i & 1)
      {
        hkm_slab_dismantle_locked (ss, i);
        idle += ss->resident[i] * HKM_RESIDENT_UNIT;
      }
  hkm_map_set (ss->base, HKM_SUPERSLAB_SLOTS, NULL);
  if (!hkm_os_unmap (ss->base, HKM_SUPERSLAB_SIZE))
    return false; /* stays, registered anew as slots are used */
  hkm_map_disclaim (ss->base);
  hkm_retain_leave (idle);
  hkm_list_remove (&ss->idle_link);
  ss->empty = 0;
  hkm_list_push (&pool.unmapped, &ss->link);
  pool.superslabs--;
  hkm_count (&pool.counts, HKM_COUNT_SS_UNMAP, 1);
  hkm_trace (SS_LRU_DEBUG, "lru: unmap %p", (void *) ss->base);
  return true;
}

void
hkm_lru_shrink_locked (uint64_t cap)
{
  while (pool.lru_count > cap)
    {
      hkm_superslab *ss
          = hkm_container_of (pool.lru.prev, hkm_superslab, link);
      hkm_list_remove (&ss->link);
      if (!superslab_unmap_locked (ss))
        {
          /* The mapping limit: give its pages back and keep the addresses.  */
          hkm_superslab_purge_locked (ss);
          hkm_list_push (&pool.lru, &ss->link);
          return;
        }
      pool.lru_count--;
    }
}

void
hkm_superslab_place_locked (hkm_superslab *ss)
{
  hkm_list_remove (&ss->link);
  if (ss->used != 0)
    {
      unsigned spare
          = HKM_SUPERSLAB_SLOTS - (unsigned) __builtin_popcount (ss->used);
      hkm_list_push (&pool.bucket[ss->domain][spare], &ss->link);
      return;
    }
  hkm_list_push (&pool.lru, &ss->link);
  pool.lru_count++;
  hkm_trace (SS_LRU_DEBUG, "lru: push %p, %llu kept", (void *) ss->base,
             (unsigned long long) pool.lru_count);
  hkm_lru_shrink_locked (hkm_pool_policy_locked ()->lru_cap);
}

hkm_superslab *
hkm_superslab_get_locked (uint8_t domain)
{
  if (!pool.ready)
    pool_init_locked ();
  if (!buckets_make_locked (domain))
    return NULL;
  hkm_superslab *ss;
  if (!hkm_list_empty (&pool.lru))
    {
      ss = hkm_container_of (pool.lru.next, hkm_superslab, link);
      hkm_list_remove (&ss->link);
      pool.lru_count--;
      hkm_count (&pool.counts, HKM_COUNT_SS_LRU_HIT, 1);
      hkm_trace (SS_LRU_DEBUG, "lru: hit %p, %llu kept", (void *) ss->base,
                 (unsigned long long) pool.lru_count);
    }
  else
    {
      ss = superslab_map_locked ();
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
  hkm_lock_take (&pool.lock);
  if (!pool.ready)
    pool_init_locked ();
  for (; n > 0; n--)
    {
      hkm_superslab *ss = superslab_map_locked ();
      if (ss == NULL)
        break;
      ss->domain = 0;
      hkm_superslab_place_locked (ss);
    }
  hkm_lock_give (&pool.lock);
}

size_t
hkm_superslab_trim (void)
{
  size_t bytes = 0;
  hkm_lock_take (&pool.lock);
  if (pool.ready)
    {
      size_t idle = hkm_retain_idle ();
      hkm_link *next;
      for (hkm_link *l = pool.idle.next; l != &pool.idle; l = next)
        {
          next = l->next;
          bytes += hkm_superslab_purge_locked (
              hkm_container_of (l, hkm_superslab, idle_link));
        }
      uint64_t before = pool.superslabs;
      hkm_lru_shrink_locked (0);
      if (bytes == 0 && before > pool.superslabs)
        bytes = idle > 0 ? idle : HKM_RESIDENT_UNIT;
    }
  hkm_lock_give (&pool.lock);
  return bytes;
}

void
hkm_superslab_facts_get (hkm_superslab_facts *facts, hkm_counts *counts)
{
  hkm_lock_take (&pool.lock);
  facts->superslabs = pool.superslabs;
  facts->lru = pool.lru_count;
  facts->run_count = pool.run_count;
  facts->run_bytes = pool.run_slots * HKM_SLOT_SIZE;
  facts->empty_bytes = 0;
  if (pool.ready)
    for (hkm_link *l = pool.idle.next; l != &pool.idle; l = l->next)
      {
        hkm_superslab *ss = hkm_container_of (l, hkm_superslab, idle_link);
        for (unsigned i = 0; i < HKM_SUPERSLAB_SLOTS; i++)
          if (ss->empty >> i & 1)
            facts->empty_bytes += ss->resident[i] * HKM_RESIDENT_UNIT;
      }
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    counts->value[i] += pool.counts.value[i];
  hkm_lock_give (&pool.lock);
}

void
hkm_superslab_fork_prepare (void)
{
  hkm_lock_take (&pool.lock);
}

void
hkm_superslab_fork_done (void)
{
  hkm_lock_give (&pool.lock);
}
