/* Walkers: what every slab and list of a heap must look like after each cold
   call (debug builds), and what a report says of them (all builds).  */
#include "tiny/heap_impl.h"
#include "tiny/registry.h"

#ifdef HKM_DEBUG
static void
walk_holes (const hkm_slab *slab)
{
  uint32_t there = slab->frontier, limit = slab->frontier;
  for (unsigned i = 0; i < slab->slots * (HKM_GRANULE / HKM_HOLE); i++)
    if (hkm_slab_is_hole (slab, i))
      {
        uint32_t from = hkm_slab_first_from (slab, i);
        limit = from < limit ? from : limit;
        there -= hkm_slab_first_from (slab, i + 1) - from;
      }
  HKM_CHECK (slab->carved == there);
  HKM_CHECK (slab->limit == hkm_slab_phase_of (slab, limit));
}

static void
walk_slab (const hkm_heap *heap, hkm_slab *slab, unsigned cls)
{
  hkm_xword w = hkm_load_acquire (&slab->xword);
  HKM_CHECK (slab->kind == HKM_KIND_SLAB && slab->cls == cls);
  HKM_CHECK (slab->owner == &heap->front);
  HKM_CHECK (slab->sink == &slab->own
             || (heap->policy.cls[cls].magazine
                 && slab->sink == &heap->front.slot[cls]));
  /* While it passes for current nobody purges it under our eyes.  */
  if (!hkm_slab_publish_locked (slab, 0, true))
    return; /* somebody else's until we give it up */
  hkm_slab_verify (slab);
  walk_holes (slab);
  HKM_CHECK (hkm_x_count (w) + hkm_x_home (w) <= slab->capacity);
  switch (slab->state)
    {
    case HKM_SLAB_PARTIAL:
    case HKM_SLAB_FULL:
      HKM_CHECK (slab->own.room > 0 && slab->mark <= slab->carved);
      break;
    case HKM_SLAB_WARM:
      HKM_CHECK (hkm_slab_home (slab) == slab->carved && hkm_x_count (w) == 0);
      break;
    default:
      HKM_CHECK (!"a listed slab is partial, full or warm");
    }
  HKM_CHECK (hkm_slab_publish_locked (slab, hkm_x_home (w), false));
}

static uint32_t
walk_list (const hkm_heap *heap, const hkm_link *list, unsigned cls,
           enum hkm_slab_state state)
{
  uint32_t n = 0;
  for (const hkm_link *l = list->next; l != list; l = l->next, n++)
    {
      hkm_slab *slab = hkm_container_of (l, hkm_slab, link);
      HKM_CHECK (l->next->prev == l && l->prev->next == l);
      HKM_CHECK (slab->state == state);
      walk_slab (heap, slab, cls);
    }
  return n;
}

static void
walk_bin (hkm_heap *heap, unsigned cls)
{
  const hkm_bin *bin = &heap->bin[cls];
  const hkm_slot *slot = &heap->front.slot[cls];
  bool magazine = heap->policy.cls[cls].magazine;
  uint32_t warm = walk_list (heap, &bin->warm, cls, HKM_SLAB_WARM);
  uint32_t n = warm + walk_list (heap, &bin->partial, cls, HKM_SLAB_PARTIAL)
               + walk_list (heap, &bin->full, cls, HKM_SLAB_FULL);
  HKM_CHECK (warm == bin->warm_count);
  uint32_t front = hkm_blocks_count (magazine ? NULL : bin->current,
                                     hkm_slot_first (slot), NULL);
  if (bin->current != NULL)
    {
      const hkm_slab *slab = bin->current;
      HKM_CHECK (slab->state == HKM_SLAB_CURRENT);
      HKM_CHECK (slab->owner == &heap->front && slab->sink == slot);
      HKM_CHECK (hkm_load_relaxed (&slab->xword) & HKM_X_CURRENT);
      if (!magazine)
        HKM_CHECK (front <= slab->carved && slab->own.head == 0);
      n++;
    }
  else if (!magazine)
    HKM_CHECK (front == 0);
  HKM_CHECK (n == bin->slabs);
}

void
hkm_heap_walk_locked (hkm_heap *heap)
{
  if (heap->torn)
    return;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    walk_bin (heap, c);
}
#endif

/* Add SLAB to LINE.  FRONT: blocks of it in a front slot that we may read.  */
static void
add_slab (const hkm_slab *slab, hkm_class_line *line)
{
  hkm_xword w = hkm_load_acquire (&slab->xword);
  uint64_t carved = hkm_load_relaxed (&slab->carved);
  uint64_t home = hkm_x_home (w) + hkm_x_count (w);
  line->slabs++;
  line->slab_bytes += slab->slots * HKM_GRANULE;
  line->carved += carved;
  if (carved > home)
    line->live += carved - home;
}

static void
add_list (const hkm_link *list, bool exact, hkm_class_line *line)
{
  for (const hkm_link *l = list->next; l != list; l = l->next)
    {
      const hkm_slab *slab = hkm_container_of (l, hkm_slab, link);
      add_slab (slab, line);
      /* The owner may count what came home since it last published.  */
      if (exact)
        line->live -= hkm_slab_home (slab)
                      - hkm_x_home (hkm_load_relaxed (&slab->xword));
    }
}

static void
add_bin (hkm_heap *heap, unsigned cls, bool exact, hkm_class_line *line)
{
  hkm_bin *bin = &heap->bin[cls];
  bool magazine = heap->policy.cls[cls].magazine;
  add_list (&bin->partial, exact, line);
  add_list (&bin->full, exact, line);
  add_list (&bin->warm, exact, line);
  if (bin->current != NULL)
    {
      add_slab (bin->current, line);
      if (magazine)
        line->live -= hkm_slab_home (bin->current);
    }
  if (exact)
    {
      uint64_t front
          = hkm_blocks_count (magazine ? NULL : bin->current,
                              hkm_slot_first (&heap->front.slot[cls]), NULL);
      line->live -= front < line->live ? front : line->live;
    }
}

static void
add_counts (const hkm_heap *heap, hkm_counts *counts)
{
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    counts->value[i] += hkm_load_relaxed (&heap->counts.value[i]);
}

uint32_t
hkm_heap_counts_all (hkm_counts *counts, uint32_t refills[HKM_CLASSES],
                     uint32_t acquires[HKM_CLASSES])
{
  uint32_t heaps = 0;
  *counts = (hkm_counts) { { 0 } };
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    refills[c] = acquires[c] = 0;
  for (const hkm_heap *heap = hkm_load_acquire (&hkm_registry.first);
       heap != NULL; heap = hkm_load_acquire (&heap->next))
    {
      const hkm_bin_asked *asked = hkm_load_acquire (&heap->asked);
      heaps++;
      add_counts (heap, counts);
      for (unsigned c = 0; asked != NULL && c < HKM_CLASSES; c++)
        {
          refills[c] += hkm_load_relaxed (&asked[c].refills);
          acquires[c] += hkm_load_relaxed (&asked[c].acquires);
        }
    }
  return heaps;
}

HKM_COLD void
hkm_heap_facts (hkm_report *report, hkm_class_line *line)
{
  hkm_heap *mine = hkm_heap_mine ();
  for (hkm_heap *heap = hkm_load_acquire (&hkm_registry.first); heap != NULL;
       heap = hkm_load_acquire (&heap->next))
    {
      hkm_lock_take (&heap->lock);
      bool parked = heap->state == HKM_HEAP_PARKED;
      if (heap->torn)
        hkm_heap_mend_locked (heap);
      if (parked || heap == mine)
        hkm_heap_collect_locked (heap);
      if (!heap->shared)
        {
          report->heaps++;
          report->heaps_parked += parked;
        }
      add_counts (heap, &report->counts);
      for (unsigned c = 0; c < HKM_CLASSES; c++)
        add_bin (heap, c, parked || heap == mine, &line[c]);
      hkm_heap_unlock (heap);
    }
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      line[c].size = (uint32_t) hkm_class_size (c);
      line[c].group = hkm_class[c].group;
    }
}
