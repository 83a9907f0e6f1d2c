/* Pages of slabs in use: what is free there goes back to the OS, by itself when
   few blocks are left and idle memory is over its budget, always by malloc_trim;
   what is live stays, and is freed, looked up and resized as before; a block
   whose page went is no block any more, and none is handed out twice.  */
#include "inside.h"
#include "blocks.h"

enum { MIB = 1 << 20, MANY = 110000 };
static unsigned char *p[MANY];

static size_t
resident (void)
{
  return resident_bytes ();
}

/* MIBS of blocks of SIZE, filled; how many.  */
static int
grow (int mibs, size_t size)
{
  int n = (int) ((size_t) mibs * MIB / size);
  for (int i = 0; i < n; i++)
    {
      p[i] = malloc (size);
      if (!CHECK (p[i] != NULL))
        return i;
      block_fill (p[i], size, (uint64_t) i);
    }
  return n;
}

/* All but one in KEEP go, in the order they came or at random.  */
static void
thin_out (int n, unsigned keep, uint64_t *rng)
{
  for (int i = 0; i < n; i++)
    if (rng_next (rng) % keep != 0)
      {
        free (p[i]);
        p[i] = NULL;
      }
}

static void
all_good (int n, size_t size)
{
  for (int i = 0; i < n; i++)
    if (p[i] != NULL)
      {
        CHECKF (block_good (p[i], size, (uint64_t) i), "block %d of %zu", i,
                size);
        CHECK (malloc_usable_size (p[i]) >= size);
        CHECK (hkm_heap_block_live (slab_of (p[i]), p[i]));
      }
}

static void
walk (void)
{
  hkm_heap *heap = hkm_heap_mine ();
  hkm_lock_take (&heap->lock);
  hkm_heap_walk_locked (heap);
  hkm_heap_unlock (heap);
}

/* Nothing of SIZE is handed out twice: N new blocks, and those there are.  */
static void
refill (int n, size_t size)
{
  for (int i = 0; i < n; i++)
    if (p[i] == NULL)
      {
        p[i] = i % 3 != 0 ? malloc (size) : calloc (1, size);
        CHECK (p[i] != NULL);
        if (i % 3 == 0)
          CHECKF (block_zero (p[i], size), "calloc (%zu)", size);
        block_fill (p[i], size, (uint64_t) i);
      }
  walk ();
  all_good (n, size);
}

static void
drop_all (int n)
{
  for (int i = 0; i < n; i++)
    {
      free (p[i]);
      p[i] = NULL;
    }
  walk ();
}

static const size_t sizes[]
    = { 16, 48, 176, 512, 1000, 1024, 2000, 2048, 3000, 8192, 10000, 32768 };
enum { SIZES = sizeof sizes / sizeof *sizes };

/* By malloc_trim, whatever is free, and then all of it again.  */
TEST (trimmed)
{
  for (int s = 0; s < SIZES; s++)
    for (unsigned keep = 3; keep < 50; keep *= 4)
      {
        uint64_t rng = rng_seed (keep);
        int n = grow (2, sizes[s] < 48 ? 48 : sizes[s]);
        size_t size = sizes[s] < 48 ? 48 : sizes[s];
        thin_out (n, keep, &rng);
        malloc_trim (0);
        walk ();
        all_good (n, size);
        refill (n, size);
        thin_out (n, keep, &rng);
        malloc_trim (0);
        all_good (n, size);
        drop_all (n);
      }
}

/* A slab of 64 KiB with one block left keeps that block's page, or two.  */
TEST (one_page_stays)
{
  int n = grow (16, 1000);
  size_t full = resident ();
  for (int i = 0; i < n; i++)
    if (i % 256 != 0)
      {
        free (p[i]);
        p[i] = NULL;
      }
  malloc_trim (0);
  size_t left = resident ();
  CHECKF (left + 14 * MIB < full, "%zu of %zu KiB stay", left / 1024,
          full / 1024);
  all_good (n, 1000);
  drop_all (n);
}

/* Without a call for it, in a thread that sleeps from then on.  */
TEST (by_itself)
{
  uint64_t rng = rng_seed (9);
  size_t before = resident ();
  int n = grow (96, 1000);
  size_t full = resident () - before;
  thin_out (n, 10, &rng);
  size_t left = resident () - before;
  CHECKF (left < full * 6 / 10, "%zu of %zu KiB stay", left / 1024,
          full / 1024);
  walk ();
  all_good (n, 1000);
  /* Blocks above a hole, freed by others.  */
  batch mine = { (void **) p, (size_t) n, 0 };
  actor other;
  actor_start (&other);
  act (&other, job_free, &mine);
  actor_end (&other);
  memset (p, 0, sizeof p);
  collect_mine ();
  walk ();
}

/* A stale pointer into a page that went: told, and without effect.  */
TEST (stale_pointers_are_refused)
{
  uint64_t rng = rng_seed (3);
  int n = grow (16, 1000), stale = 0, refused = 0;
  static void *gone[MANY];
  for (int i = 0; i < n; i++)
    gone[i] = p[i];
  thin_out (n, 40, &rng);
  malloc_trim (0);
  for (int i = 0; i < n; i++)
    if (p[i] == NULL)
      {
        hkm_slab *slab = slab_of (gone[i]);
        stale++;
        refused += slab == NULL || slab->kind != HKM_KIND_SLAB
                   || !hkm_heap_block_live (slab, gone[i]);
      }
  CHECKF (stale == refused && stale > 0, "%d of %d pass for live blocks",
          stale - refused, stale);
  refill (n, 1000);
  drop_all (n);
}

/* The OS refuses: nothing changes but that nothing goes.  */
static bool
refuse_purges (enum hkm_os_call which)
{
  return which == HKM_OS_MADVISE;
}

TEST (refused_purges)
{
  uint64_t rng = rng_seed (4);
  int n = grow (16, 1500);
  thin_out (n, 10, &rng);
  hkm_os_fault = refuse_purges;
  malloc_trim (0);
  hkm_os_fault = NULL;
  walk ();
  all_good (n, 1500);
  refill (n, 1500);
  drop_all (n);
}

/* Another thread's heap is its own to trim: at its next cold call it does.  */
static void
job_thin (void *unused UNUSED)
{
  uint64_t rng = rng_seed (5);
  thin_out (grow (8, 900), 30, &rng); /* too little for it to happen by itself */
}

static void
job_cold_call (void *unused UNUSED)
{
  static void *few[64];
  for (int i = 0; i < 64; i++)
    few[i] = malloc (1200);
  for (int i = 0; i < 64; i++)
    free (few[i]);
}

TEST (a_heap_at_work_is_trimmed_by_its_thread)
{
  actor other;
  malloc_trim (0);
  actor_start (&other);
  act (&other, job_thin, NULL);
  size_t full = resident ();
  malloc_trim (0);
  size_t posted = resident ();
  act (&other, job_cold_call, NULL);
  size_t after = resident ();
  CHECKF (posted + MIB > full, "%zu KiB went at once", (full - posted) / 1024);
  CHECKF (after + 5 * MIB < posted, "%zu of %zu KiB stay", after / 1024,
          posted / 1024);
  all_good (8 * MIB / 900, 900);
  act (&other, job_free, &(batch) { (void **) p, 8 * MIB / 900, 0 });
  memset (p, 0, sizeof p);
  actor_end (&other);
}

/* When all is freed and trimmed, no idle memory is counted.  */
TEST (accounts)
{
  malloc_trim (0);
  CHECKF (hkm_retain_idle () == 0, "%zu bytes idle", hkm_retain_idle ());
  CHECKF (hkm_retain_live_bytes () == 0, "%zu bytes live",
          hkm_retain_live_bytes ());
}

int
main (void)
{
  free (malloc (1));
  RUN (by_itself); /* before anything was purged, and may be regretted */
  RUN (trimmed);
  RUN (one_page_stays);
  RUN (stale_pointers_are_refused);
  RUN (refused_purges);
  RUN (a_heap_at_work_is_trimmed_by_its_thread);
  RUN (accounts);
  return check_done ();
}
