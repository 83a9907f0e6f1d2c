/* HAKMEM_WMAX_MID: a mid request takes a larger class's free block that its heap
   has at hand, up to the factor, before a fresh slab.  */
#include "inside.h"

#ifdef HKM_WITH_WMAX

enum { N = 40 };
static void *block[N];

static void
set_wmax (uint32_t percent)
{
  hkm_policy p = policy_now ();
  p.wmax = percent;
  CHECK (hkm_policy_publish (&p));
  hkm_heap_trim ();
}

static uint64_t
borrowed (void)
{
#ifdef HKM_WITH_STATS
  return hkm_heap_counts (hkm_heap_mine ())->value[HKM_COUNT_REFILL_LENT];
#else
  return 0;
#endif
}

/* Every other one of N blocks of LARGE bytes is free: at hand.  The others are
   the program's for ever.  */
static void
have_at_hand (size_t large)
{
  batch b = { block, N, large };
  job_malloc (&b);
  for (int i = 0; i < N; i += 2)
    free (block[i]);
}

TEST (within_the_factor)
{
  uint64_t before;
  if (HKM_CLASS_STEPS < 4)
    SKIP ("with fewer classes the next larger one is twice as long");
  set_wmax (200);
  have_at_hand (16384);
  before = borrowed ();
  for (size_t size = 8193; size <= 16384; size += 501)
    {
      char *p = malloc (size);
      memset (p, 1, size);
      CHECKF (malloc_usable_size (p) == 16384, "%zu bytes got %zu", size,
              malloc_usable_size (p));
      free (p);
    }
#ifdef HKM_WITH_STATS
  CHECK (borrowed () > before);
#endif
  void *p = malloc (8000); /* 16384 is more than twice that */
  CHECK (malloc_usable_size (p) < 16384);
  free (p);
}

TEST (never_above_the_factor)
{
  for (size_t large = 2560; large <= 32768; large += 1024)
    have_at_hand (large);
  for (uint32_t percent = 100; percent <= 200; percent += 20)
    {
      set_wmax (percent);
      for (size_t size = 2049; size <= HKM_MID_MAX; size += 77)
        {
          void *p = malloc (size);
          size_t usable = malloc_usable_size (p);
          size_t own = hkm_class[hkm_size_to_static_class (size)].size;
          CHECKF (usable >= size
                      && (usable == own || usable <= size * percent / 100),
                  "%u %%: %zu bytes got %zu", percent, size, usable);
          free (p);
        }
    }
}

TEST (off_by_one_hundred)
{
  set_wmax (100);
  have_at_hand (16384);
  uint64_t before = borrowed ();
  void *p = malloc (12289);
  CHECK (malloc_usable_size (p) < 16384 || HKM_CLASS_STEPS < 4);
  free (p);
  CHECK (borrowed () == before);
}

/* Only where any block that is long enough will do.  */
TEST (not_for_alignment)
{
  set_wmax (200);
  have_at_hand (20480 - 16);
  have_at_hand (14336);
  for (size_t align = 32; align <= 8192; align *= 2)
    {
      for (int i = 0; i < N; i++)
        {
          block[i] = memalign (align, 10300);
          CHECKF ((uintptr_t) block[i] % align == 0, "at %zu: %p", align,
                  block[i]);
        }
      job_free (&(batch){ block, N, 0 });
    }
}

/* The tiny classes have nothing to do with it.  */
TEST (not_for_tiny)
{
  set_wmax (200);
  have_at_hand (2048);
  have_at_hand (1280);
  void *p = malloc (1025);
  CHECK (malloc_usable_size (p) == hkm_class[hkm_size_to_class (1025)].size);
  free (p);
}

/* There is none larger than the largest.  */
TEST (the_largest_takes_its_own)
{
  set_wmax (200);
  for (int i = 0; i < N; i++)
    {
      block[i] = malloc (i % 2 ? HKM_MID_MAX : HKM_MID_MAX - 2000);
      CHECK (malloc_usable_size (block[i]) == HKM_MID_MAX);
    }
  for (int i = 0; i < N; i++)
    free (block[i]);
}

/* calloc of what was borrowed, used or fresh.  */
TEST (zeroed)
{
  set_wmax (200);
  for (int round = 0; round < 2; round++)
    {
      have_at_hand (16384);
      for (int i = 0; i < N; i++)
        {
          unsigned char *p = block[i] = calloc (1, 12000);
          for (int k = 0; k < 12000; k++)
            CHECK (p[k] == 0);
          memset (p, 0xee, malloc_usable_size (p));
        }
      for (int i = 0; i < N; i++)
        free (block[i]);
    }
}

#endif

int
main (void)
{
  free (malloc (1));
#ifdef HKM_WITH_WMAX
  RUN (within_the_factor);
  RUN (never_above_the_factor);
  RUN (off_by_one_hundred);
  RUN (not_for_alignment);
  RUN (not_for_tiny);
  RUN (the_largest_takes_its_own);
  RUN (zeroed);
#else
  puts ("skip borrow: built without wmax");
#endif
  return check_done ();
}
