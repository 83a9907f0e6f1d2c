/* Big blocks: handing out, taking back, resizing.  What becomes of a freed
   mapping is big/cache.c's.  A descriptor's xword is 1 while the program has
   the block and 0 otherwise, so that of two frees one is told.  */
#include "big/big.h"
#include "big/cache.h"
#include "big/front.h"
#include "big/huge.h"
#include "opts/fail.h"
#include "opts/opts.h"
#include "os/os.h"
#include "policy/tick.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"

#include <errno.h>
#include <string.h>

/* Guarded by hkm_big_lock; live_mapped with what is in the front (big/front.h),
   live_count without what its sums say.  */
static uint64_t live_count;
static size_t live_mapped;

static size_t
round_up (size_t size, size_t to)
{
  return (size + to - 1) & ~(to - 1);
}

/* Where a mapping of SIZE bytes should lie if it can.  Page tables of the
   largest are moved whole when they grow, if both places are so aligned.  */
static size_t
best_align (size_t size, bool huge)
{
  size_t page = hkm_os_huge_size ();
  return huge || size / 16 >= page ? page : HKM_GRANULE;
}

/* ---- mappings ---- */

/* What GET (hkm_os_map, hkm_os_reserve) gives for SIZE bytes at a multiple of
   ALIGN, or of more where that is better and can be.  */
static char *
get_best (void *(*get) (size_t, size_t), size_t size, size_t align, bool huge)
{
  size_t best = best_align (size, huge);
  char *p = get (size, align > best ? align : best);
  return p != NULL || best <= align ? p : get (size, align);
}

/* A fresh mapping for SIZE bytes at a multiple of ALIGN; NULL: no memory.  */
static HKM_COLD hkm_big *
map_fresh (size_t size, size_t align, hkm_mark mark)
{
  hkm_lock_take (&hkm_big_lock);
  hkm_big *big = hkm_big_descriptor_locked ();
  bool huge = big != NULL && hkm_big_huge_wanted_locked (big, size, mark);
  size = hkm_big_granules (size);
  hkm_lock_give (&hkm_big_lock);
  if (big == NULL)
    return NULL;
  char *base = get_best (hkm_os_map, size, align, huge);
  if (base != NULL && hkm_os_thp () == HKM_OS_THP_ALWAYS
      && hkm_opt (HKM_OPT_THP) == HKM_THP_OFF)
    hkm_os_no_huge (base, size);
  if (hkm_big_set (big, base, size))
    return big;
  if (base != NULL)
    hkm_os_unmap (base, size);
  hkm_lock_take (&hkm_big_lock);
  hkm_big_forget_locked (big);
  hkm_lock_give (&hkm_big_lock);
  return NULL;
}

/* ---- blocks ---- */

/* BIG, of no bytes so far or taken out, is the program's with SIZE bytes.  */
static void
hand_out_locked (hkm_big *big, size_t size)
{
  hkm_big_make_huge_locked (big, size);
  live_count++;
  hkm_big_live_bytes += size;
  live_mapped += big->mapped;
  hkm_big_served_bytes += size;
  hkm_retain_live ((ptrdiff_t) size);
  hkm_count (&hkm_big_counts, HKM_COUNT_BIG_ALLOC, 1);
  hkm_count (&hkm_big_counts, HKM_COUNT_BIG_ASKED_BYTES, size);
  hkm_cache_use_locked (big, size);
}

static HKM_COLD void
empty_front_locked (void)
{
  for (unsigned i = 0; i < hkm_front_shards () * HKM_FRONT_ROW; i++)
    {
      hkm_big *big = hkm_front_take_at (i);
      if (big == NULL)
        continue;
      live_mapped -= big->mapped;
      if (!hkm_cache_put_locked (big))
        hkm_cache_force_locked (big);
    }
}

static HKM_COLD void
renew_front_locked (void)
{
  hkm_cache_set_front_locked ();
  empty_front_locked ();
}

/* Take the lock, and see that the front does what the policy says.  */
static void
lock_take (void)
{
  hkm_lock_take (&hkm_big_lock);
  if (hkm_unlikely (hkm_front_is_stale ()))
    renew_front_locked ();
}

/* BIG, which is not for the cache, goes straight to the OS; no lock is held
   meanwhile: it may take long.  */
static HKM_COLD void
give_back (hkm_big *big)
{
  bool gone = hkm_big_unmap (big);
  hkm_lock_take (&hkm_big_lock);
  if (gone)
    hkm_big_forget_locked (big);
  else
    hkm_cache_force_locked (big);
  hkm_lock_give (&hkm_big_lock);
}

/* From the cache or the OS, handed out.  */
static hkm_big *
big_alloc (size_t size, size_t align, hkm_mark mark, size_t *dirty)
{
  lock_take ();
  hkm_big *cached = hkm_cache_take_locked (size, align, mark), *big = cached;
  if (big == NULL || hkm_big_makes_way_locked (big, size, mark))
    {
      hkm_lock_give (&hkm_big_lock);
      big = map_fresh (size, align, mark);
      if (big != NULL && cached != NULL)
        give_back (cached);
      else if (big == NULL && (big = cached) == NULL)
        return NULL;
      hkm_lock_take (&hkm_big_lock);
    }
  hkm_count (&hkm_big_counts, HKM_COUNT_BIG_CACHE_HIT, big == cached);
  *dirty = big->touched < size ? big->touched : size;
  hkm_store_relaxed (&big->head.site, mark);
  hand_out_locked (big, size);
  hkm_lock_give (&hkm_big_lock);
  return big;
}

void *
hkm_big_alloc (size_t size, size_t align, hkm_mark mark, size_t *dirty)
{
  size = round_up (size, hkm_os_page_size ());
  if (align < HKM_GRANULE)
    align = HKM_GRANULE;
  hkm_big *big = hkm_front_take (size, align, mark, dirty);
  if (big == NULL)
    big = big_alloc (size, align, mark, dirty);
  else if (big->touched - size > size / 16 * 3)
    { /* what can be purged of it has to be on the list; less is not worth it */
      hkm_lock_take (&hkm_big_lock);
      hkm_cache_use_locked (big, size);
      hkm_lock_give (&hkm_big_lock);
    }
  if (hkm_unlikely (big == NULL))
    return NULL;
  hkm_tick ();
  hkm_store_release (&big->head.xword, 1);
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

HKM_COLD bool
hkm_big_was_freed (const void *p)
{
  if ((uintptr_t) p % HKM_GRANULE != 0)
    return false;
  hkm_lock_take (&hkm_big_lock);
  bool freed = hkm_cache_holds_locked (p);
  hkm_lock_give (&hkm_big_lock);
  return freed;
}

/* Idle memory is to keep to its budget; no lock is held.  */
static void
tend (void)
{
  hkm_superslab_tend ();
  hkm_retain_reclaim ();
}

/* BIG, just FREED or displaced in the front, is for the cache, or goes.  */
static void
put_away (hkm_big *big, bool freed)
{
  lock_take ();
  live_mapped -= big->mapped;
  if (freed)
    {
      live_count--;
      hkm_big_live_bytes -= big->size;
      hkm_retain_live (-(ptrdiff_t) big->size);
      hkm_count (&hkm_big_counts, HKM_COUNT_BIG_FREE, 1);
    }
  bool kept = (hkm_load_relaxed (&big->head.site) & HKM_HINT_NO_CACHE) == 0
              && hkm_cache_put_locked (big);
  if (!kept)
    hkm_cache_hold_locked (big);
  hkm_lock_give (&hkm_big_lock);
  if (!kept)
    give_back (big);
}

/* True if BIG, freed, may go to the front; it is on no list then.  */
static bool
suits_front (hkm_big *big)
{
  if (big->mapped > HKM_FRONT_LONGEST || big->huge
      || hkm_load_relaxed (&big->head.site) != 0)
    return false;
  if (hkm_load_acquire (&big->idle) != 0)
    {
      hkm_lock_take (&hkm_big_lock);
      hkm_cache_hold_locked (big);
      hkm_lock_give (&hkm_big_lock);
    }
  return true;
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
  hkm_cache_note_free ();
  bool due = false;
  hkm_big *out = suits_front (big) ? hkm_front_put (big, &due) : big;
  if (out != NULL)
    put_away (out, out == big);
  if (out != NULL || due)
    tend ();
}

/* Move the pages of BIG to where SIZE bytes fit.  No byte is copied.  */
static HKM_COLD bool
move (hkm_big *big, size_t size)
{
  char *target = get_best (hkm_os_reserve, size, HKM_GRANULE, big->huge);
  if (target == NULL)
    return false;
  if (!hkm_map_set (target, 1, &big->head)) /* now there is a leaf for it */
    {
      hkm_os_unreserve (target, size);
      return false;
    }
  hkm_map_set (target, 1, NULL);
  /* Neither place is registered while the memory is nowhere: the target may be
     another's the moment the move fails.  Nobody else may look this block up
     while its owner reallocates it.  */
  char *old = big->base;
  hkm_map_set (old, 1, NULL);
  bool moved = hkm_os_move (old, big->mapped, target, size);
  if (moved)
    hkm_store_relaxed (&big->base, target);
  hkm_map_set (big->base, 1, &big->head);
  return moved;
}

/* BIG has SIZE bytes in use now.  */
static void
resized_locked (hkm_big *big, size_t size)
{
  ptrdiff_t more = (ptrdiff_t) (size - big->size);
  hkm_big_live_bytes += (uint64_t) (int64_t) more;
  hkm_retain_live (more);
  if (more > 0)
    hkm_big_served_bytes += (size_t) more;
  hkm_cache_use_locked (big, size);
}

/* The mapping of BIG is of SIZE bytes now.  */
static void
remapped_locked (hkm_big *big, size_t size)
{
  live_mapped += size - big->mapped;
  big->mapped = size;
  if (big->touched > size)
    big->touched = size;
  hkm_count (&hkm_big_counts, HKM_COUNT_BIG_REMAP, 1);
  hkm_big_make_huge_locked (big, size);
}

/* The mapping of BIG becomes SIZE bytes, here or elsewhere.  Nothing of it is
   idle memory meanwhile.  False: it does not; if IN_PARTS because it was joined of
   what the kernel has as several.  */
static bool
remap (hkm_big *big, size_t size, bool *in_parts)
{
  hkm_lock_take (&hkm_big_lock);
  hkm_cache_hold_locked (big);
  hkm_lock_give (&hkm_big_lock);
  int error = hkm_os_resize (big->base, big->mapped, size);
  *in_parts = error == EFAULT;
  return error == 0
         || (size > big->mapped && !*in_parts && move (big, size));
}

/* SIZE bytes, more than BIG has, with what it holds, elsewhere; or NULL.  */
static HKM_COLD void *
copied (hkm_big *big, size_t size)
{
  size_t dirty;
  hkm_mark mark = hkm_load_relaxed (&big->head.site);
  void *p = big->base, *q = hkm_big_alloc (size, HKM_GRANULE, mark, &dirty);
  if (q == NULL)
    return NULL;
  memcpy (q, p, big->size);
  hkm_big_free (&big->head, p, "realloc");
  return q;
}

/* As remap, of cached memory that lies behind: no call.  */
static bool
extend (hkm_big *big, size_t size, size_t most)
{
  hkm_lock_take (&hkm_big_lock);
  size_t had = big->mapped;
  bool done = size > had && hkm_cache_extend_locked (big, size, most);
  live_mapped += big->mapped - had;
  if (done)
    hkm_big_make_huge_locked (big, size);
  hkm_lock_give (&hkm_big_lock);
  return done;
}

void *
hkm_big_realloc (hkm_slab *slab, void *p, size_t size)
{
  hkm_big *big = (hkm_big *) slab;
  size = round_up (size, hkm_os_page_size ());
  if (size == big->size)
    return p;
  bool shorter = size < big->size;
  hkm_mark mark = hkm_load_relaxed (&slab->site);
  size_t length = hkm_big_granules (size), most = hkm_big_most (size, mark);
  bool serves = (big->mapped >= size && big->mapped <= most)
                || extend (big, size, most);
  bool in_parts = false, remapped = !serves && remap (big, length, &in_parts);
  hkm_lock_take (&hkm_big_lock);
  if (remapped)
    remapped_locked (big, length);
  /* What can't be cut off stays, as idle memory.  */
  bool done = size <= big->mapped;
  resized_locked (big, done ? size : big->size);
  hkm_lock_give (&hkm_big_lock);
  if (shorter)
    tend ();
  if (done)
    return big->base;
  return in_parts ? copied (big, size) : NULL;
}

HKM_COLD size_t
hkm_big_trim (void)
{
  hkm_lock_take (&hkm_big_lock);
  empty_front_locked ();
  size_t bytes = hkm_cache_trim_locked ();
  hkm_lock_give (&hkm_big_lock);
  return bytes;
}

/* The cache's part in keeping to the budget, when others free.  */
static void
reclaim (void)
{
  if (hkm_load_relaxed (&hkm_big_idle_bytes) == 0 && hkm_front_shards () == 0)
    return;
  hkm_lock_take (&hkm_big_lock);
  empty_front_locked ();
  hkm_cache_reclaim_locked ();
  hkm_lock_give (&hkm_big_lock);
}

void
hkm_big_init (void)
{
  hkm_retain_set_reclaim (reclaim);
}

HKM_COLD void
hkm_big_facts_get (hkm_big_facts *facts, hkm_counts *sum)
{
  hkm_front_sums front;
  hkm_lock_take (&hkm_big_lock);
  hkm_front_sum (&front);
  facts->count = live_count + front.taken - front.puts;
  facts->bytes = hkm_big_live_bytes + front.taken_bytes - front.put_bytes;
  facts->mapped_bytes = live_mapped + hkm_cached_bytes;
  facts->cached_bytes = hkm_cached_bytes;
  facts->idle_bytes = hkm_big_idle_bytes;
  facts->kept_bytes = hkm_cache_kept_locked ();
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    sum->value[i] += hkm_big_counts.value[i];
  hkm_front_facts (facts);
  hkm_count (sum, HKM_COUNT_BIG_ALLOC, front.taken);
  hkm_count (sum, HKM_COUNT_BIG_CACHE_HIT, front.taken);
  hkm_count (sum, HKM_COUNT_BIG_ASKED_BYTES, front.taken_bytes);
  hkm_count (sum, HKM_COUNT_BIG_FREE, front.puts);
  hkm_lock_give (&hkm_big_lock);
}

void
hkm_big_fork_prepare (void)
{
  hkm_lock_take (&hkm_big_lock);
}

void
hkm_big_fork_done (void)
{
  hkm_lock_give (&hkm_big_lock);
}
