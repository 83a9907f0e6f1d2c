/* What the pool of free runs holds, for tests that look inside while no other
   thread is at work.  Brings the shared part's source.  */
#ifndef RULES_LARGE_H
#define RULES_LARGE_H

#include "pool/run_shared.c"

static UNUSED size_t
list_runs (const hkm_run_list *list)
{
  size_t runs = 0;
  for (; list != NULL; list = list->xnext)
    runs++;
  return runs;
}

/* Slots in the lists of CACHE.  */
static UNUSED size_t
cached_slots (const hkm_run_cache *cache)
{
  size_t slots = 0;
  for (unsigned n = 1; n <= HKM_RUN_LONGEST; n++)
    slots += n * list_runs (cache->xlist[n - 1]);
  return slots;
}

/* Runs of SLOTS slots in shard NUMBER.  */
static UNUSED size_t
shard_runs (unsigned number, unsigned slots)
{
  size_t runs = 0;
  for (unsigned row = 0; row < HKM_RUN_ROWS; row++)
    runs += list_runs (shards[number].xbox[slots - 1][row]);
  return runs;
}

static UNUSED size_t
shared_slots (void)
{
  size_t slots = 0;
  for (unsigned number = 0; number < HKM_RUN_SHARDS; number++)
    for (unsigned n = 1; n <= HKM_RUN_LONGEST; n++)
      slots += n * shard_runs (number, n);
  return slots;
}

#endif
