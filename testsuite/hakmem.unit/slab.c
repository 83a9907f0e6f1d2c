/* superslab/slab.h: the pointer check of every class: with k blocks carved,
   exactly their k starts pass, out of any address at all.  */
#include "superslab/superslab.h"
#include "blocks.h"
#include "check.h"
#include "dynamic.h"
#include "opts/opts.h"
#include "os/os.h"
#include "policy/policy.h"

#include <stdlib.h>

/* Look at SLAB with CARVED blocks.  */
static void
look (hkm_slab *slab, uint32_t carved)
{
  size_t size = hkm_class[slab->cls].size;
  char *start = hkm_slab_address (slab);
  char *first = (char *) slab->base;
  char *end = start + (size_t) slab->slots * HKM_GRANULE;
  uint32_t was = slab->carved;
  hkm_slab_set_carved (slab, carved);
  uint32_t next = 0;
  for (char *p = start - 4096; p < end + 4096; p++)
    {
      bool is_start = next < carved && p == first + next * size;
      bool passes = hkm_slab_holds (slab, p);
      if (is_start)
        CHECKF (hkm_slab_index (slab, p) == next, "index %zu of block %u",
                (size_t) hkm_slab_index (slab, p), next);
      if (!CHECKF (passes == is_start,
                   "class of %zu, %u carved: offset %td %s", size, carved,
                   p - first, passes ? "passes" : "is refused"))
        break;
      next += is_start;
    }
  CHECK (next == carved);
  uint64_t rng = rng_seed (size + carved);
  for (int i = 0; i < 200000; i++)
    {
      /* Near and far, and at multiples of the size whatever the distance.  */
      uintptr_t n = (uintptr_t) rng_next (&rng) >> (i & 63);
      if (i & 64)
        n *= size;
      bool want = n % size == 0 && n / size < carved;
      CHECKF (hkm_slab_holds (slab, (void *) (slab->base + n)) == want,
              "class of %zu, %u carved: distance %#zx", size, carved,
              (size_t) n);
    }
  for (unsigned bit = 0; bit < 8 * sizeof (uintptr_t); bit++)
    {
      uintptr_t n = (uintptr_t) 1 << bit;
      bool want = n % size == 0 && n / size < carved;
      CHECKF (hkm_slab_holds (slab, (void *) (slab->base + n)) == want,
              "class of %zu, %u carved: bit %u", size, carved, bit);
    }
  hkm_slab_set_carved (slab, was);
}

TEST (pointer_check)
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      hkm_slab *slab = hkm_slab_acquire (c);
      if (!CHECK (slab != NULL))
        return;
      CHECK (slab->kind == HKM_KIND_SLAB && slab->cls == c
             && slab->slots == hkm_class[c].slots && slab->owner == NULL);
      look (slab, 0);
      look (slab, 1);
      look (slab, slab->capacity / 2);
      look (slab, slab->capacity);
      hkm_slab_release (slab);
    }
}

TEST (blocks_fit_and_are_aligned)
{
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      size_t size = hkm_class[c].size;
      for (int round = 0; round < 20; round++)
        {
          hkm_slab *slab = hkm_slab_acquire (c);
          if (!CHECK (slab != NULL))
            return;
          uintptr_t start = (uintptr_t) hkm_slab_address (slab);
          uintptr_t first = slab->base;
          size_t length = (size_t) slab->slots * HKM_GRANULE;
          CHECK (start % HKM_GRANULE == 0 && first % 16 == 0);
          CHECKF (first - start + slab->capacity * size <= length,
                  "%u blocks of %zu from %zu", slab->capacity, size,
                  (size_t) (first - start));
          CHECKF (slab->capacity >= 15, "%u blocks of %zu", slab->capacity,
                  size);
          if (!hkm_class[c].coloured)
            CHECK (first == start
                   && slab->capacity == length / size);
          else
            CHECKF (first - start < 8192 && (first - start) % 64 == 0,
                    "colour %zu", (size_t) (first - start));
          for (size_t k = 0; k < slab->slots; k++)
            CHECK (hkm_map_find ((void *) (start + k * HKM_GRANULE)) == slab);
          hkm_slab_release (slab);
        }
    }
}

TEST (links_are_mangled)
{
  _Alignas (16) hkm_block a, b;
  hkm_secret_key = 0x1234567812345678;
  a.link = hkm_block_mask (&b);
  CHECK (hkm_block_next (&a) == &b);
  CHECK (a.link != (uintptr_t) &b);
  a.link = hkm_block_mask (NULL);
  CHECK (hkm_block_next (&a) == NULL);
  CHECK (hkm_block_key (&a) != hkm_block_key (&b));
}

int
main (void)
{
  hkm_os_start ();
  hkm_opts_load ();
  hkm_policy_init ();
  give_sizes ();
  RUN (pointer_check);
  RUN (blocks_fit_and_are_aligned);
  RUN (links_are_mangled);
  return check_done ();
}
