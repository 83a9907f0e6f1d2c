/* map: any pointer at all can be looked up; what is registered is found, its
   neighbours are not; a map without memory changes nothing.  */
#include "map/map.h"
#include "blocks.h"
#include "check.h"
#include "os/os.h"

#include <stdlib.h>

#define P(a) ((void *) (uintptr_t) (a))

static struct hkm_slab *const slab_a = P (0x1110), *const slab_b = P (0x2220);

static const uint64_t borders[] = {
  0, 1, 15, 16, 4095, 65535, 65536, 65537, 0xffffffff, 0x100000000, 0x100000001,
  (1ull << 47) - 1, 1ull << 47, (1ull << 47) + 1, (1ull << 48) - 1, 1ull << 48,
  (1ull << 48) + 65536, (1ull << 52), 1ull << 62, (1ull << 63) - 1, 1ull << 63,
  0xffff800000000000, 0xffff7fffffffffff, 0xffffffffffff0000,
  0xfffffffffffffff0, ~0ull
};

TEST (nobody_registered)
{
  for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++)
    for (int d = -17; d <= 17; d++)
      CHECKF (hkm_map_find (P (borders[i] + (uint64_t) d)) == NULL,
              "%#llx is found", (unsigned long long) borders[i]);
  uint64_t rng = rng_seed (5);
  for (int i = 0; i < 4000000; i++)
    {
      uint64_t a = rng_next (&rng) >> (rng_next (&rng) & 63);
      CHECK (hkm_map_find (P (a)) == NULL);
    }
  for (uint64_t bit = 0; bit < 64; bit++)
    CHECK (hkm_map_find (P (1ull << bit)) == NULL
           && hkm_map_find (P (~(1ull << bit))) == NULL);
  int local;
  void *heap = malloc (1);
  CHECK (hkm_map_find (&local) == NULL && hkm_map_find (heap) == NULL
         && hkm_map_find (&hkm_map) == NULL);
  free (heap);
}

/* Whole [from, to): WANT; the byte before and the one after: nobody.  */
static void
expect_only (uint64_t from, uint64_t to, struct hkm_slab *want)
{
  uint64_t rng = rng_seed (from);
  CHECK (hkm_map_find (P (from)) == want);
  CHECK (hkm_map_find (P (to - 1)) == want);
  CHECK (hkm_map_find (P (from - 1)) == NULL);
  CHECK (hkm_map_find (P (to)) == NULL);
  for (int i = 0; i < 1000; i++)
    CHECK (hkm_map_find (P (from + rng_next (&rng) % (to - from))) == want);
  /* The same low bits elsewhere are nobody's.  */
  for (unsigned bit = 48; bit < 64; bit++)
    CHECKF (hkm_map_find (P (from ^ 1ull << bit)) == NULL,
            "%#llx with bit %u flipped is found", (unsigned long long) from,
            bit);
  CHECK (hkm_map_find (P (from ^ 1ull << 40)) == NULL);
}

TEST (set_and_clear)
{
  static const uint64_t at[] = { 0x10000, 0x7f0000200000, 0x7ffffff00000,
                                 0xfffffff0000, 0x555500000000, 1ull << 32 };
  for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
    for (size_t n = 1; n <= 32; n += 31)
      {
        CHECK (hkm_map_set (P (at[i]), n, slab_a));
        expect_only (at[i], at[i] + n * HKM_GRANULE, slab_a);
        CHECK (hkm_map_set (P (at[i]), n, slab_b));
        expect_only (at[i], at[i] + n * HKM_GRANULE, slab_b);
        CHECK (hkm_map_set (P (at[i]), n, NULL));
        for (size_t k = 0; k < n; k++)
          CHECK (hkm_map_find (P (at[i] + k * HKM_GRANULE)) == NULL);
      }
}

TEST (across_leaves)
{
  /* Half in one leaf, half in the next.  */
  uint64_t from = (7ull << HKM_MAP_LEAF_SHIFT) - 16 * HKM_GRANULE;
  CHECK (hkm_map_set (P (from), 32, slab_a));
  expect_only (from, from + 32 * HKM_GRANULE, slab_a);
  CHECK (hkm_map_set (P (from), 32, NULL));
}

TEST (beyond_the_map)
{
  if (sizeof (void *) < 8)
    SKIP ("32-bit");
  uint64_t end = 1ull << (HKM_MAP_LEAF_SHIFT + HKM_MAP_ROOT_BITS);
  CHECK (hkm_map_set (P (end - HKM_GRANULE), 1, slab_a));
  CHECK (hkm_map_find (P (end - 1)) == slab_a);
  CHECK (hkm_map_set (P (end - HKM_GRANULE), 1, NULL));
  CHECK (!hkm_map_set (P (end), 1, slab_a));
  CHECK (!hkm_map_set (P (end - HKM_GRANULE), 2, slab_a));
  CHECK (!hkm_map_set (P (0xffff800000000000), 1, slab_a));
  CHECK (!hkm_map_set (P (~0ull << HKM_GRANULE_SHIFT), 1, slab_a));
  CHECK (hkm_map_find (P (end - 1)) == NULL);
}

/* Two superslabs whose low bits are the same: the first has the near table, the
   other is found all the same, and neither answers for the other.  */
TEST (near_and_far)
{
  enum { SLOTS = 32 };
  uint64_t size = SLOTS * HKM_GRANULE, one = 0x7f0000600000,
           apart = 1ull << (HKM_MAP_NEAR_BITS + HKM_GRANULE_SHIFT),
           other = one + apart;
  if (sizeof (void *) < 8)
    {
      one = other = 0x600000;
      apart = 0;
    }
  hkm_map_claim (P (one));
  hkm_map_claim (P (other));
  CHECK (hkm_map_set (P (one), SLOTS, slab_a));
  struct hkm_slot *const sink = P (0x3330);
  struct hkm_slot *found;
  hkm_map_set_sink (P (one), SLOTS, sink);
  CHECK (hkm_map_find_near (P (one + 5), &found) == slab_a && found == sink);
  CHECK (hkm_map_find_near (P (one + size - 1), &found) == slab_a
         && found == sink);
  expect_only (one, one + size, slab_a);
  if (apart != 0)
    {
      CHECK (hkm_map_find (P (other)) == NULL
             && hkm_map_find (P (one + 2 * apart)) == NULL);
      CHECK (hkm_map_set (P (other), SLOTS, slab_b));
      expect_only (other, other + size, slab_b);
      hkm_map_set_sink (P (other), SLOTS, P (0x4440));
      CHECK (hkm_map_find_near (P (other), &found) == slab_a && found == sink);
      /* Who has no claim can't give one up.  */
      CHECK (!hkm_map_withdraw (P (other)));
    }
  expect_only (one, one + size, slab_a);
  CHECK (hkm_map_set (P (one), SLOTS, NULL));
  CHECK (hkm_map_find (P (one)) == NULL);
  CHECK ((void *) hkm_map_find_near (P (one), &found) == (void *) &hkm_map);
  CHECK (hkm_map_withdraw (P (one)));
  hkm_map_settle (P (one), false);
  if (apart != 0)
    expect_only (other, other + size, slab_b);
  CHECK (hkm_map_set (P (other), SLOTS, NULL));
  CHECK (hkm_map_find (P (other)) == NULL);
}

/* Between withdraw and settle the same address may be another's already.  */
TEST (withdrawn)
{
  enum { SLOTS = 32 };
  uint64_t at = 0x7f0000a00000, end = at + SLOTS * HKM_GRANULE;
  if (sizeof (void *) < 8)
    at = 0xa00000, end = at + SLOTS * HKM_GRANULE;
  struct hkm_slot *found;
  /* It could not be unmapped.  */
  hkm_map_claim (P (at));
  CHECK (hkm_map_withdraw (P (at)));
  CHECK (hkm_map_find (P (at)) == NULL);
  hkm_map_settle (P (at), true);
  CHECK (hkm_map_set (P (at), SLOTS, slab_a));
  expect_only (at, end, slab_a);
  CHECK (hkm_map_find_near (P (at), &found) == slab_a);
  CHECK (hkm_map_set (P (at), SLOTS, NULL));
  /* It was, and somebody mapped one there at once.  */
  CHECK (hkm_map_withdraw (P (at)));
  hkm_map_claim (P (at));
  CHECK (hkm_map_set (P (at), SLOTS, slab_b));
  expect_only (at, end, slab_b);
  hkm_map_settle (P (at), false);
  expect_only (at, end, slab_b);
  CHECK (hkm_map_set (P (at), SLOTS, NULL));
  CHECK (!hkm_map_withdraw (P (at)));
  CHECK (hkm_map_find (P (at)) == NULL);
}

static bool
refuse (enum hkm_os_call which)
{
  (void) which;
  return true;
}

TEST (no_memory)
{
  uint64_t known = 9ull << HKM_MAP_LEAF_SHIFT,
           fresh = 10ull << HKM_MAP_LEAF_SHIFT;
  CHECK (hkm_map_set (P (known), 1, slab_a));
  hkm_os_fault = refuse;
  CHECK (!hkm_map_set (P (fresh), 1, slab_b));
  /* The first half would have a leaf: all or nothing all the same.  */
  CHECK (!hkm_map_set (P (fresh - HKM_GRANULE), 2, slab_b));
  /* Clearing needs no memory.  */
  CHECK (hkm_map_set (P (fresh + (1ull << HKM_MAP_LEAF_SHIFT)), 1, NULL));
  CHECK (hkm_map_set (P (known), 1, NULL));
  hkm_os_fault = NULL;
  CHECK (hkm_map_find (P (fresh - 1)) == NULL
         && hkm_map_find (P (fresh)) == NULL);
  CHECK (hkm_map_find (P (known)) == NULL);
}

int
main (void)
{
  hkm_os_start ();
  RUN (nobody_registered);
  RUN (set_and_clear);
  RUN (across_leaves);
  RUN (beyond_the_map);
  RUN (near_and_far);
  RUN (withdrawn);
  RUN (no_memory);
  RUN (nobody_registered);
  return check_done ();
}
