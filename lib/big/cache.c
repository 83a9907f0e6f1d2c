/* See cache.h.  The index (big/index.h) says which mapping serves, which goes
   first when addresses are over the budget, and which are neighbours; whose
   pages go first when idle memory is over its budget says big/idle.h.  Knows
   nothing of how blocks are handed out.  */
#include "big/cache.h"
#include "big/front.h"
#include "big/idle.h"
#include "big/index.h"
#include "opts/opts.h"
#include "os/arena.h"
#include "os/os.h"
#include "superslab/retain.h"

hkm_lock hkm_big_lock = HKM_LOCK_INIT (HKM_RANK_BIG);
hkm_counts hkm_big_counts;

static hkm_link spare; /* descriptors without a mapping */
static size_t cache_budget;
static unsigned in_a_row; /* blocks handed out since one was freed; relaxed */

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

/* ---- the strategy in force ---- */

static void
count_idle_locked (hkm_big *big)
{
  bool counts = now_locked ()->retained;
  hkm_idle_set_locked (big, counts ? big->touched - big->size : 0);
}

/* At the first look, not at start: a process without big blocks then writes none
   of these variables.  */
static void
begin_locked (void)
{
  hkm_list_init (&hkm_index_by_age);
  hkm_idle_begin_locked ();
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
    for (hkm_link *l = hkm_index_by_age.next; l != &hkm_index_by_age;
         l = l->next)
      count_idle_locked (hkm_container_of (l, hkm_big, link));
  return now;
}

const hkm_policy *
hkm_cache_policy_locked (void)
{
  now_locked ();
  return &policy;
}

void
hkm_cache_set_front_locked (void)
{
  const strategy *by = now_locked ();
  hkm_front_set_locked (by->purge_ms == 0, by->retained, cache_budget, &policy);
}

/* ---- mappings ---- */

bool
hkm_big_set (hkm_big *big, char *base, size_t size)
{
  hkm_store_relaxed (&big->head.owner, NULL);
  hkm_store_relaxed (&big->head.kind, HKM_KIND_BIG);
  hkm_store_relaxed (&big->head.xword, 0);
  hkm_store_relaxed (&big->base, base);
  big->touched = 0;
  big->mapped = size;
  big->asked = big->huge = false;
  return base != NULL && hkm_map_set (base, 1, &big->head);
}

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

/* ---- pieces ---- */

/* A program that replaces blocks gets of a longer mapping the next half of a power
   of two, so that they begin, again and again, where earlier ones did: who writes
   little of a block writes that, and what lies between stays untouched.  One that
   asked for so many in a row, and freed none, grows: the closer its blocks lie the
   more of them are resident already.  It gets exactly what it asks for.  */
enum { GROWS = 2 };

/* How much SIZE bytes get of a mapping longer than MOST.  */
static size_t
cut_length (size_t size, size_t most)
{
  size_t half = (size_t) 1 << (62 - __builtin_clzll (size | 2 * HKM_GRANULE));
  size_t length = (size + half - 1) & ~(half - 1);
  return length < most ? length : most;
}

/* What lies behind the first KEEP bytes (of granules) of BIG, which is not
   cached, becomes a cached mapping.  If it can't, BIG stays as long as it is. */
static void
cut_locked (hkm_big *big, size_t keep)
{
  hkm_big *rest = hkm_big_descriptor_locked ();
  if (rest == NULL)
    return;
  if (!hkm_big_set (rest, big->base + keep, big->mapped - keep))
    {
      hkm_big_forget_locked (rest);
      return;
    }
  rest->asked = big->asked;
  rest->huge = big->huge;
  hkm_store_relaxed (&rest->head.site, hkm_load_relaxed (&big->head.site));
  big->mapped = keep;
  if (big->touched > keep)
    {
      rest->touched = big->touched - keep;
      big->touched = keep;
      size_t idle = big->idle;
      hkm_idle_move_locked (big, rest,
                            rest->touched < idle ? rest->touched : idle);
    }
  hkm_index_enter_locked (rest, &hkm_index_by_age);
}

/* True if FRONT and BACK, neighbours, can be one mapping, of which all counts as
   touched that lies before what is: that may misstate an eighth.  */
static bool
alike (const hkm_big *front, const hkm_big *back)
{
  size_t hole = front->mapped - front->touched;
  return front->huge == back->huge
         && hkm_idle_is_preferred (front) == hkm_idle_is_preferred (back)
         && (back->touched == 0 || hole <= front->mapped / 8);
}

/* BACK becomes part of FRONT; neither is cached.  */
static void
join_locked (hkm_big *front, hkm_big *back)
{
  hkm_map_set (back->base, 1, NULL);
  if (back->touched > 0)
    front->touched = front->mapped + back->touched;
  front->mapped += back->mapped;
  front->asked |= back->asked;
  hkm_idle_move_locked (back, front, back->idle);
  hkm_big_forget_locked (back);
}

/* BIG, freed, and those of its neighbours that are cached as one.  */
static hkm_big *
joined_locked (hkm_big *big)
{
  hkm_big *before = hkm_index_before_locked (big);
  hkm_big *after = hkm_index_after_locked (big);
  if (after != NULL && alike (big, after))
    {
      hkm_index_leave_locked (after);
      join_locked (big, after);
    }
  if (before == NULL || !alike (before, big))
    return big;
  hkm_index_leave_locked (before);
  join_locked (before, big);
  return before;
}

/* ---- the cache ---- */

/* Give back what the strategy does not let lie.  */
static void
age_locked (const strategy *by)
{
  if (by->purge_ms != 0)
    hkm_idle_age_locked (by->purge_ms);
}

hkm_big *
hkm_cache_take_locked (size_t size, size_t align, hkm_mark mark)
{
  const strategy *by = now_locked ();
  age_locked (by);
  unsigned before = hkm_load_relaxed (&in_a_row);
  hkm_store_relaxed (&in_a_row, before + 1);
  if (before >= GROWS)
    mark |= HKM_HINT_EXACT;
  size_t most = hkm_big_most (size, mark);
  hkm_big *big = hkm_index_find_locked (size, most, align, by->newest);
  if (big == NULL)
    return NULL;
  hkm_index_leave_locked (big);
  if (big->mapped > most)
    cut_locked (big, cut_length (size, most));
  return big;
}

bool
hkm_cache_extend_locked (hkm_big *big, size_t size, size_t most)
{
  hkm_big *after = hkm_index_after_locked (big);
  if (after == NULL || big->mapped + after->mapped < size
      || big->huge != after->huge)
    return false;
  hkm_index_leave_locked (after);
  join_locked (big, after);
  if (big->mapped > most)
    cut_locked (big, cut_length (size, most));
  return true;
}

/* Of BIG, which is cached, all but the first KEEP bytes goes back to the OS.
   False: all stays.  */
static HKM_COLD bool
evict_locked (hkm_big *big, size_t keep)
{
  uint64_t turn = big->turn;
  hkm_link *newer = hkm_index_leave_locked (big);
  bool gone = keep > 0 ? hkm_os_unmap (big->base + keep, big->mapped - keep)
                       : hkm_big_unmap (big);
  if (gone)
    {
      size_t touched = big->touched < keep ? big->touched : keep;
      size_t had = big->idle, idle = had < touched ? had : touched;
      hkm_idle_set_locked (big, idle);
      if (idle < had)
        hkm_retain_purged (had - idle);
      big->touched = touched;
      big->mapped = keep;
    }
  if (big->mapped > 0)
    {
      hkm_index_enter_locked (big, newer);
      big->turn = turn; /* it is no younger */
    }
  else
    hkm_big_forget_locked (big);
  return gone;
}

/* Evict, the oldest first, until no more than TO bytes are cached; bytes.  What
   the OS would not have back is passed over.  */
static size_t
shrink_locked (size_t to)
{
  size_t bytes = 0;
  for (hkm_link *l = hkm_index_by_age.prev, *newer;
       hkm_cached_bytes > to && l != &hkm_index_by_age; l = newer)
    {
      hkm_big *big = hkm_container_of (l, hkm_big, link);
      size_t mapped = big->mapped;
      size_t over = hkm_big_granules (hkm_cached_bytes - to);
      size_t keep = mapped > over ? mapped - over : 0;
      newer = l->prev;
      if (evict_locked (big, keep))
        bytes += mapped - keep;
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
     Locked memory can't be purged, but unmapped; in a live block it is not
     idle.  */
  budget -= budget / 8 < AIR ? budget / 8 : AIR;
  while ((have = hkm_retain_idle ()) > budget
         && (big = hkm_idle_first_locked ()) != NULL)
    {
      if (hkm_idle_purge_locked (big, have - budget))
        continue;
      if (big->size > 0)
        hkm_idle_set_locked (big, 0);
      else if (!evict_locked (big, 0))
        break;
    }
}

static void
keep_locked (hkm_big *big)
{
  hkm_index_enter_locked (big, &hkm_index_by_age);
  count_idle_locked (big);
  hkm_cache_reclaim_locked ();
}

void
hkm_cache_note_free (void)
{
  if (hkm_load_relaxed (&in_a_row) != 0)
    hkm_store_relaxed (&in_a_row, 0);
}

bool
hkm_cache_put_locked (hkm_big *big)
{
  size_t most = cache_budget - hkm_front_shards () * HKM_FRONT_SHARD_BYTES;
  if (big->mapped > most)
    return false;
  shrink_locked (most - big->mapped);
  if (hkm_cached_bytes > most - big->mapped)
    return false;
  hkm_store_relaxed (&big->size, 0);
  keep_locked (joined_locked (big));
  return true;
}

HKM_COLD void
hkm_cache_force_locked (hkm_big *big)
{
  hkm_store_relaxed (&big->size, 0);
  keep_locked (big);
  if (big->idle > 0) /* while nobody else may do it */
    hkm_idle_purge_locked (big, big->idle);
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
  hkm_idle_set_locked (big, 0);
}

HKM_COLD bool
hkm_cache_holds_locked (const char *p)
{
  now_locked ();
  for (hkm_link *l = hkm_index_by_age.next; l != &hkm_index_by_age; l = l->next)
    {
      const hkm_big *big = hkm_container_of (l, hkm_big, link);
      if (p >= big->base && p < big->base + big->mapped)
        return true;
    }
  return false;
}

HKM_COLD size_t
hkm_cache_kept_locked (void)
{
  size_t bytes = 0;
  if (now_locked ()->retained)
    return 0;
  for (hkm_link *l = hkm_index_by_age.next; l != &hkm_index_by_age; l = l->next)
    bytes += hkm_container_of (l, hkm_big, link)->touched;
  return bytes;
}

HKM_COLD size_t
hkm_cache_trim_locked (void)
{
  return shrink_locked (0);
}
