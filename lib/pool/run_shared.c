/* See run_shared.h.  */
#include "pool/run_shared.h"
#include "opts/opts.h"
#include "os/os.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"

typedef struct shard
{
  HKM_ALIGNED (HKM_CACHE_LINE)
  hkm_run_list *xbox[HKM_RUN_LONGEST][HKM_RUN_ROWS];
  /* Hints, relaxed: of two threads that write one at once the later wins.  A
     bundle whose bit was lost so waits until another of its length comes, or
     memory is given back.  */
  uint32_t present; /* bit n-1: a box of length n may hold one */
  uint32_t wanted;  /* bit k: a bundle of class k came or went lately */
} shard;

static shard shards[HKM_RUN_SHARDS];
/* Shards that were ever put to: those from 0 on below this.  Only grows.  */
static uint32_t shards_used;
static uint32_t several_nodes; /* a node but the first was seen */

/* Shards there may be: how many CPUs or nodes this process runs on is seen as it
   runs there.  */
static uint32_t
shard_limit (void)
{
  uint32_t wanted = (uint32_t) hkm_opt (HKM_OPT_LARGE_SHARDS);
  return wanted != 0 ? wanted : HKM_RUN_SHARDS;
}

static uint32_t
my_shard (void)
{
  unsigned cpu, node;
  (void) hkm_os_cpu (&cpu, &node);
  if (node != 0 && !hkm_load_relaxed (&several_nodes))
    hkm_store_relaxed (&several_nodes, 1);
  return (hkm_load_relaxed (&several_nodes) ? node : cpu) % shard_limit ();
}

static void
note_used (uint32_t number)
{
  uint32_t had = hkm_load_relaxed (&shards_used);
  while (had <= number && !hkm_cas_acquire (&shards_used, &had, number + 1))
    continue;
}

/* BIT of HINT is SET from now on.  */
static void
hint (uint32_t *hints, unsigned bit, bool set)
{
  uint32_t had = hkm_load_relaxed (hints), mask = (uint32_t) 1 << bit;
  if (((had & mask) != 0) != set)
    hkm_store_relaxed (hints, had ^ mask);
}

/* A bundle of runs of N slots comes to S or leaves it.  */
static void
note_move (shard *s, hkm_counts *counts, unsigned n, uint32_t blocks)
{
  hint (&s->wanted, hkm_run_class (n), true);
  hkm_count (counts, HKM_COUNT_RUN_BUNDLE, 1);
  hkm_count (counts, HKM_COUNT_RUN_BUNDLE_BLOCKS, blocks);
}

size_t
hkm_run_list_release (hkm_run_list *list)
{
  size_t bytes = 0;
  while (list != NULL)
    {
      hkm_slab *run = list;
      list = run->xnext;
      bytes += run->slots * HKM_GRANULE;
      hkm_retain_leave (run->slots * HKM_GRANULE);
      hkm_run_drop (run);
    }
  return bytes;
}

void
hkm_run_shared_put (hkm_counts *counts, hkm_run_list *bundle)
{
  unsigned column = bundle->slots - 1u, row = 0;
  uint32_t number = my_shard ();
  shard *s = &shards[number];
  note_used (number);
  while (row < HKM_RUN_ROWS - 1
         && hkm_load_relaxed (&s->xbox[column][row]) != NULL)
    row++;
  note_move (s, counts, bundle->slots, bundle->mark);
  /* Release: its links.  Acquire: those of what comes out, which nobody wanted
     for as long as the boxes were full.  */
  bundle = hkm_exchange_acq_rel (&s->xbox[column][row], bundle);
  hint (&s->present, column, true);
  if (bundle != NULL)
    {
      hkm_run_list_release (bundle);
      hkm_superslab_reclaim ();
    }
}

/* A bundle of runs of N slots from S, or NULL.  */
static hkm_run_list *
take_from (shard *s, unsigned n)
{
  for (unsigned row = 0; row < HKM_RUN_ROWS; row++)
    {
      hkm_run_list **box = &s->xbox[n - 1][row];
      hkm_run_list *bundle
          = hkm_load_relaxed (box) != NULL ? hkm_exchange_acquire (box, NULL)
                                           : NULL;
      if (bundle != NULL)
        return bundle;
    }
  hint (&s->present, n - 1, false);
  return NULL;
}

/* A bundle of the shortest runs in S whose bits are in FIT, or NULL.  */
static hkm_run_list *
take_fitting (shard *s, uint32_t fit)
{
  for (fit &= hkm_load_relaxed (&s->present); fit != 0; fit &= fit - 1)
    {
      unsigned n = (unsigned) __builtin_ctz (fit) + 1;
      hkm_run_list *bundle = take_from (s, n);
      if (bundle != NULL)
        return bundle;
    }
  return NULL;
}

void
hkm_run_shared_forget (uint32_t wanted)
{
  shard *s = &shards[my_shard ()];
  uint32_t fit = 0;
  wanted |= hkm_load_relaxed (&s->wanted);
  hkm_run_list *bundle;
  for (unsigned n = 1; n <= HKM_RUN_LONGEST; n++)
    if (!(wanted >> hkm_run_class (n) & 1))
      fit |= (uint32_t) 1 << (n - 1);
  while ((bundle = take_fitting (s, fit)) != NULL)
    hkm_run_list_release (bundle);
  hkm_store_relaxed (&s->wanted, 0);
}

hkm_run_list *
hkm_run_shared_take (hkm_counts *counts, uint32_t fit)
{
  uint32_t used = hkm_load_relaxed (&shards_used);
  if (used == 0)
    return NULL;
  uint32_t mine = my_shard ();
  for (uint32_t i = 0; i < used; i++)
    {
      shard *s = &shards[(mine + i) % used];
      hkm_run_list *bundle = take_fitting (s, fit);
      if (bundle != NULL)
        {
          note_move (s, counts, bundle->slots, bundle->mark);
          return bundle;
        }
    }
  return NULL;
}

hkm_run_list *
hkm_run_shared_take_any (void)
{
  uint32_t used = hkm_load_relaxed (&shards_used);
  for (uint32_t i = 0; i < used; i++)
    for (unsigned n = HKM_RUN_LONGEST; n >= 1; n--)
      {
        hkm_run_list *bundle = take_from (&shards[i], n);
        if (bundle != NULL)
          return bundle;
      }
  return NULL;
}
