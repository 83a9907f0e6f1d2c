/* See cache.h.  Lists by size make the search short, one by age of all cached
   mappings says which goes first when addresses are over the budget, and one by
   age of what holds idle memory, whose pages go first when that is.  Knows
   nothing of how blocks are handed out.  */
#include "big/cache.h"
#include "opts/opts.h"
#include "os/arena.h"
#include "os/os.h"
#include "superslab/retain.h"

enum { BUCKETS = 192, WORD = 64 };
static hkm_link bucket[BUCKETS]; /* most recent first */

hkm_lock hkm_big_lock = HKM_LOCK_INIT (HKM_RANK_BIG);
hkm_counts hkm_big_counts;
size_t hkm_cached_bytes, hkm_big_idle_bytes;

/* Lists are rings once somebody asked for the strategy in force, which everybody
   does who takes or gives; a bucket's is one while its bit is set.  */
static hkm_link cached; /* most recent first */
/* Longest idle first; those that are kept with preference, which go when no
   other is idle, in the second.  */
static hkm_link idlers[2];
static hkm_link spare;  /* descriptors without a mapping */
static uint64_t filled[BUCKETS / WORD];
static size_t cache_budget;
static uint64_t turns;

/* ---- strategies ---- */

/* How the cache behaves, as data.  */
typedef struct strategy
{
  bool newest;       /* of the mappings that fit, that freed last; else the
                        smallest */
  bool retained;     /* its pages are idle memory like any other; else they stay
                        as long as the mapping */
  uint32_t purge_ms; /* pages idle for longer go with the next call; 0: none */
} strategy;

/* In the order of HAKMEM_BIGCACHE_STRATEGY's choices.  */
static const strategy strategies[] = {
  { .newest = true, .retained = true },     /* lru */
  { .retained = true },                     /* best */
  { .retained = true, .purge_ms = 100 },    /* decay */
  { .retained = false },                    /* keep */
};

static hkm_policy policy; /* this room's copy */
static const strategy *now_locked (void);

/* ---- idle memory ---- */

static bool
is_preferred (const hkm_big *big)
{
  return (hkm_load_relaxed (&big->head.site) & HKM_HINT_CACHE) != 0;
}

/* What goes first if idle memory is over its budget; NULL: nothing is idle.  */
static hkm_big *
first_idler_locked (void)
{
  const hkm_link *list = &idlers[hkm_list_empty (&idlers[0])];
  return hkm_list_empty (list)
           ? NULL
           : hkm_container_of (list->next, hkm_big, idle_link);
}

static void
set_idle_locked (hkm_big *big, size_t bytes)
{
  size_t had = big->idle;
  if (bytes < had)
    hkm_retain_leave (had - bytes);
  else if (bytes > had)
    hkm_retain_admit (bytes - had);
  hkm_store_relaxed (&hkm_big_idle_bytes, hkm_big_idle_bytes + bytes - had);
  big->idle = bytes;
  if (had != 0 && bytes == 0)
    hkm_list_remove (&big->idle_link);
  else if (had == 0 && bytes != 0)
    {
      hkm_list_append (&idlers[is_preferred (big)], &big->idle_link);
      if (now_locked ()->purge_ms != 0)
        big->idle_since = hkm_os_clock_ms ();
    }
}

static void
count_idle_locked (hkm_big *big)
{
  set_idle_locked (big, now_locked ()->retained ? big->touched - big->size : 0);
}

/* At the first look, not at start: a process without big blocks then writes none
   of these variables.  */
static void
begin_locked (void)
{
  hkm_list_init (&cached);
  hkm_list_init (&idlers[0]);
  hkm_list_init (&idlers[1]);
  hkm_list_init (&spare);
#ifdef HKM_WITH_BIGCACHE
  cache_budget = hkm_opt (HKM_OPT_BIGCACHE);
#endif
}

/* The strategy in force.  If pages count now that did not, or the other way
   round, all cached ones are counted anew; live ones follow when they are used
   next.  */
static const strategy *
now_locked (void)
{
  static const strategy *now;
  if (hkm_likely (now != NULL && !hkm_policy_is_stale (&policy)))
    return now;
  if (now == NULL)
    begin_locked ();
  hkm_policy_refresh (&policy);
  const strategy *before = now;
  now = &strategies[policy.bigcache_strategy];
  if (before != NULL && before->retained != now->retained)
    for (hkm_link *l = cached.next; l != &cached; l = l->next)
      count_idle_locked (hkm_container_of (l, hkm_big, link));
  return now;
}

const hkm_policy *
hkm_cache_policy_locked (void)
{
  now_locked ();
  return &policy;
}

/* Where in BIG to purge from, to give back WANT idle bytes or somewhat more:
   whole pages, and no part of a huge one, which would be no memory gained.  */
static size_t
purge_from (const hkm_big *big, size_t want)
{
  size_t page = big->huge ? hkm_os_huge_size () : hkm_os_page_size ();
  size_t least = big->size, most = big->touched;
  if (want >= most - least)
    return least;
  uintptr_t base = (uintptr_t) big->base;
  uintptr_t from = (base + most - want) & ~(uintptr_t) (page - 1);
  return from > base + least ? from - base : least;
}

/* Give back the last WANT idle bytes of BIG, or somewhat more.  False: the OS
   refused.  */
static bool
purge_locked (hkm_big *big, size_t want)
{
  size_t keep = purge_from (big, want), end = big->touched;
  size_t bytes = end - keep;
  if (big->huge) /* the last one may go on beyond what was asked for */
    {
      size_t rest = hkm_os_huge_size () - 1;
      end = (((uintptr_t) big->base + end + rest) & ~(uintptr_t) rest)
            - (uintptr_t) big->base;
      end = end < big->mapped ? end : big->mapped;
    }
  if (!hkm_os_purge (big->base + keep, end - keep))
    return false;
  big->touched = keep;
  set_idle_locked (big, big->idle > bytes ? big->idle - bytes : 0);
  hkm_retain_purged (bytes);
  hkm_count (&hkm_big_counts, HKM_COUNT_PURGE, 1);
  hkm_count (&hkm_big_counts, HKM_COUNT_PURGE_BYTES, bytes);
  return true;
}

/* ---- mappings ---- */

bool
hkm_big_unmap (hkm_big *big)
{
  hkm_map_set (big->base, 1, NULL);
  if (hkm_os_unmap (big->base, big->mapped))
    return true;
  hkm_map_set (big->base, 1, &big->head); /* its leaf exists: can't fail */
  return false;
}

hkm_big *
hkm_big_descriptor_locked (void)
{
  hkm_big *big;
  if (!hkm_list_empty (&spare))
    {
      big = hkm_container_of (spare.next, hkm_big, link);
      hkm_list_remove (&big->link);
      return big;
    }
  big = hkm_arena_alloc (sizeof *big, HKM_CACHE_LINE);
  if (big != NULL)
    hkm_list_init (&big->link);
  return big;
}

void
hkm_big_forget_locked (hkm_big *big)
{
  hkm_store_relaxed (&big->size, 0);
  hkm_list_push (&spare, &big->link);
}

/* ---- buckets ---- */

/* Eight sizes of buckets per doubling; those beyond share the last.  */
static unsigned
bucket_of (size_t bytes)
{
  size_t pages = bytes / hkm_os_page_size ();
  if (pages < 8)
    return (unsigned) pages;
  unsigned shift = 60 - (unsigned) __builtin_clzll (pages);
  unsigned at = 8 * shift + (unsigned) (pages >> shift);
  return at < BUCKETS ? at : BUCKETS - 1;
}

/* The first bucket from AT on with a mapping in it, or BUCKETS.  */
static unsigned
bucket_next (unsigned at)
{
  while (at < BUCKETS)
    {
      uint64_t bits = filled[at / WORD] >> at % WORD;
      if (bits != 0)
        return at + (unsigned) __builtin_ctzll (bits);
      at = (at / WORD + 1) * WORD;
    }
  return BUCKETS;
}

static void
insert_locked (hkm_big *big)
{
  unsigned at = bucket_of (big->mapped);
  uint64_t bit = (uint64_t) 1 << at % WORD;
  if (!(filled[at / WORD] & bit))
    hkm_list_init (&bucket[at]);
  filled[at / WORD] |= bit;
  hkm_list_push (&bucket[at], &big->size_link);
  hkm_list_push (&cached, &big->link);
  hkm_store_relaxed (&hkm_cached_bytes, hkm_cached_bytes + big->mapped);
  big->turn = ++turns;
}

static void
remove_locked (hkm_big *big)
{
  unsigned at = bucket_of (big->mapped);
  hkm_list_remove (&big->size_link);
  if (hkm_list_empty (&bucket[at]))
    filled[at / WORD] &= ~((uint64_t) 1 << at % WORD);
  hkm_list_remove (&big->link);
  hkm_store_relaxed (&hkm_cached_bytes, hkm_cached_bytes - big->mapped);
}

/* ---- the cache ---- */

static bool
fits (const hkm_big *big, size_t size, size_t most, size_t align)
{
  return hkm_big_serves (big, size, most)
         && ((uintptr_t) big->base & (align - 1)) == 0;
}

/* What it costs that BIG serves SIZE bytes: pages to fault in, more than any
   that are of no use.  */
static size_t
misfit (const hkm_big *big, size_t size)
{
  return big->touched < size ? size + (size - big->touched)
                             : big->touched - size;
}

static bool
better (const hkm_big *a, const hkm_big *b, size_t size, const strategy *by)
{
  if (b == NULL)
    return true;
  return by->newest ? a->turn > b->turn : misfit (a, size) < misfit (b, size);
}

/* What fits is in at most ten buckets.  In each the most recent few are looked
   at: that none of them fits is rare, and costs a mapping.  */
static hkm_big *
find_locked (size_t size, size_t most, size_t align, const strategy *by)
{
  enum { LOOKS = 8 };
  hkm_big *best = NULL;
  unsigned last = bucket_of (most);
  for (unsigned at = bucket_of (size); (at = bucket_next (at)) <= last; at++)
    {
      unsigned looks = 0;
      for (hkm_link *l = bucket[at].next; l != &bucket[at] && looks < LOOKS;
           l = l->next, looks++)
        {
          hkm_big *big = hkm_container_of (l, hkm_big, size_link);
          if (fits (big, size, most, align) && better (big, best, size, by))
            best = big;
        }
    }
  return best;
}

static void
age_list_locked (const hkm_link *list, uint64_t purge_ms, uint64_t now)
{
  while (!hkm_list_empty (list))
    {
      hkm_big *big = hkm_container_of (list->next, hkm_big, idle_link);
      if (now - big->idle_since < purge_ms || !purge_locked (big, big->idle))
        break;
    }
}

/* Give back what the strategy does not let lie.  */
static void
age_locked (const strategy *by)
{
  if (by->purge_ms == 0)
    return;
  uint64_t now = hkm_os_clock_ms ();
  for (unsigned i = 0; i < 2; i++)
    age_list_locked (&idlers[i], by->purge_ms, now);
}

hkm_big *
hkm_cache_take_locked (size_t size, size_t align, hkm_mark mark)
{
  const strategy *by = now_locked ();
  age_locked (by);
  hkm_big *big = find_locked (size, hkm_big_most (size, mark), align, by);
  if (big == NULL)
    return NULL;
  remove_locked (big);
  hkm_count (&hkm_big_counts, HKM_COUNT_BIG_CACHE_HIT, 1);
  return big;
}

/* Unmap BIG, which is cached.  False: it stays.  */
static bool
evict_locked (hkm_big *big)
{
  size_t resident = big->idle;
  if (!hkm_big_unmap (big))
    return false;
  set_idle_locked (big, 0);
  if (resident > 0)
    hkm_retain_purged (resident);
  remove_locked (big);
  hkm_big_forget_locked (big);
  return true;
}

/* Evict, the oldest first, until no more than TO bytes are cached; bytes.  What
   the OS would not have back is passed over.  */
static size_t
shrink_locked (size_t to)
{
  size_t bytes = 0;
  for (hkm_link *l = cached.prev, *newer; hkm_cached_bytes > to && l != &cached;
       l = newer)
    {
      hkm_big *big = hkm_container_of (l, hkm_big, link);
      size_t mapped = big->mapped;
      newer = l->prev;
      if (evict_locked (big))
        bytes += mapped;
    }
  return bytes;
}

void
hkm_cache_reclaim_locked (void)
{
  enum { AIR = 1 << 20 };
  size_t budget = hkm_retain_budget (), have;
  hkm_big *big;
  age_locked (now_locked ());
  if (hkm_retain_idle () <= budget)
    return;
  /* Some more than asked for, so that not every call has a little to purge.
     Locked memory can't be purged, but unmapped.  */
  budget -= budget / 8 < AIR ? budget / 8 : AIR;
  while ((have = hkm_retain_idle ()) > budget
         && (big = first_idler_locked ()) != NULL)
    if (!purge_locked (big, have - budget)
        && (big->size > 0 || !evict_locked (big)))
      break;
}

static void
keep_locked (hkm_big *big)
{
  hkm_store_relaxed (&big->size, 0);
  insert_locked (big);
  count_idle_locked (big);
  hkm_cache_reclaim_locked ();
}

bool
hkm_cache_put_locked (hkm_big *big)
{
  if (big->mapped > cache_budget)
    return false;
  shrink_locked (cache_budget - big->mapped);
  if (hkm_cached_bytes > cache_budget - big->mapped)
    return false;
  keep_locked (big);
  return true;
}

void
hkm_cache_force_locked (hkm_big *big)
{
  keep_locked (big);
  if (big->idle > 0) /* while nobody else may do it */
    purge_locked (big, big->idle);
}

void
hkm_cache_use_locked (hkm_big *big, size_t size)
{
  hkm_store_relaxed (&big->size, size);
  if (big->touched < size)
    {
      if (big->mapped <= cache_budget) /* else it won't be idle either */
        hkm_retain_wanted (size - big->touched);
      big->touched = size;
    }
  count_idle_locked (big);
  if (big->idle > 0)
    hkm_cache_reclaim_locked ();
}

void
hkm_cache_hold_locked (hkm_big *big)
{
  set_idle_locked (big, 0);
}

size_t
hkm_cache_kept_locked (void)
{
  size_t bytes = 0;
  if (now_locked ()->retained)
    return 0;
  for (hkm_link *l = cached.next; l != &cached; l = l->next)
    bytes += hkm_container_of (l, hkm_big, link)->touched;
  return bytes;
}

size_t
hkm_cache_trim_locked (void)
{
  return shrink_locked (0);
}
