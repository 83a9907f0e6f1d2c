/* Heaps as objects: making them, the list of all, the shared one, fork.  */
#include "os/arena.h"
#include "policy/dyn.h"
#include "superslab/retain.h"
#include "tiny/heap_impl.h"
#include "tiny/registry.h"

const hkm_front hkm_front_none HKM_ALIGNED (HKM_CACHE_LINE);
const hkm_front hkm_front_dead HKM_ALIGNED (HKM_CACHE_LINE);

/* Never written through: a slot with room to push does not exist in the two
   constant fronts, because no slab has them for an owner.  */
__thread hkm_front *hkm_thread_front
    __attribute__ ((tls_model ("initial-exec")))
    = (hkm_front *) &hkm_front_none;

hkm_registry_data hkm_registry = { .lock = HKM_LOCK_INIT (HKM_RANK_REGISTRY) };

static hkm_heap *shared_heap; /* set once, release */

/* Give up what HEAP holds idle of closed class CLS.  What comes home later goes
   by the cold way, the first block of each slab at least, until it is open
   again.  */
static void
bin_close_locked (hkm_heap *heap, unsigned cls)
{
  heap->bin[cls].cap = 1;
  hkm_bin_strip_locked (heap, cls);
}

void
hkm_heap_observe_locked (hkm_heap *heap)
{
  if (!hkm_policy_is_stale (&heap->policy)
      || !hkm_policy_refresh (&heap->policy))
    return;
  const hkm_policy *policy = &heap->policy;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      const hkm_class_policy *p = &policy->cls[c];
      uint32_t most = p->magazine ? p->cap : policy->interval;
      /* A countdown begun under the old policy ends no later than one begun
         now would; one at zero is its caller's to start anew.  */
      hkm_slot_shorten (heap, c, most);
      heap->bin[c].cap = p->cap;
      hkm_bin_drop_warm_locked (heap, c, p->warm);
      if (hkm_dyn_is_closed (c))
        bin_close_locked (heap, c);
    }
  hkm_run_cache_observe (&heap->runs, policy);
}

/* Every this many cold calls, what was gathered for other threads is sent even
   if it is little (bounded latency for them), and idle memory is looked at.  */
enum
{
  TEND_EVERY = 16,
  TELL_EVERY = 64 /* and those who learn have their turn */
};

void
hkm_heap_tend_locked (hkm_heap *heap)
{
  hkm_heap_collect_locked (heap);
  if (++heap->cold_calls % TEND_EVERY != 0)
    return;
  hkm_outbound_flush_locked (heap);
  hkm_superslab_tend ();
  if (heap->cold_calls % TELL_EVERY == 0)
    {
      heap->timed = hkm_tick_is_told ();
      hkm_tick ();
    }
}

static HKM_COLD hkm_heap *
heap_make (enum hkm_heap_state state)
{
  hkm_heap *heap = hkm_arena_alloc (sizeof *heap, HKM_CACHE_LINE);
  if (heap == NULL)
    return NULL;
  heap->lock = (hkm_lock) HKM_LOCK_INIT (HKM_RANK_HEAP);
  heap->state = state;
  hkm_list_init (&heap->parked);
  heap->trimmed = hkm_load_relaxed (&hkm_trim_posted);
  hkm_policy_refresh (&heap->policy);
  hkm_run_cache_observe (&heap->runs, &heap->policy);
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      hkm_bin *bin = &heap->bin[c];
      hkm_list_init (&bin->partial);
      hkm_list_init (&bin->full);
      hkm_list_init (&bin->warm);
      bin->cap = heap->policy.cls[c].cap;
      hkm_slot_arm (heap, c, heap->policy.cls[c].magazine
                               ? heap->policy.cls[c].cap
                               : heap->policy.interval);
    }
  hkm_count (&heap->counts, HKM_COUNT_HEAP_CREATE, 1);
  return heap;
}

static void
registry_add_locked (hkm_heap *heap)
{
  if (hkm_registry.last == NULL)
    {
      hkm_list_init (&hkm_registry.parked);
      hkm_store_release (&hkm_registry.first, heap);
    }
  else
    hkm_store_release (&hkm_registry.last->next, heap);
  hkm_registry.last = heap;
  hkm_registry.count++;
}

hkm_heap *
hkm_registry_create (void)
{
  hkm_heap *heap = heap_make (HKM_HEAP_ACTIVE);
  if (heap == NULL)
    return NULL;
  hkm_lock_take (&hkm_registry.lock);
  registry_add_locked (heap);
  hkm_lock_give (&hkm_registry.lock);
  return heap;
}

void
hkm_registry_park (hkm_heap *heap)
{
  hkm_lock_take (&hkm_registry.lock);
  hkm_list_push (&hkm_registry.parked, &heap->parked);
  hkm_store_relaxed (&hkm_registry.parked_count,
                     hkm_registry.parked_count + 1);
  hkm_lock_give (&hkm_registry.lock);
}

hkm_heap *
hkm_registry_unpark (void)
{
  hkm_heap *heap = NULL;
  if (hkm_load_relaxed (&hkm_registry.parked_count) == 0)
    return NULL;
  hkm_lock_take (&hkm_registry.lock);
  if (!hkm_list_empty (&hkm_registry.parked))
    {
      hkm_link *l = hkm_registry.parked.next;
      hkm_list_remove (l);
      hkm_store_relaxed (&hkm_registry.parked_count,
                         hkm_registry.parked_count - 1);
      heap = hkm_container_of (l, hkm_heap, parked);
    }
  hkm_lock_give (&hkm_registry.lock);
  return heap;
}

hkm_heap *
hkm_heap_shared (void)
{
  hkm_heap *heap = hkm_load_acquire (&shared_heap);
  if (heap != NULL)
    return heap;
  hkm_lock_take (&hkm_registry.lock);
  heap = hkm_load_relaxed (&shared_heap);
  if (heap == NULL)
    {
      heap = heap_make (HKM_HEAP_PARKED);
      if (heap != NULL)
        {
          heap->shared = true;
          registry_add_locked (heap);
          hkm_store_release (&shared_heap, heap);
        }
    }
  hkm_lock_give (&hkm_registry.lock);
  return heap;
}

bool
hkm_heap_any_active (void)
{
  hkm_lock_take (&hkm_registry.lock);
  bool any = hkm_registry.count - (shared_heap != NULL)
             > hkm_registry.parked_count;
  hkm_lock_give (&hkm_registry.lock);
  return any;
}

hkm_front *
hkm_heap_front (hkm_heap *heap)
{
  return &heap->front;
}

hkm_heap *
hkm_heap_mine (void)
{
  hkm_front *front = hkm_thread_front;
  return hkm_front_is_heap (front) ? hkm_heap_of (front) : NULL;
}

hkm_run_cache *
hkm_heap_run_cache (hkm_heap *heap)
{
  if (heap->shared)
    return NULL;
  /* Of a thread that has large blocks alone this is the only cold path.  */
  if (hkm_policy_is_stale (&heap->policy))
    {
      hkm_lock_take (&heap->lock);
      hkm_heap_observe_locked (heap);
      hkm_heap_unlock (heap);
    }
  return &heap->runs;
}

hkm_counts *
hkm_heap_counts (hkm_heap *heap)
{
  return &heap->counts;
}

/* ---- fork ---- */

void
hkm_heap_fork_prepare (void)
{
  hkm_heap *done = NULL;
  for (;;)
    {
      /* All forking threads take heaps in the order of their making, and no
         holder of a heap's lock waits for another heap's.  */
      hkm_heap *heap = done == NULL ? hkm_load_acquire (&hkm_registry.first)
                                    : hkm_load_acquire (&done->next);
      if (heap != NULL)
        {
          hkm_lock_take_peer (&heap->lock);
          done = heap;
          continue;
        }
      hkm_lock_take (&hkm_registry.lock);
      if (hkm_registry.last == done)
        return;
      hkm_lock_give (&hkm_registry.lock); /* one was made meanwhile */
    }
}

void
hkm_heap_fork_parent (void)
{
  hkm_heap *last = hkm_registry.last;
  hkm_lock_give (&hkm_registry.lock);
  for (hkm_heap *heap = hkm_registry.first; last != NULL; heap = heap->next)
    {
      hkm_heap_unlock (heap);
      if (heap == last)
        break;
    }
}

void
hkm_heap_fork_child (hkm_heap *mine)
{
  /* All are parked now.  The list is made anew, because threads that were about
     to park a heap or to take one over are gone.  */
  hkm_list_init (&hkm_registry.parked);
  hkm_registry.parked_count = 0;
  for (hkm_heap *heap = hkm_registry.first; heap != NULL; heap = heap->next)
    {
      if (heap != mine && !heap->shared)
        {
          if (heap->state == HKM_HEAP_ACTIVE)
            heap->torn = true;
          heap->state = HKM_HEAP_PARKED;
          hkm_list_append (&hkm_registry.parked, &heap->parked);
          hkm_registry.parked_count++;
        }
      hkm_lock_reset (&heap->lock);
    }
  hkm_lock_reset (&hkm_registry.lock);
}

/* ---- trim and facts ---- */

uint32_t hkm_trim_posted;

void
hkm_heap_trim_locked (hkm_heap *heap)
{
  hkm_store_relaxed (&heap->trimmed, hkm_load_relaxed (&hkm_trim_posted));
  hkm_heap_strip_locked (heap);
  hkm_heap_sweep_locked (heap);
  hkm_superslab_trim ();
}

/* Bring the policy of all heaps that can be reached up to date; STRIP: and give
   up what they hold idle, free pages too.  */
static void
visit_heaps (bool strip)
{
  hkm_heap *mine = hkm_heap_mine ();
  for (hkm_heap *heap = hkm_load_acquire (&hkm_registry.first); heap != NULL;
       heap = hkm_load_acquire (&heap->next))
    {
      if (heap != mine && hkm_load_relaxed (&heap->state) != HKM_HEAP_PARKED)
        continue;
      hkm_lock_take (&heap->lock);
      if (heap == mine || heap->state == HKM_HEAP_PARKED)
        {
          if (heap->torn)
            hkm_heap_mend_locked (heap);
          hkm_heap_observe_locked (heap);
          if (heap == mine)
            hkm_outbound_flush_locked (heap);
          hkm_heap_collect_locked (heap);
          if (strip)
            {
              hkm_store_relaxed (&heap->trimmed,
                                 hkm_load_relaxed (&hkm_trim_posted));
              hkm_heap_strip_locked (heap);
              hkm_heap_sweep_locked (heap);
            }
          HKM_WALK (hkm_heap_walk_locked (heap));
        }
      hkm_heap_unlock (heap);
    }
}

void
hkm_heap_trim (void)
{
  /* Twice: a heap's magazine may hold the last block of a slab of one that was
     looked at before it.  */
  hkm_fetch_add_relaxed (&hkm_trim_posted, 1);
  visit_heaps (true);
  visit_heaps (true);
}

void
hkm_heap_observe_all (void)
{
  visit_heaps (false);
}
