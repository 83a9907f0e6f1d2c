/* See idle.h.  */
#include "big/idle.h"
#include "os/os.h"
#include "superslab/retain.h"

size_t hkm_big_idle_bytes;

/* Longest idle first; those that are kept with preference, which go when no
   other is idle, in the second.  */
static hkm_link idlers[2];

void
hkm_idle_begin_locked (void)
{
  hkm_list_init (&idlers[0]);
  hkm_list_init (&idlers[1]);
}

hkm_big *
hkm_idle_first_locked (void)
{
  const hkm_link *list = &idlers[hkm_list_empty (&idlers[0])];
  return hkm_list_empty (list)
           ? NULL
           : hkm_container_of (list->next, hkm_big, idle_link);
}

/* BIG has BYTES of idle memory, from now on if it had none.  */
static void
list_locked (hkm_big *big, size_t bytes)
{
  size_t had = big->idle;
  hkm_store_release (&big->idle, bytes); /* what was purged of a live block */
  if (had != 0 && bytes == 0)
    hkm_list_remove (&big->idle_link);
  else if (had == 0 && bytes != 0)
    {
      hkm_list_append (&idlers[hkm_idle_is_preferred (big)], &big->idle_link);
      big->idle_since = hkm_os_clock_ms ();
    }
}

void
hkm_idle_set_locked (hkm_big *big, size_t bytes)
{
  size_t had = big->idle;
  if (bytes < had)
    hkm_retain_leave (had - bytes);
  else if (bytes > had)
    hkm_retain_admit_tended (bytes - had); /* whoever frees tends, unlocked */
  hkm_store_relaxed (&hkm_big_idle_bytes, hkm_big_idle_bytes + bytes - had);
  list_locked (big, bytes);
}

void
hkm_idle_move_locked (hkm_big *from, hkm_big *to, size_t bytes)
{
  if (bytes > 0 && to->idle == 0)
    {
      hkm_list_push (&from->idle_link, &to->idle_link);
      to->idle_since = from->idle_since;
    }
  to->idle += bytes;
  list_locked (from, from->idle - bytes);
}

/* Where in BIG to purge from, to give back WANT idle bytes or somewhat more:
   whole pages, and no part of a huge one, which would be no memory gained.  */
static size_t
purge_from (const hkm_big *big, size_t want)
{
  size_t page = big->huge ? hkm_os_huge_size () : hkm_os_page_size ();
  size_t least = big->size, most = big->touched;
  if (want >= most - least)
    return least;
  uintptr_t base = (uintptr_t) big->base;
  uintptr_t from = (base + most - want) & ~(uintptr_t) (page - 1);
  return from > base + least ? from - base : least;
}

bool
hkm_idle_purge_locked (hkm_big *big, size_t want)
{
  size_t keep = purge_from (big, want), end = big->touched;
  size_t bytes = end - keep;
  if (big->huge) /* the last one may go on beyond what was asked for */
    {
      size_t rest = hkm_os_huge_size () - 1;
      end = (((uintptr_t) big->base + end + rest) & ~(uintptr_t) rest)
            - (uintptr_t) big->base;
      end = end < big->mapped ? end : big->mapped;
    }
  if (!hkm_os_purge (big->base + keep, end - keep))
    return false;
  big->touched = keep;
  hkm_idle_set_locked (big, big->idle > bytes ? big->idle - bytes : 0);
  hkm_retain_purged (bytes);
  hkm_count (&hkm_big_counts, HKM_COUNT_PURGE, 1);
  hkm_count (&hkm_big_counts, HKM_COUNT_PURGE_BYTES, bytes);
  return true;
}

static void
age_list_locked (const hkm_link *list, uint64_t purge_ms, uint64_t now)
{
  while (!hkm_list_empty (list))
    {
      hkm_big *big = hkm_container_of (list->next, hkm_big, idle_link);
      if (now - big->idle_since < purge_ms)
        break;
      if (!hkm_idle_purge_locked (big, big->idle))
        hkm_idle_set_locked (big, 0); /* locked: nothing to be had */
    }
}

void
hkm_idle_age_locked (uint64_t purge_ms)
{
  uint64_t now = hkm_os_clock_ms ();
  for (unsigned i = 0; i < 2; i++)
    age_list_locked (&idlers[i], purge_ms, now);
}
