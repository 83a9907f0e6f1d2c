/* See index.h.  */
#include "big/index.h"
#include "os/os.h"

enum { BUCKETS = 192, WORD = 64 };
static hkm_link bucket[BUCKETS]; /* most recent first; a ring while its bit is
                                    set */
static uint64_t filled[BUCKETS / WORD];
static uint64_t turns;

hkm_link hkm_index_by_age;
size_t hkm_cached_bytes;

/* ---- by size ---- */

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
list_by_size_locked (hkm_big *big)
{
  unsigned at = bucket_of (big->mapped);
  uint64_t bit = (uint64_t) 1 << at % WORD;
  if (!(filled[at / WORD] & bit))
    hkm_list_init (&bucket[at]);
  filled[at / WORD] |= bit;
  hkm_list_push (&bucket[at], &big->size_link);
}

static void
unlist_by_size_locked (hkm_big *big)
{
  unsigned at = bucket_of (big->mapped);
  hkm_list_remove (&big->size_link);
  if (hkm_list_empty (&bucket[at]))
    filled[at / WORD] &= ~((uint64_t) 1 << at % WORD);
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
better (const hkm_big *a, const hkm_big *b, size_t size, bool newest)
{
  if (b == NULL)
    return true;
  return newest ? a->turn > b->turn : misfit (a, size) < misfit (b, size);
}

/* What serves without being cut is in at most six buckets.  In each the most
   recent few are looked at: that none of them fits is rare, and costs a
   mapping.  */
hkm_big *
hkm_index_find_locked (size_t size, size_t most, size_t align, bool newest)
{
  enum { LOOKS = 8 };
  hkm_big *best = NULL;
  unsigned last = bucket_of (most), at = bucket_of (size);
  while ((at = bucket_next (at)) < BUCKETS && (best == NULL || at <= last))
    {
      unsigned looks = 0;
      for (hkm_link *l = bucket[at].next; l != &bucket[at] && looks < LOOKS;
           l = l->next, looks++)
        {
          hkm_big *big = hkm_container_of (l, hkm_big, size_link);
          if (big->mapped >= size
              && ((uintptr_t) big->base & (align - 1)) == 0
              && better (big, best, size, newest))
            best = big;
        }
      at++;
    }
  return best;
}

/* ---- by address ---- */

/* The last granule of BIG leads to it, too (NULL: not any more).  If that can't
   be, what lies behind will not find it.  */
static void
tag_end_locked (hkm_big *big, hkm_slab *slab)
{
  if (big->mapped > HKM_GRANULE)
    hkm_map_set (big->base + big->mapped - HKM_GRANULE, 1, slab);
}

/* The cached mapping of which the first or last granule is at A, or NULL.  A
   descriptor of any kind may be read at any time.  */
static hkm_big *
cached_at (const char *a)
{
  hkm_slab *slab = hkm_map_find (a);
  if (slab == NULL || hkm_load_relaxed (&slab->kind) != HKM_KIND_BIG)
    return NULL;
  hkm_big *big = (hkm_big *) slab;
  return big->turn != 0 ? big : NULL;
}

hkm_big *
hkm_index_before_locked (const hkm_big *big)
{
  hkm_big *one = cached_at (big->base - 1);
  return one != NULL && one->base + one->mapped == big->base ? one : NULL;
}

hkm_big *
hkm_index_after_locked (const hkm_big *big)
{
  hkm_big *one = cached_at (big->base + big->mapped);
  return one != NULL && one->base == big->base + big->mapped ? one : NULL;
}

/* ---- all three ---- */

void
hkm_index_enter_locked (hkm_big *big, hkm_link *newer)
{
  list_by_size_locked (big);
  hkm_list_push (newer, &big->link);
  tag_end_locked (big, &big->head);
  hkm_store_relaxed (&hkm_cached_bytes, hkm_cached_bytes + big->mapped);
  big->turn = ++turns;
}

hkm_link *
hkm_index_leave_locked (hkm_big *big)
{
  hkm_link *newer = big->link.prev;
  unlist_by_size_locked (big);
  hkm_list_remove (&big->link);
  tag_end_locked (big, NULL);
  hkm_store_relaxed (&hkm_cached_bytes, hkm_cached_bytes - big->mapped);
  big->turn = 0;
  return newer;
}
