/* Lists of free blocks: counting, cutting, verifying.  */
#include "opts/fail.h"
#include "os/os.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"
#include "tiny/heap_impl.h"

static int
group_or_none (const hkm_slab *slab)
{
  unsigned group = hkm_class[slab->cls].group;
  return group < HKM_GROUP_MID ? (int) group : -1;
}

static bool
plausible (const hkm_slab *of, const hkm_block *b)
{
  const hkm_slab *slab = of != NULL ? of : hkm_map_find (b);
  return slab != NULL && slab->kind == HKM_KIND_SLAB
         && hkm_slab_has (slab, b);
}

uint32_t
hkm_blocks_count (const hkm_slab *of, hkm_block *head, hkm_block **tail)
{
  uint32_t n = 0;
  hkm_block *last = NULL;
  for (hkm_block *b = head; b != NULL; b = hkm_block_next (b))
    {
      if (hkm_unlikely (!plausible (of, b)))
        {
          hkm_fail (HKM_FAULT_CORRUPTION, "free", last != NULL ? last : head,
                    of != NULL ? hkm_class[of->cls].size : 0,
                    of != NULL ? group_or_none (of) : -1);
          if (last != NULL)
            last->link = 0;
          break;
        }
      last = b;
      n++;
    }
  if (tail != NULL)
    *tail = last;
  return n;
}

hkm_block *
hkm_block_at (const hkm_slab *slab, uint32_t index)
{
  return (hkm_block *) (slab->base
                        + (size_t) index * hkm_class[slab->cls].size);
}

/* Put blocks FROM .. FROM + N - 1 of SLAB, which are new, on SLOT.  */
HKM_INLINE void
carve_onto (hkm_slab *slab, hkm_slot *slot, uint32_t from, uint32_t n)
{
  size_t size = hkm_class[slab->cls].size;
  char *start = (char *) hkm_block_at (slab, from);
  uintptr_t next = slot->head;
  for (uint32_t i = n; i-- > 0;)
    {
      hkm_block *b = (hkm_block *) (start + i * size);
      b->link = next;
      b->key = next = hkm_block_key (b);
    }
  hkm_store_relaxed (&slab->carved, slab->carved + n);
  hkm_slab_set_limit (slab);
  __atomic_signal_fence (__ATOMIC_RELEASE);
  slot->head = next;
}

uint32_t
hkm_slab_first_from (const hkm_slab *slab, unsigned piece)
{
  uintptr_t start = (slab->base & ~(HKM_GRANULE - 1)) + piece * HKM_HOLE;
  size_t size = hkm_class[slab->cls].size;
  uint32_t n = start > slab->base
                 ? (uint32_t) ((start - slab->base + size - 1) / size) : 0;
  return n < slab->frontier ? n : slab->frontier;
}

unsigned
hkm_slab_first_hole (const hkm_slab *slab)
{
  return slab->holes[0] != 0 ? (unsigned) __builtin_ctzll (slab->holes[0])
                             : 64u + (unsigned) __builtin_ctzll (slab->holes[1]);
}

/* The blocks that start in the first hole are there again.  */
static uint32_t
carve_hole (hkm_slab *slab, hkm_slot *slot)
{
  unsigned piece = hkm_slab_first_hole (slab);
  uint32_t from = hkm_slab_first_from (slab, piece);
  uint32_t n = hkm_slab_first_from (slab, piece + 1) - from;
  uint64_t *word = &slab->holes[piece / 64];
  hkm_store_relaxed (word, *word & ~((uint64_t) 1 << piece % 64));
  hkm_retain_wanted (HKM_HOLE);
  carve_onto (slab, slot, from, n);
  return n;
}

/* How many bytes of what was written before are cut at once: no page is to be
   saved there.  */
enum { WRITTEN_CHUNK = 32 << 10 };

uint32_t
hkm_slab_carve (hkm_slab *slab, hkm_slot *slot, uint32_t limit)
{
  if (hkm_unlikely (hkm_slab_has_holes (slab)))
    return carve_hole (slab, slot);
  size_t size = hkm_class[slab->cls].size;
  uint32_t carved = slab->frontier, left = slab->capacity - carved;
  char *start = (char *) hkm_block_at (slab, carved);
  if (carved < slab->written && limit < WRITTEN_CHUNK)
    limit = WRITTEN_CHUNK;
  /* Stop at a page's end, so that the next page stays untouched until it is
     needed.  */
  size_t page = hkm_os_page_size ();
  size_t to_edge = page - ((uintptr_t) start & (page - 1));
  size_t bytes = limit > to_edge ? limit - (limit - to_edge) % page : limit;
  uint32_t n = (uint32_t) (bytes / size);
  if (n == 0)
    n = 1;
  if (n > left)
    n = left;
  hkm_store_relaxed (&slab->frontier, carved + n);
  carve_onto (slab, slot, carved, n);
  return n;
}

void
hkm_slab_verify (const hkm_slab *slab)
{
  uint32_t n = hkm_blocks_count (slab, hkm_slot_first (&slab->own), NULL);
  if (slab->state != HKM_SLAB_CURRENT)
    HKM_CHECK (n == hkm_slab_home (slab));
  HKM_CHECK (n <= slab->carved && slab->carved <= slab->frontier
             && slab->frontier <= slab->capacity);
}
