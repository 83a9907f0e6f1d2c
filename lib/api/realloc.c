/* realloc: in place where the block has the room and would not waste half of
   itself; by moving pages for big blocks; else by copying.  */
#include "api/api.h"
#include "api/report.h"
#include "base/lock.h"
#include "big/big.h"
#include "large/run.h"
#include "opts/fail.h"
#include "thread/thread.h"
#include "tiny/heap.h"
#include "tiny/hot.h"

#include <errno.h>
#include <string.h>

/* The block at P (USABLE bytes, in SLAB) resized without a copy, or NULL.  */
static void *
resize_in_place (hkm_slab *slab, void *p, size_t usable, size_t size)
{
  void *q;
  hkm_heap *heap;
  if (hkm_lock_interrupts () && slab->kind != HKM_KIND_SLAB)
    return NULL;
  switch (slab->kind)
    {
    case HKM_KIND_RUN:
      if (size <= HKM_MID_MAX || size > HKM_LARGE_MAX)
        return NULL;
      heap = hkm_thread_heap ();
      return heap != NULL
                     && hkm_run_realloc (hkm_heap_run_cache (heap),
                                         hkm_heap_counts (heap), slab, size)
                 ? p
                 : NULL;
    case HKM_KIND_BIG:
      if (size <= HKM_LARGE_MAX)
        return NULL;
      q = hkm_big_realloc (slab, p, size);
      if (q == NULL) /* a copy would take more memory than is missing here */
        {
          hkm_report_trim ();
          q = hkm_big_realloc (slab, p, size);
        }
      return q;
    default:
      return size <= usable && size >= usable / 2 ? p : NULL;
    }
}

static void *
realloc_foreign (void *p, size_t size)
{
  if (hkm_lock_interrupts () || hkm_init ()
      || (!hkm_big_was_freed (p) && hkm_foreign_is_libc (p)))
    return hkm_libc_realloc (p, size);
  hkm_fail (HKM_FAULT_INVALID, "realloc", p, 0, -1);
  return NULL;
}

/* realloc (P, SIZE) but for what the front slot and the block's own slab settle
   between them.  */
static HKM_NOINLINE void *
realloc_elsewhere (void *p, size_t size, const void *where)
{
  hkm_slab *slab = hkm_map_find (p);
  if (slab == NULL)
    return realloc_foreign (p, size);
  if (size == 0)
    {
      hkm_free_as (p, "realloc");
      return NULL;
    }
  bool ours;
  size_t usable = hkm_usable_size (p, "realloc", &ours);
  if (usable == 0)
    return NULL; /* a bad pointer, and HAKMEM_FAIL_FAST lets it pass */
  if (size > PTRDIFF_MAX)
    {
      errno = ENOMEM;
      return NULL;
    }
  void *q = resize_in_place (slab, p, usable, size);
  if (q != NULL)
    return q;
  int saved = errno;
  q = hkm_alloc (size, where);
  if (q == NULL && size <= usable)
    {
      errno = saved; /* no memory for a smaller block: this one will do */
      return p;
    }
  if (q == NULL)
    return NULL;
  memcpy (q, p, size < usable ? size : usable);
  hkm_free_as (p, "realloc");
  return q;
}

/* P, of SLAB, whose sink is SINK, to a block of SIZE bytes' own class.  Taking
   that block runs no cold code, so SINK stays what it was found to be.  */
static HKM_NOINLINE void *
move (void *p, size_t size, const void *where, hkm_slab *slab, hkm_slot *sink)
{
  hkm_front *front = hkm_thread_front;
  if (size == 0 || size > HKM_MID_MAX)
    return realloc_elsewhere (p, size, where);
  hkm_slot *slot = hkm_front_slot (front, size);
  if (hkm_unlikely (slot->head == 0))
    return realloc_elsewhere (p, size, where);
  size_t usable = hkm_class[slab->cls].size;
  void *q = memcpy (hkm_slot_pop (slot), p, size < usable ? size : usable);
  if (hkm_unlikely (hkm_slot_push (sink, p, hkm_block_key (p))))
    hkm_retire_slow (front, slab);
  return q;
}

/* Programs that know one call for all (Lua, much of what has a hook for its
   allocator) make it as often as others malloc: so it is malloc and free over
   again where both would go no further than their slots.  No step calls another
   function but as its last, so it needs no frame.  */
void *
HKM_API (realloc) (void *p, size_t size)
{
  const void *where = __builtin_return_address (0);
  if (p == NULL)
    {
      if (hkm_unlikely (size > HKM_MID_MAX))
        return hkm_alloc (size, where);
      hkm_slot *slot = hkm_front_slot (hkm_thread_front, size);
      return hkm_likely (slot->head != 0) ? hkm_slot_pop (slot)
                                          : hkm_alloc (size, where);
    }
  hkm_slot *sink;
  hkm_slab *slab = hkm_own_slab (p, &sink);
  if (hkm_unlikely (slab == NULL))
    return realloc_elsewhere (p, size, where);
  size_t usable = hkm_class[slab->cls].size;
  return size <= usable && size >= usable / 2
           ? p : move (p, size, where, slab, sink);
}
