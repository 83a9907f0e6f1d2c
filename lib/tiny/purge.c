/* Pages of slabs in use.  A slab of which few blocks are out has pages that hold
   free blocks alone: these are given back, and become holes (superslab/slab.h)
   until blocks are carved there anew.

   Who may: whoever acts for the heap, under its lock, so that no hot path of
   its owner runs meanwhile.  Other threads may free blocks of the slab all the
   time: theirs are out, and no page that an out block reaches into is touched.
   While a slab is swept its remote word says CURRENT, so that no pusher finds
   every block free and purges it as well (tiny/remote.c); settling it takes the
   word back and publishes both numbers anew.  A pusher that read `carved' before
   compares it with a word that is not in force any more.  */
#include "os/os.h"
#include "tiny/heap_impl.h"
#include "tiny/registry.h"

/* With less live memory than this it is left to malloc_trim: a process that frees
   everything in random order pays 4 % more instructions for what it would have
   given back a moment later anyway.  */
#define SPARSE_LEAST ((size_t) 64 << 20)
/* Slabs are looked at when a half, a quarter, an eighth, a sixteenth is out.  */
enum { STOPS = 4 };
/* They are swept for no less than this share of their pages.  */
enum { WORTH = 4 };
enum { PIECES = 128 }; /* of the longest slab */

/* ---- when ---- */

/* Blocks that a page of SLAB's reaches into, about.  */
static uint32_t
per_page (const hkm_slab *slab)
{
  return (uint32_t) (HKM_HOLE / hkm_class[slab->cls].size) + 1;
}

/* True if with one in 2^K blocks out an eighth of the pages may be expected to
   hold free blocks alone: (1 - 2^-k)^n > 1/8, nearly.  */
static bool
pays (const hkm_slab *slab, unsigned k)
{
  return per_page (slab) < 2u << k;
}

uint32_t
hkm_slab_stop (const hkm_slab *slab, uint32_t out, bool *sparse)
{
  *sparse = false;
  if (hkm_likely (hkm_retain_live_near () < SPARSE_LEAST))
    return 0;
  for (unsigned k = 1; k <= STOPS; k++)
    if (pays (slab, k))
      {
        uint32_t stop = slab->capacity >> k;
        if (stop < out)
          return stop;
        *sparse = true;
      }
  return 0;
}

/* Bytes in pages of SLAB's without a block that is out, if those OUT lie
   anywhere.  */
static size_t
expected (const hkm_slab *slab, uint32_t out)
{
  uint64_t free = 65536 - (uint64_t) out * 65536 / slab->capacity, all = 65536;
  for (uint32_t n = per_page (slab); n > 0; n--)
    all = all * free / 65536;
  size_t bytes = slab->slots * HKM_GRANULE * all / 65536;
  size_t gone = HKM_HOLE
                * (size_t) (__builtin_popcountll (slab->holes[0])
                            + __builtin_popcountll (slab->holes[1]));
  return bytes > gone ? bytes - gone : 0;
}

static size_t slab_sweep_locked (hkm_heap *heap, hkm_slab *slab);

/* SLAB waits; the one that waited longest is swept.  */
static void
queue_locked (hkm_heap *heap, hkm_slab *slab)
{
  hkm_slab **at = &heap->sparse[heap->sparse_at++ % HKM_SPARSE];
  hkm_slab *oldest = *at;
  *at = slab;
  slab->queued = true;
  /* It may be anybody's by now: descriptors are never anything else, and
     `queued' was taken back when it changed hands.  */
  if (oldest == NULL || oldest == slab || hkm_slab_owner (oldest) != heap
      || !oldest->queued || oldest->state != HKM_SLAB_PARTIAL)
    return;
  oldest->queued = false;
  slab_sweep_locked (heap, oldest);
}

void
hkm_slab_note_sparse_locked (hkm_heap *heap, hkm_slab *slab, uint32_t out)
{
  if (slab->swept != 0 && out > slab->swept / 2)
    return;
  size_t bytes = expected (slab, out);
  if (bytes < slab->slots * HKM_GRANULE / WORTH)
    return;
  slab->sparse = (uint32_t) bytes;
  if (!hkm_retain_admit_sparse (bytes) && !slab->queued)
    queue_locked (heap, slab);
}

/* ---- what ---- */

/* Bytes of free blocks, and of what no block covers, in each piece of a slab. */
typedef struct survey
{
  uint16_t free[PIECES];
} survey;

/* A set of pieces.  */
typedef struct pieces
{
  uint64_t bit[2];
} pieces;

static void
add_free (survey *s, const hkm_slab *slab, uintptr_t from, uintptr_t to)
{
  unsigned i = hkm_slab_piece (slab, from);
  for (; from < to; i++)
    {
      uintptr_t end = (from | (HKM_HOLE - 1)) + 1;
      end = end < to ? end : to;
      s->free[i] += (uint16_t) (end - from);
      from = end;
    }
}

/* Returns how many blocks are on the own list.  */
static uint32_t
survey_make (survey *s, const hkm_slab *slab)
{
  uintptr_t start = slab->base & ~(HKM_GRANULE - 1);
  size_t size = hkm_class[slab->cls].size;
  uint32_t home = 0;
  *s = (survey) { { 0 } };
  add_free (s, slab, start, slab->base);
  add_free (s, slab, (uintptr_t) hkm_block_at (slab, slab->frontier),
            start + slab->slots * HKM_GRANULE);
  for (unsigned w = 0; w < 2; w++)
    for (uint64_t left = slab->holes[w]; left != 0; left &= left - 1)
      {
        unsigned i = w * 64 + (unsigned) __builtin_ctzll (left);
        uint32_t n = hkm_slab_first_from (slab, i);
        uint32_t end = hkm_slab_first_from (slab, i + 1);
        add_free (s, slab, (uintptr_t) hkm_block_at (slab, n),
                  (uintptr_t) hkm_block_at (slab, end));
      }
  for (hkm_block *b = hkm_slot_first (&slab->own); b != NULL;
       b = hkm_block_next (b), home++)
    add_free (s, slab, (uintptr_t) b, (uintptr_t) b + size);
  return home;
}

/* The pieces of OS pages that hold nothing in use, but something that was used:
   not all of it holes, or beyond the frontier.  */
static pieces
choose (const survey *s, const hkm_slab *slab)
{
  pieces chosen = { { 0, 0 } };
  unsigned step = (unsigned) (hkm_os_page_size () / HKM_HOLE);
  uintptr_t last = (uintptr_t) hkm_block_at (slab, slab->frontier) - 1;
  unsigned end = slab->frontier > 0 ? hkm_slab_piece (slab, last) + 1 : 0;
  for (unsigned i = 0; i < end; i += step)
    {
      bool free = true, used = false;
      for (unsigned k = i; k < i + step; k++)
        {
          free = free && s->free[k] == HKM_HOLE;
          used = used || (k < end && !hkm_slab_is_hole (slab, k));
        }
      if (free && used)
        chosen.bit[i / 64] |= (((uint64_t) 1 << (step - 1) << 1) - 1) << i % 64;
    }
  return chosen;
}

/* ---- sweeping ---- */

/* Drop the blocks on SLAB's own list that start in pieces of PURGE.  */
static uint32_t
drop_blocks (hkm_slab *slab, pieces purge)
{
  uint32_t n = 0;
  uintptr_t *from = &slab->own.head;
  for (hkm_block *b = hkm_slot_first (&slab->own), *next; b != NULL; b = next)
    {
      unsigned piece = hkm_slab_piece (slab, (uintptr_t) b);
      next = hkm_block_next (b);
      if (purge.bit[piece / 64] >> piece % 64 & 1)
        {
          *from = b->link;
          n++;
        }
      else
        from = &b->link;
    }
  return n;
}

/* The pieces of PURGE that a block starts in are holes from now on.  */
static void
mark_holes (hkm_slab *slab, pieces purge)
{
  for (unsigned w = 0; w < 2; w++)
    for (uint64_t left = purge.bit[w]; left != 0; left &= left - 1)
      {
        unsigned i = w * 64 + (unsigned) __builtin_ctzll (left);
        if (hkm_slab_first_from (slab, i) < hkm_slab_first_from (slab, i + 1))
          hkm_store_relaxed (&slab->holes[w],
                             slab->holes[w] | (left & -left));
      }
  hkm_slab_set_limit (slab);
  slab->zeroed = false; /* blocks reach from a hole into what was used */
}

/* One call for each stretch of pieces in PURGE; bytes given back.  What the OS
   refuses are holes all the same: free, and not resident or not.  */
static size_t
purge_pieces (const hkm_slab *slab, pieces purge)
{
  char *start = hkm_slab_address (slab);
  size_t bytes = 0;
  unsigned i = 0;
  while (i < PIECES)
    {
      uint64_t rest = purge.bit[i / 64] >> i % 64;
      if (rest == 0)
        {
          i = (i / 64 + 1) * 64;
          continue;
        }
      i += (unsigned) __builtin_ctzll (rest);
      unsigned n = 0;
      while (i + n < PIECES && (purge.bit[(i + n) / 64] >> (i + n) % 64 & 1))
        n++;
      if (hkm_os_purge (start + i * HKM_HOLE, n * HKM_HOLE))
        bytes += n * HKM_HOLE;
      i += n;
    }
  return bytes;
}

/* SLAB, PARTIAL or FULL in HEAP: give back what pages it can; bytes.  */
static size_t
slab_sweep_locked (hkm_heap *heap, hkm_slab *slab)
{
  size_t bytes = 0;
  survey s;
  if (!hkm_slab_publish_locked (slab, 0, true))
    return 0; /* somebody purges it whole */
  hkm_list_remove (&slab->link);
  if (heap->policy.reuse_guard) /* tells what was overwritten, and cuts there */
    hkm_blocks_count (slab, hkm_slot_first (&slab->own), NULL);
  uint32_t home = survey_make (&s, slab);
  pieces purge = choose (&s, slab);
  if ((purge.bit[0] | purge.bit[1]) != 0)
    {
      uint32_t n = drop_blocks (slab, purge);
      home -= n;
      hkm_store_relaxed (&slab->carved, slab->carved - n);
      mark_holes (slab, purge);
      hkm_slab_parts_go (slab);
      bytes = purge_pieces (slab, purge);
      hkm_count (&heap->counts, HKM_COUNT_SLAB_SWEPT, 1);
      hkm_count (&heap->counts, HKM_COUNT_SWEPT_BYTES, bytes);
      hkm_retain_purged (bytes);
    }
  slab->swept = slab->carved - home;
  hkm_slab_settle_locked (heap, slab, home);
  return bytes;
}

/* Settling puts slabs back on the lists: empty LIST first.  */
static void
sweep_list_locked (hkm_heap *heap, hkm_link *list)
{
  hkm_link todo;
  hkm_list_init (&todo);
  while (!hkm_list_empty (list))
    {
      hkm_link *l = list->next;
      hkm_list_remove (l);
      hkm_list_append (&todo, l);
    }
  while (!hkm_list_empty (&todo))
    {
      hkm_slab *slab = hkm_container_of (todo.next, hkm_slab, link);
      hkm_link *l = todo.next;
      if (slab_sweep_locked (heap, slab) == 0 && todo.next == l)
        { /* being purged: stays as it is */
          hkm_list_remove (l);
          hkm_list_push (list, l);
        }
    }
}

void
hkm_heap_sweep_locked (hkm_heap *heap)
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      sweep_list_locked (heap, &heap->bin[c].partial);
      sweep_list_locked (heap, &heap->bin[c].full);
    }
}
