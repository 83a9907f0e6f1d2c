/* Routing off the hot path: which layer serves a size, which layer an address
   belongs to, and threads that have no heap.  */
#include "api/api.h"
#include "api/report.h"
#include "base/lock.h"
#include "big/big.h"
#include "large/run.h"
#include "learn/site.h"
#include "opts/fail.h"
#include "os/os.h"
#include "superslab/superslab.h"
#include "thread/thread.h"
#include "tiny/hot.h"
#include "tiny/outbound.h"

#include <errno.h>
#include <string.h>

static void *
no_memory (void)
{
  errno = ENOMEM;
  return NULL;
}

/* ---- handing out; all after hkm_init () said no to opting out ---- */

/* WHERE, in all of these, is the caller's return address: who asks for what no
   class serves may have a rule (learn/site.h).  A mid request may not: it comes
   here for one in many of its kind, and what it gets then is freed by the hot
   path, which knows no hints.  */

/* SIZE 0: exactly a block of CLS will do.  */
static void *
alloc_class (size_t size, unsigned cls, bool *zeroed)
{
  hkm_front *front = hkm_thread_front;
  *zeroed = false;
  if (front->slot[cls].head != 0)
    return hkm_slot_pop (&front->slot[cls]);
  hkm_heap *heap = hkm_thread_heap ();
  return heap != NULL ? hkm_heap_take (heap, size, cls, zeroed) : NULL;
}

/* MARK, here and below: the site's; NULL: sites have no rules.  */
HKM_INLINE void *
alloc_run (size_t size, const hkm_mark *mark, bool *zeroed)
{
  hkm_heap *heap = hkm_thread_heap ();
  if (heap == NULL)
    return NULL;
  hkm_run_cache *cache = hkm_heap_run_cache (heap);
  hkm_counts *counts = hkm_heap_counts (heap);
  return mark == NULL
           ? hkm_run_alloc (cache, counts, size, zeroed)
           : hkm_run_alloc_marked (cache, counts, size, *mark, zeroed);
}

/* *dirty, here and below: beyond as many bytes from its start the block reads as
   zero.  */
static void *
alloc_small (unsigned cls, size_t size, size_t align, size_t *dirty)
{
  bool zeroed;
  void *p = alloc_class (align <= HKM_MIN_ALIGN ? size : 0, cls, &zeroed);
  *dirty = zeroed && size > sizeof (hkm_block) ? sizeof (hkm_block) : size;
  return p;
}

HKM_INLINE void *
alloc_large (size_t size, size_t align, const hkm_mark *mark, size_t *dirty)
{
  bool zeroed;
  if (size == 0) /* aligned so far that no class serves it */
    size = 1;
  if (size > HKM_LARGE_MAX || align > HKM_GRANULE)
    return hkm_big_alloc (size, align, mark != NULL ? *mark : 0, dirty);
  void *p = alloc_run (size, mark, &zeroed);
  *dirty = p != NULL && zeroed ? 0 : size;
  return p;
}

/* A block of class CLS, or (CLS negative) one beyond all classes.  */
HKM_INLINE void *
alloc_block (int cls, size_t size, size_t align, const hkm_mark *mark,
             size_t *dirty)
{
  return cls >= 0 ? alloc_small ((unsigned) cls, size, align, dirty)
                  : alloc_large (size, align, mark, dirty);
}

/* Requests that libc serves before memory is looked for again where there was
   none; relaxed: a hint.  Looking costs some hundred times a block.  */
enum { STARVED = 64 };
static uint32_t starved;

static HKM_COLD void *
spare (size_t size, size_t align, size_t *dirty)
{
  *dirty = size;
  return size <= HKM_LARGE_MAX && !hkm_os_is_limited ()
           ? hkm_spare_alloc (align, size) : NULL;
}

/* The same.  When there is no memory, all that is idle anywhere is given back:
   what is missing here may be kept there.  Then libc is asked, which grows by
   less at a time than we do: a process near its limit on addresses lives on.  */
HKM_INLINE void *
alloc_or_trim (int cls, size_t size, size_t align, const hkm_mark *mark,
               size_t *dirty)
{
  void *p = alloc_block (cls, size, align, mark, dirty);
  if (hkm_likely (p != NULL))
    return p;
  int saved = errno;
  uint32_t n = hkm_load_relaxed (&starved);
  if (n > 0)
    {
      hkm_store_relaxed (&starved, n - 1);
      p = spare (size, align, dirty);
    }
  if (p == NULL)
    {
      hkm_report_trim ();
      p = alloc_block (cls, size, align, mark, dirty);
      hkm_store_relaxed (&starved, p == NULL ? STARVED : 0);
    }
  if (p == NULL)
    p = spare (size, align, dirty);
  if (p == NULL)
    return no_memory ();
  errno = saved;
  return p;
}

/* Before all else off the hot path.  True: this call interrupts another of ours
   (base/lock.h), and must wait for nothing.  */
static bool
begin (void)
{
  if (hkm_lock_interrupts ())
    return true;
  hkm_spare_tend ();
  return false;
}

static void *
alloc_dirty (size_t size, size_t *dirty)
{
  if (size > PTRDIFF_MAX)
    return no_memory ();
  int cls = size <= HKM_MID_MAX ? (int) hkm_size_to_class (size) : -1;
  return alloc_or_trim (cls, size, HKM_MIN_ALIGN, NULL, dirty);
}

/* The same where sites have rules.  */
static HKM_COLD void *
alloc_marked (size_t align, size_t size, const void *where, size_t *dirty)
{
  if (size > PTRDIFF_MAX)
    return no_memory ();
  int cls = hkm_class_for_aligned (size, align);
  hkm_mark mark = cls < 0 ? hkm_site_ask (where, size) : 0;
  return alloc_or_trim (cls, size, align, &mark, dirty);
}

/* Also crossing 1's way out of an interrupted call.  */
void *
hkm_refill_further (size_t size)
{
  return hkm_alloc (size, NULL); /* a class's: no site */
}

/* malloc comes here by a jump: the return address is its caller's.  */
void *
hkm_alloc_elsewhere (size_t size)
{
  return hkm_alloc (size, __builtin_return_address (0));
}

void *
hkm_alloc (size_t size, const void *where)
{
  size_t dirty;
  if (begin ())
    return hkm_spare_alloc (HKM_MIN_ALIGN, size);
  if (hkm_init ())
    return hkm_libc_malloc (size);
  return hkm_sites_on () ? alloc_marked (HKM_MIN_ALIGN, size, where, &dirty)
                         : alloc_dirty (size, &dirty);
}

void *
hkm_calloc_slow (size_t size, const void *where)
{
  size_t dirty = size;
  void *p;
  if (begin ())
    p = hkm_spare_alloc (HKM_MIN_ALIGN, size);
  else if (hkm_init ())
    return hkm_libc_calloc (1, size);
  else
    p = hkm_sites_on () ? alloc_marked (HKM_MIN_ALIGN, size, where, &dirty)
                        : alloc_dirty (size, &dirty);
  if (p != NULL && dirty > 0)
    memset (p, 0, dirty < size ? dirty : size);
  return p;
}

void *
hkm_alloc_aligned (size_t align, size_t size, const void *where)
{
  size_t dirty;
  if (size > PTRDIFF_MAX || align > PTRDIFF_MAX)
    return no_memory ();
  if (begin ())
    return hkm_spare_alloc (align, size);
  if (hkm_init ())
    return hkm_libc_memalign (align, size);
  if (hkm_sites_on ())
    return alloc_marked (align, size, where, &dirty);
  return alloc_or_trim (hkm_class_for_aligned (size, align), size, align, NULL,
                        &dirty);
}

/* ---- taking back ---- */

static void
free_slab_block (hkm_slab *slab, void *p, const char *who)
{
  if (hkm_thread_front == &hkm_front_none)
    hkm_thread_heap ();
  hkm_front *front = hkm_thread_front;
  if (hkm_load_relaxed (&slab->owner) != front)
    hkm_heap_free_remote (slab, p, who);
  else if (!hkm_heap_block_live (slab, p))
    hkm_heap_fault (slab, p, who);
  else if (hkm_slot_push (slab->sink, p, hkm_block_key (p)))
    hkm_retire_slow (front, slab);
}

static void
free_foreign (void *p, const char *who)
{
  bool theirs = hkm_lock_interrupts () || hkm_init ();
  if (!theirs && hkm_big_was_freed (p))
    hkm_fail (HKM_FAULT_DOUBLE_FREE, who, p, 0, -1);
  else if (theirs || hkm_foreign_is_libc (p))
    hkm_libc_free (p);
  else
    hkm_fail (HKM_FAULT_INVALID, who, p, 0, -1);
}

/* A mark is 0 unless sites have rules.  */
static void
free_run (hkm_slab *slab, void *p, const char *who)
{
  hkm_heap *heap = hkm_thread_heap ();
  hkm_run_cache *cache = heap != NULL ? hkm_heap_run_cache (heap) : NULL;
  hkm_counts *counts = heap != NULL ? hkm_heap_counts (heap) : NULL;
  hkm_mark mark = hkm_load_relaxed (&slab->site);
  if (hkm_likely (mark == 0))
    hkm_run_free (cache, counts, slab, p, who);
  else
    hkm_run_free_marked (cache, counts, slab, p, hkm_site_leave (mark), who);
}

static void
free_big (hkm_slab *slab, void *p, const char *who)
{
  hkm_mark mark = hkm_load_relaxed (&slab->site);
  if (hkm_unlikely (mark != 0))
    hkm_store_relaxed (&slab->site, hkm_site_leave (mark));
  hkm_big_free (slab, p, who);
}

static void
free_now (hkm_slab *slab, void *p, const char *who)
{
  switch (slab != NULL ? hkm_load_relaxed (&slab->kind) : -1)
    {
    case -1:
      free_foreign (p, who);
      break;
    case HKM_KIND_SLAB:
      free_slab_block (slab, p, who);
      break;
    case HKM_KIND_RUN:
      free_run (slab, p, who);
      break;
    case HKM_KIND_BIG:
      free_big (slab, p, who);
      break;
    default:
      hkm_fail (HKM_FAULT_INVALID, who, p, 0, -1);
    }
}

/* A bad pointer is reported; what is good waits.  */
static void
free_interrupting (void *p, const char *who)
{
  bool ours;
  if (hkm_usable_size (p, who, &ours) > 0)
    hkm_free_later (p);
}

void
hkm_free_as (void *p, const char *who)
{
  if (p == NULL)
    return;
  int saved = errno;
  hkm_slab *slab = hkm_map_find (p);
  if (begin () && slab != NULL)
    free_interrupting (p, who);
  else
    free_now (slab, p, who);
  errno = saved;
}

void
hkm_free_elsewhere (void *p, hkm_slab *slab)
{
  if (!hkm_outbound_free (slab, p))
    hkm_free_as (p, "free");
}

size_t
hkm_usable_size (void *p, const char *who, bool *ours)
{
  hkm_slab *slab = hkm_map_find (p);
  size_t size = 0;
  *ours = slab != NULL;
  if (slab == NULL)
    return 0;
  switch (hkm_load_relaxed (&slab->kind))
    {
    case HKM_KIND_SLAB:
      if (hkm_heap_block_live (slab, p))
        return hkm_class[slab->cls].size;
      hkm_heap_fault (slab, p, who);
      return 0;
    case HKM_KIND_RUN:
      size = hkm_run_usable (slab, p);
      if (size == 0)
        hkm_fail (p == hkm_slab_address (slab) ? HKM_FAULT_DOUBLE_FREE
                                               : HKM_FAULT_INVALID,
                  who, p, 0, -1);
      return size;
    case HKM_KIND_BIG:
      size = hkm_big_usable (slab, p);
      break;
    }
  if (size == 0)
    hkm_fail (HKM_FAULT_INVALID, who, p, 0, -1);
  return size;
}
