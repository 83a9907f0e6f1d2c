/* The magazine route: all slabs of the class have the front slot for a sink,
   and the slot's countdown is the magazine's cap.  Accounting happens here, by
   address, and is exact at every slab whenever it is read.  */
#include "tiny/heap_impl.h"

uint32_t
hkm_magazine_batch_locked (hkm_heap *heap, unsigned cls)
{
  hkm_slab *slab = heap->bin[cls].current;
  hkm_slot *slot = &heap->front.slot[cls];
  uint32_t want = hkm_policy_now.cls[cls].batch, n = 0;
  hkm_block *head = slab->own.head, *last = NULL, *b = head;
  for (; n < want && b != NULL; n++)
    {
      last = b;
      b = hkm_block_next (b);
    }
  if (n == 0)
    return 0;
  slab->own.head = b;
  slab->own.room += n; /* out again */
  last->link = hkm_block_encode (last, slot->head);
  slot->head = head;
  hkm_count (&heap->counts, HKM_COUNT_BATCH_BLOCKS, n);
  return n;
}

/* One block of the slot goes home: to one of our slabs, or, if the slab was
   adopted by another heap meanwhile, there.  */
static void
send_home_locked (hkm_heap *heap, hkm_block *b)
{
  hkm_slab *slab = hkm_map_find (b);
  if (hkm_slab_owner (slab) == heap)
    hkm_slab_give_locked (heap, slab, b, b, 1);
  else
    hkm_slab_push_remote_locked (heap, slab, b, b, 1);
}

void
hkm_magazine_drain_locked (hkm_heap *heap, unsigned cls, uint32_t keep)
{
  hkm_slot *slot = &heap->front.slot[cls];
  hkm_block *last = NULL, *b = slot->head;
  uint32_t kept = 0;
  for (; kept < keep && b != NULL; kept++)
    {
      last = b;
      b = hkm_block_next (b);
    }
  if (b != NULL)
    {
      hkm_count (&heap->counts, HKM_COUNT_MAGAZINE_DRAIN, 1);
      (void) hkm_blocks_count (NULL, b, NULL);
    }
  if (last != NULL)
    last->link = hkm_block_encode (last, NULL);
  else
    slot->head = NULL;
  while (b != NULL)
    {
      hkm_block *next = hkm_block_next (b);
      send_home_locked (heap, b);
      b = next;
    }
  slot->room = hkm_policy_now.cls[cls].cap - kept;
}
