/* The metadata arena: a bump pointer through mappings that are never undone.
   The first mapping is small, because most processes never need another.  */
#include "os/arena.h"
#include "base/lock.h"
#include "os/os.h"

#define FIRST_CHUNK ((size_t) 128 << 10)
#define CHUNK ((size_t) 1 << 20)

static hkm_lock arena_lock = HKM_LOCK_INIT (HKM_RANK_ARENA);
static char *at, *end; /* guarded by arena_lock, as all below */
static size_t used, mapped;

static bool
arena_grow_locked (size_t size)
{
  size_t want = mapped == 0 ? FIRST_CHUNK : CHUNK;
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
  for (int tries = 0; tries < 2; tries++)
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
