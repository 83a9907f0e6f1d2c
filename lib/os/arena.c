/* The metadata arena: a bump pointer through memory that is never given back.
   The first of it is part of the library, where it costs nothing before it is
   touched: most processes never need a mapping for more.  */
#include "os/arena.h"
#include "base/lock.h"
#include "os/os.h"

#define CHUNK ((size_t) 1 << 20)

/* Right after the library's other data (the order of objects in Makefile.am), so
   that the first heap shares pages with it.  */
static char first[(size_t) 128 << 10] HKM_ALIGNED (HKM_CACHE_LINE);

static hkm_lock arena_lock = HKM_LOCK_INIT (HKM_RANK_ARENA);
static char *at, *end; /* guarded by arena_lock, as all below */
static size_t used, mapped; /* FIRST counts as mapped */

static bool
arena_grow_locked (size_t size)
{
  if (mapped == 0)
    {
      at = first;
      end = first + sizeof first;
      mapped = sizeof first;
      return true;
    }
  size_t want = CHUNK;
  size_t page = hkm_os_page_size ();
  if (want < size)
    want = (size + page - 1) & ~(page - 1);
  char *p = hkm_os_map (want, page);
  if (p == NULL && want > size) /* near a limit: only what is needed */
    {
      want = (size + page - 1) & ~(page - 1);
      p = hkm_os_map (want, page);
    }
  if (p == NULL)
    return false;
  /* What is left of the old chunk is given up: it was never touched.  */
  at = p;
  end = p + want;
  mapped += want;
  return true;
}

void *
hkm_arena_alloc (size_t size, size_t align)
{
  char *p = NULL;
  hkm_lock_take (&arena_lock);
  for (int tries = 0; tries < 3; tries++) /* what is at hand, FIRST, a mapping */
    {
      p = (char *) (((uintptr_t) at + align - 1) & ~(uintptr_t) (align - 1));
      if (at != NULL && p <= end && (size_t) (end - p) >= size)
        {
          at = p + size;
          used += size;
          break;
        }
      p = NULL;
      if (!arena_grow_locked (size))
        break;
    }
  hkm_lock_give (&arena_lock);
  return p;
}

size_t
hkm_arena_used (void)
{
  return used;
}

size_t
hkm_arena_mapped (void)
{
  return mapped;
}

void
hkm_arena_fork_prepare (void)
{
  hkm_lock_take (&arena_lock);
}

void
hkm_arena_fork_done (void)
{
  hkm_lock_give (&arena_lock);
}
