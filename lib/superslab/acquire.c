/* Handing out slots, in three stages: an EMPTY slab of the same class, cut
   anew if tiny; free slots of a superslab at hand, the fullest that fits, so that
   others drain whole; a further superslab.  A pool that would have to map one
   asks the other pools first, and then for the free runs that threads keep.  */
#include "opts/trace.h"
#include "os/arena.h"
#include "os/os.h"
#include "policy/dyn.h"
#include "superslab/pool.h"
#include "superslab/retain.h"

/* In place of a class: what is acquired is a run.  */
enum { RUN = 64 };

/* How far an acquire goes for memory.  */
enum reach
{
  AT_HOME,   /* what the pool has; its first superslab of the domain it maps */
  AT_HAND,   /* what the pool has, its LRU with it */
  FURTHER,   /* and what the OS has */
  ANY_DOMAIN /* no memory: rather another domain's than none at all */
};

/* How many superslabs that fit a search looks at for a better one, before it
   settles for the best so far.  */
enum { LOOKS = 8 };

/* Where N adjacent bits of MASK start, or -1.  */
static HKM_NOINLINE int
find_stretch (uint32_t mask, unsigned n)
{
  uint32_t m = mask;
  for (unsigned have = 1; have < n && m != 0;)
    {
      /* After this step a set bit means: HAVE + step adjacent bits from here. */
      unsigned step = have < n - have ? have : n - have;
      m &= m >> step;
      have += step;
    }
  return m != 0 ? __builtin_ctz (m) : -1;
}

/* A place for N slots in SS: the one with most resident slots (no page to fault
   in), of those the lowest; or -1.  */
static int
find_place (const hkm_superslab *ss, unsigned n)
{
  int best = find_stretch (ss->empty, n), most = -1;
  if (best >= 0)
    return best;
  if (ss->empty == 0) /* none is: as in a process that has just started */
    return find_stretch (~ss->used, n);
  for (unsigned at = 0; at + n <= HKM_SUPERSLAB_SLOTS; at++)
    {
      uint32_t mask = hkm_slot_mask (at, n);
      int resident = __builtin_popcount (ss->empty & mask);
      if ((ss->used & mask) == 0 && resident > most)
        {
          best = (int) at;
          most = resident;
        }
    }
  return best;
}

/* How good SS, which fits, is for N slots of class CLS (or a run): best is one
   that holds the class already, if that counts, then one where they are
   resident.  */
static unsigned
merit (const hkm_superslab *ss, unsigned n, unsigned cls, bool affinity)
{
  bool holds = !affinity || (ss->classes >> cls & 1);
  return 2 * holds + (find_stretch (ss->empty, n) >= 0);
}

/* The best superslab of DOMAIN for N slots of class CLS, among the fullest that
   fit; of equals the fullest.  */
static hkm_superslab *
find_superslab_locked (hkm_pool *pool, unsigned domain, unsigned n,
                       unsigned cls)
{
  hkm_superslab *best = NULL;
  unsigned looks = 0, most = 0;
  bool affinity = hkm_pool_policy_locked (pool)->affinity && cls != RUN;
  if (pool->bucket[domain] == NULL)
    return NULL;
  for (unsigned spare = n; spare < HKM_SUPERSLAB_SLOTS; spare++)
    {
      hkm_link *head = &pool->bucket[domain][spare];
      for (hkm_link *l = head->next; l != head; l = l->next)
        {
          hkm_superslab *ss = hkm_container_of (l, hkm_superslab, link);
          if (find_stretch (~ss->used, n) < 0)
            continue;
          unsigned m = merit (ss, n, cls, affinity);
          if (best == NULL || m > most)
            {
              best = ss;
              most = m;
            }
          if (most == 3 || ++looks >= LOOKS)
            return best;
        }
    }
  return best;
}

bool
hkm_slots_take_locked (hkm_superslab *ss, unsigned first, unsigned n)
{
  uint32_t mask = hkm_slot_mask (first, n);
  HKM_ASSERT ((ss->used & mask) == 0);
  size_t resident = 0, missed = 0;
  if (hkm_unlikely (ss->huge && ss->used == 0))
    hkm_huge_wake_locked (ss, mask);
  if (hkm_unlikely (ss->earned && (ss->used | ss->empty) == 0))
    hkm_huge_touch_locked (ss, mask);
  bool fresh = (ss->empty & mask) == 0;
  for (unsigned i = first; i < first + n; i++)
    if (ss->empty >> i & 1)
      {
        if (ss->classes != 0) /* or no slab was ever carved there */
          hkm_slab_dismantle_locked (ss, i);
        resident += ss->resident[i] * HKM_RESIDENT_UNIT;
      }
    else
      {
        /* Purged, or not known to have been: its superslab may have been unmapped
           and mapped again.  */
        missed += HKM_SLOT_SIZE;
        ss->resident[i] = ss->earned ? HKM_SLOT_SIZE / HKM_RESIDENT_UNIT : 0;
      }
  ss->used |= mask;
  ss->empty &= ~mask;
  if (ss->empty == 0)
    hkm_list_remove (&ss->idle_link);
  if (resident > 0)
    hkm_retain_leave (resident);
  if (missed > 0)
    hkm_retain_wanted (missed);
  hkm_retain_live ((ptrdiff_t) (n * HKM_SLOT_SIZE));
  return fresh;
}

/* True if the superslab that emptied last has N resident slots together.  */
static bool
lru_is_resident_locked (const hkm_pool *pool, unsigned domain, unsigned n)
{
  if (hkm_list_empty (&pool->lru))
    return false;
  const hkm_superslab *ss
      = hkm_container_of (pool->lru.next, hkm_superslab, link);
  return ss->domain == domain && find_stretch (ss->empty, n) >= 0;
}

/* See that there is a descriptor for what starts at slot FIRST of SS; false: no
   memory.  */
static bool
descriptor_made_locked (hkm_superslab *ss, unsigned first)
{
  if (ss->slab[first] == NULL)
    ss->slab[first] = hkm_arena_alloc (sizeof (hkm_slab), HKM_CACHE_LINE);
  return ss->slab[first] != NULL;
}

/* N slots of DOMAIN, taken, with a descriptor; sets *first, *fresh and the
   stage's counter.  */
static hkm_superslab *
slots_acquire_locked (hkm_pool *pool, unsigned domain, unsigned n,
                      unsigned cls, enum reach reach, unsigned *first,
                      bool *fresh)
{
  enum hkm_counter stage = HKM_COUNT_ACQUIRE_STAGE2;
  hkm_superslab *ss = find_superslab_locked (pool, domain, n, cls);
  if (ss == NULL && reach == ANY_DOMAIN)
    for (unsigned d = 0; d < HKM_DOMAINS && ss == NULL; d++)
      ss = find_superslab_locked (pool, d, n, cls);
  else if (ss == NULL
           || (find_stretch (ss->empty, n) < 0
               && lru_is_resident_locked (pool, domain, n)))
    {
      stage = HKM_COUNT_ACQUIRE_STAGE3;
      ss = hkm_superslab_get_locked (pool, (uint8_t) domain,
                                     reach == FURTHER, cls != RUN);
    }
  if (ss == NULL)
    return NULL;
  int at = find_place (ss, n);
  HKM_ASSERT (at >= 0);
  *first = (unsigned) at;
  if (!descriptor_made_locked (ss, *first))
    {
      hkm_superslab_place_locked (ss);
      return NULL;
    }
  *fresh = hkm_slots_take_locked (ss, *first, n);
  hkm_superslab_place_locked (ss);
  hkm_count (&pool->counts, stage, 1);
  hkm_trace (SS_ACQUIRE_DEBUG, "acquire: class %u, stage %d, superslab %p, "
             "slot %u, length %u", cls,
             stage == HKM_COUNT_ACQUIRE_STAGE2 ? 2 : 3, (void *) ss->base,
             *first, n);
  return ss;
}

/* Make the taken slots from FIRST of SS a slab of class CLS.  */
static hkm_slab *
slab_format_locked (hkm_superslab *ss, unsigned first, unsigned cls, bool fresh)
{
  const hkm_class_info *info = &hkm_class[cls];
  hkm_slab *slab = ss->slab[first];
  char *start = ss->base + first * HKM_SLOT_SIZE;
  size_t bytes = info->slots * HKM_SLOT_SIZE;
  /* Block starts of power-of-two sizes fall into few cache and TLB sets; a
     varying start spreads them.  17 lines is coprime to the 128 of 8 KiB.  */
  size_t colour
      = info->coloured
            ? ss->pool->colour[cls]++ * 17u * HKM_COLOUR_ALIGN & (8192 - 1)
            : 0;

  hkm_store_relaxed (&slab->owner, NULL);
  slab->sparse = slab->swept = slab->written = 0;
  slab->queued = false;
  slab->sink = &slab->own;
  hkm_store_relaxed (&slab->base, (uintptr_t) start + colour);
  hkm_store_relaxed (&slab->reciprocal,
                     (-(uint64_t) info->size / info->size + 2) | 1);
  slab->own.head = 0;
  slab->own.room = slab->mark = 0;
  hkm_store_relaxed (&slab->cls, (uint8_t) cls);
  hkm_slab_set_carved (slab, 0);
  slab->state = HKM_SLAB_EMPTY;
  slab->slots = info->slots;
  hkm_list_init (&slab->link);
  slab->capacity = (uint32_t) ((bytes - colour) / info->size);
  slab->super = ss;
  slab->first = (uint8_t) first;
  slab->zeroed = fresh;
  hkm_store_relaxed (&slab->xword, 0);
  hkm_store_relaxed (&slab->kind, HKM_KIND_SLAB);
  ss->classes |= (uint64_t) 1 << cls;
  if (!hkm_map_set (start, info->slots, slab))
    return NULL;
  return slab;
}

/* Register [first, first+n) of SS as one live run.  */
static hkm_slab *
run_format_locked (hkm_superslab *ss, unsigned first, unsigned n)
{
  hkm_slab *run = ss->slab[first];
  hkm_store_relaxed (&run->owner, NULL);
  hkm_store_relaxed (&run->limit, 0);
  hkm_store_relaxed (&run->kind, HKM_KIND_RUN);
  hkm_store_relaxed (&run->slots, (uint8_t) n);
  run->super = ss;
  run->first = (uint8_t) first;
  hkm_store_relaxed (&run->xword, 0);
  hkm_list_init (&run->link);
  hkm_map_set (ss->base + first * HKM_SLOT_SIZE, n, run);
  return run;
}

/* Nothing of SLAB is carved any more: its blocks were written long ago, and a list
   is read one block after the other, while cutting is writing in the order of
   addresses.  */
static void
cut_anew_locked (hkm_slab *slab)
{
  if (slab->carved > slab->written)
    slab->written = slab->carved;
  hkm_slab_set_carved (slab, 0);
  slab->own.head = 0;
  slab->own.room = slab->mark = 0;
  slab->zeroed = false;
  hkm_store_relaxed (&slab->xword, 0);
}

/* Stage 1: an EMPTY slab of CLS, tiny ones to be cut anew; or NULL.  */
static hkm_slab *
slab_reuse_locked (hkm_pool *pool, unsigned cls)
{
  if (hkm_list_empty (&pool->class_empty[cls]))
    return NULL;
  hkm_slab *slab
      = hkm_container_of (pool->class_empty[cls].next, hkm_slab, link);
  hkm_superslab *ss = slab->super;
  hkm_list_remove (&slab->link);
  uint32_t mask = hkm_slot_mask (slab->first, slab->slots);
  size_t resident = 0;
  if (hkm_unlikely (ss->huge && ss->used == 0))
    hkm_huge_wake_locked (ss, mask);
  for (unsigned i = slab->first; i < slab->first + slab->slots; i++)
    resident += ss->resident[i] * HKM_RESIDENT_UNIT;
  ss->used |= mask;
  ss->empty &= ~mask;
  if (ss->empty == 0)
    hkm_list_remove (&ss->idle_link);
  hkm_superslab_place_locked (ss);
  hkm_retain_leave (resident);
  hkm_retain_live ((ptrdiff_t) (slab->slots * HKM_SLOT_SIZE));
  if (hkm_class[cls].group != HKM_GROUP_MID)
    cut_anew_locked (slab);
  hkm_count (&pool->counts, HKM_COUNT_ACQUIRE_STAGE1, 1);
  hkm_trace (SS_ACQUIRE_DEBUG, "acquire: class %u, stage 1, superslab %p, "
             "slot %u, length %u", cls, (void *) ss->base, slab->first,
             slab->slots);
  return slab;
}

/* A slab of class CLS, or a run of N slots that were all UNUSED if *FRESH.  */
static hkm_slab *
acquire_locked (hkm_pool *pool, unsigned cls, unsigned n, enum reach reach,
                bool *fresh)
{
  unsigned domain = 0, first;
  if (cls != RUN)
    {
      hkm_slab *slab = slab_reuse_locked (pool, cls);
      if (slab != NULL)
        return slab;
      domain = hkm_pool_policy_locked (pool)->cls[cls].domain;
    }
  if (reach == AT_HOME && pool->bucket[domain] == NULL)
    reach = FURTHER;
  hkm_superslab *ss
      = slots_acquire_locked (pool, domain, n, cls, reach, &first, fresh);
  if (ss == NULL)
    return NULL;
  return cls == RUN ? run_format_locked (ss, first, n)
                    : slab_format_locked (ss, first, cls, *fresh);
}

/* As far as REACH: from MINE and the pools after it.  */
static hkm_slab *
acquire_from_all (hkm_pool *mine, unsigned cls, unsigned n, enum reach reach,
                  bool *fresh)
{
  uint32_t pools = hkm_load_acquire (&hkm_pool_count);
  for (uint32_t i = 0; i < pools; i++)
    {
      hkm_pool *pool
          = hkm_pool_at ((mine->number + i) % pools);
      /* What others have is not worth waiting for, unless it is the last.  */
      if (reach != AT_HAND)
        hkm_pool_lock (pool);
      else if (!hkm_pool_try (pool))
        continue;
      hkm_slab *slab = acquire_locked (pool, cls, n, reach, fresh);
      hkm_lock_give (&pool->lock);
      if (slab != NULL)
        return slab;
    }
  return NULL;
}

/* What MINE, asked first, does not have at hand.  Before a superslab is mapped,
   free runs that threads keep are used for it: who grows wants them.  */
static HKM_COLD hkm_slab *
acquire_further (hkm_pool *mine, unsigned cls, unsigned n, bool *fresh)
{
  hkm_slab *slab = NULL;
  if (hkm_load_acquire (&hkm_pool_count) > 1)
    slab = acquire_from_all (mine, cls, n, AT_HAND, fresh);
  if (slab == NULL && hkm_retain_drain ())
    slab = acquire_from_all (mine, cls, n, AT_HAND, fresh);
  for (enum reach reach = FURTHER; slab == NULL && reach <= ANY_DOMAIN; reach++)
    slab = acquire_from_all (mine, cls, n, reach, fresh);
  return slab;
}

static hkm_slab *
acquire (unsigned cls, unsigned n, bool *fresh)
{
  hkm_pool *pool = hkm_pool_enter ();
  hkm_slab *slab = acquire_locked (pool, cls, n, AT_HOME, fresh);
  hkm_lock_give (&pool->lock);
  if (hkm_unlikely (slab == NULL))
    slab = acquire_further (pool, cls, n, fresh);
  /* The first touch of a huge page makes idle memory of what is not asked for.  */
  if (slab != NULL && hkm_unlikely (hkm_load_relaxed (&slab->super->earned)))
    hkm_superslab_reclaim ();
  return slab;
}

hkm_slab *
hkm_slab_acquire (unsigned cls)
{
  bool fresh;
  if (!hkm_dyn_enter (cls))
    return NULL;
  hkm_slab *slab = acquire (cls, hkm_class[cls].slots, &fresh);
  if (slab == NULL)
    hkm_dyn_leave (cls);
  return slab;
}

hkm_slab *
hkm_run_acquire (unsigned slots, bool *zeroed)
{
  return acquire (RUN, slots, zeroed);
}

bool
hkm_run_resize (hkm_slab *run, unsigned slots)
{
  bool done = true;
  hkm_superslab *ss = run->super;
  hkm_pool_lock (ss->pool);
  unsigned old = run->slots, first = run->first;
  if (slots > old)
    {
      uint32_t more = slots <= HKM_SUPERSLAB_SLOTS - first
                          ? hkm_slot_mask (first + old, slots - old)
                          : ~(uint32_t) 0;
      done = (ss->used & more) == 0;
      if (done)
        {
          hkm_slots_take_locked (ss, first + old, slots - old);
          hkm_map_set (ss->base + (first + old) * HKM_SLOT_SIZE, slots - old,
                       run);
          hkm_store_relaxed (&run->slots, (uint8_t) slots);
          hkm_superslab_place_locked (ss);
        }
    }
  else if (slots < old)
    {
      hkm_store_relaxed (&run->slots, (uint8_t) slots);
      hkm_slots_forget_locked (ss, first + slots, old - slots);
      hkm_slots_drop_locked (ss, first + slots, old - slots,
                             (old - slots) * HKM_SLOT_SIZE);
      hkm_superslab_place_locked (ss);
    }
  hkm_lock_give (&ss->pool->lock);
  if (slots < old)
    hkm_superslab_reclaim ();
  return done;
}
