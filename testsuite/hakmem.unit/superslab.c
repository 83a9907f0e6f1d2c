/* superslab: the three stages, runs that grow and shrink in place, the list of
   empty superslabs, domains of their own, and what is left when memory ends.  */
#include "superslab/superslab.h"
#include "blocks.h"
#include "check.h"
#include "dynamic.h"
#include "opts/opts.h"
#include "os/os.h"
#include "policy/policy.h"
#include "superslab/retain.h"

static hkm_superslab_facts facts;
static hkm_counts counts;

static uint64_t
stage (enum hkm_counter which)
{
  memset (&counts, 0, sizeof counts);
  hkm_superslab_facts_get (&facts, &counts);
  return counts.value[which];
}

static char *
end_of (hkm_slab *run)
{
  return (char *) hkm_slab_address (run) + (size_t) run->slots * HKM_GRANULE;
}

TEST (stages)
{
  uint64_t third = stage (HKM_COUNT_ACQUIRE_STAGE3);
  hkm_slab *a = hkm_slab_acquire (HKM_CLASS_64);
  CHECK (a && stage (HKM_COUNT_ACQUIRE_STAGE3) == third + 1);
  hkm_slab *b = hkm_slab_acquire (HKM_CLASS_128);
  CHECK (b && stage (HKM_COUNT_ACQUIRE_STAGE2) == 1
         && stage (HKM_COUNT_ACQUIRE_STAGE3) == third + 1);
  CHECK (a->super == b->super);
  hkm_slab_release (b);
  CHECK (facts.superslabs == 1);
  /* The same class again: whatever it was handed out of, memory is not.  */
  b = hkm_slab_acquire (HKM_CLASS_128);
  CHECK (b && stage (HKM_COUNT_ACQUIRE_STAGE3) == third + 1);
  hkm_slab_release (a);
  hkm_slab_release (b);
  /* What was carved comes back to its class by stage 1, to be cut anew.  */
  a = hkm_slab_acquire (HKM_CLASS_64);
  b = hkm_slab_acquire (HKM_CLASS_64);
  char *p = hkm_slab_address (a);
  *p = 1;
  uint64_t first = stage (HKM_COUNT_ACQUIRE_STAGE1);
  hkm_slab_set_carved (a, a->capacity);
  a->own.head = 0;
  hkm_slab_release (a);
  a = hkm_slab_acquire (HKM_CLASS_64);
  CHECK (a && hkm_slab_address (a) == p);
  CHECK (stage (HKM_COUNT_ACQUIRE_STAGE1) == first + 1);
  CHECK (a->carved == 0 && a->written == a->capacity);
  hkm_slab_release (a);
  hkm_slab_release (b);
}

/* Less than a quarter of the slots, but some.  */
TEST (sparse)
{
  hkm_slab *run;
  bool zeroed;
  stage (HKM_COUNT_SS_MAP);
  uint64_t before = facts.sparse;
  run = hkm_run_acquire (HKM_SUPERSLAB_SLOTS, &zeroed);
  CHECK (run && hkm_run_resize (run, HKM_SUPERSLAB_SLOTS / 4));
  stage (HKM_COUNT_SS_MAP);
  CHECK (facts.sparse == before);
  CHECK (hkm_run_resize (run, HKM_SUPERSLAB_SLOTS / 4 - 1));
  stage (HKM_COUNT_SS_MAP);
  CHECK (facts.sparse == before + 1);
  CHECK (hkm_run_resize (run, 1));
  stage (HKM_COUNT_SS_MAP);
  CHECK (facts.sparse == before + 1);
  hkm_run_release (run);
  stage (HKM_COUNT_SS_MAP);
  CHECK (facts.sparse == before);
}

/* What an earlier user left resident is idle memory still, if the next one wrote
   less.  */
TEST (earlier_pages_stay_counted)
{
  bool zeroed;
  hkm_slab *run = hkm_run_acquire (4, &zeroed);
  CHECK (run != NULL);
  hkm_run_release (run);
  size_t idle = hkm_retain_idle ();
  hkm_slab *slab = hkm_slab_acquire (HKM_CLASS_16);
  CHECK (slab && hkm_retain_idle () == idle - HKM_GRANULE);
  hkm_slab_release (slab);
  CHECKF (hkm_retain_idle () == idle, "%zu bytes instead of %zu",
          hkm_retain_idle (), idle);
}

TEST (runs)
{
  bool zeroed;
  for (unsigned n = 1; n <= 32; n++)
    {
      hkm_slab *run = hkm_run_acquire (n, &zeroed);
      if (!CHECK (run != NULL))
        return;
      CHECK (run->kind == HKM_KIND_RUN && run->slots == n);
      char *p = hkm_slab_address (run);
      CHECK ((uintptr_t) p % HKM_GRANULE == 0);
      CHECK (!zeroed || block_zero (p, n * HKM_GRANULE));
      memset (p, 0xff, n * HKM_GRANULE);
      CHECK (hkm_map_find (p) == run && hkm_map_find (end_of (run) - 1) == run);
      hkm_run_release (run);
      CHECK (hkm_map_find (p) != run || run->kind != HKM_KIND_RUN);
    }
}

TEST (run_resize)
{
  bool zeroed;
  hkm_slab *a = hkm_run_acquire (4, &zeroed), *b = hkm_run_acquire (4, &zeroed);
  if (!CHECK (a && b))
    return;
  char *p = hkm_slab_address (a), *q = hkm_slab_address (b);
  if (p < q && p + 4 * HKM_GRANULE == q)
    CHECK (!hkm_run_resize (a, 5)); /* the neighbour is taken */
  CHECK (a->slots == 4 && hkm_run_resize (a, 2) && a->slots == 2);
  CHECK (hkm_map_find (p + 2 * HKM_GRANULE) != a);
  CHECK (hkm_run_resize (a, 4) && a->slots == 4);
  CHECK (hkm_map_find (p + 4 * HKM_GRANULE - 1) == a);
  CHECK (hkm_map_find (q) == b && b->slots == 4);
  hkm_run_release (b);
  CHECK (hkm_run_resize (a, 6) && a->slots == 6);
  CHECK (!hkm_run_resize (a, 33));
  CHECK (hkm_run_resize (a, 1));
  hkm_run_release (a);
}

/* A long EMPTY slab is taken apart by short ones: each takes only its slots.  */
TEST (parts_of_an_empty_slab)
{
  enum { N = 8 };
  hkm_superslab_trim ();
  hkm_slab *fence = hkm_slab_acquire (HKM_CLASS_32768),
           *long_one = hkm_slab_acquire (HKM_CLASS_32768);
  if (!CHECK (fence && long_one && long_one->slots == N))
    return;
  char *start = hkm_slab_address (long_one);
  hkm_slab_set_carved (long_one, long_one->capacity);
  hkm_slab_release (long_one);
  hkm_slab *part[N];
  for (int i = 0; i < N; i++)
    {
      part[i] = hkm_slab_acquire (i % 2 ? HKM_CLASS_64 : HKM_CLASS_128);
      if (!CHECK (part[i] != NULL))
        return;
      part[i]->state = HKM_SLAB_CURRENT;
      hkm_slab_set_carved (part[i], 100);
      for (int k = 0; k <= i; k++)
        CHECKF (part[k]->kind == HKM_KIND_SLAB && part[k]->carved == 100
                    && hkm_map_find (hkm_slab_address (part[k])) == part[k],
                "slab %d is damaged when slab %d is taken", k, i);
    }
  CHECK ((char *) hkm_slab_address (part[0]) >= start - 2 * N * HKM_GRANULE);
  for (int i = 0; i < N; i++)
    hkm_slab_release (part[i]);
  hkm_slab_release (fence);
}

/* What is counted as idle when it comes is taken off when it goes: in whole
   pages both times, whatever the block size.  */
TEST (idle_is_exact)
{
  hkm_superslab_trim ();
  size_t before = hkm_retain_idle ();
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    for (uint32_t part = 1; part <= 3; part++)
      {
        hkm_slab *slab = hkm_slab_acquire (c);
        if (!CHECK (slab != NULL))
          return;
        hkm_slab_set_carved (slab, slab->capacity * part / 3);
        hkm_slab_release (slab);
        slab = hkm_slab_acquire (c);
        CHECKF (hkm_retain_idle () == before,
                "%zu idle bytes, not %zu, after a slab of %u came and went",
                hkm_retain_idle (), before, hkm_class[c].size);
        hkm_slab_set_carved (slab, 0);
        hkm_slab_release (slab);
        hkm_superslab_trim ();
      }
}

/* Many at once, none over another, all gone in the end.  */
TEST (many)
{
  enum { N = 400 };
  static hkm_slab *slab[N];
  bool zeroed;
  uint64_t rng = rng_seed (8);
  for (int round = 0; round < 5; round++)
    {
      for (int i = 0; i < N; i++)
        {
          uint64_t r = rng_next (&rng);
          slab[i] = r % 3 == 0 ? hkm_run_acquire (1 + r / 3 % 32, &zeroed)
                               : hkm_slab_acquire (r / 3 % HKM_CLASSES);
          if (!CHECK (slab[i] != NULL))
            return;
          for (size_t k = 0; k < slab[i]->slots; k++)
            {
              char *p = (char *) hkm_slab_address (slab[i]) + k * HKM_GRANULE;
              memcpy (p + 65000, &slab[i], sizeof slab[i]);
            }
        }
      for (int j = 0; j < N; j++)
        {
          int i = (j * 37 + round) % N;
          for (size_t k = 0; k < slab[i]->slots; k++)
            {
              char *p = (char *) hkm_slab_address (slab[i]) + k * HKM_GRANULE;
              CHECK (memcmp (p + 65000, &slab[i], sizeof slab[i]) == 0);
              CHECK (hkm_map_find (p) == slab[i]);
            }
          slab[i]->kind == HKM_KIND_RUN ? hkm_run_release (slab[i])
                                        : hkm_slab_release (slab[i]);
        }
      CHECK (hkm_retain_idle () <= hkm_retain_budget ());
    }
  hkm_superslab_trim ();
  stage (0);
  CHECKF (facts.superslabs == 0 && facts.empty_bytes == 0,
          "%llu superslabs, %llu bytes left",
          (unsigned long long) facts.superslabs,
          (unsigned long long) facts.empty_bytes);
  CHECK (hkm_retain_idle () == 0);
}

TEST (empty_superslabs_are_kept)
{
#ifdef HKM_WITH_SS_LRU
  bool zeroed;
  uint64_t maps = 0;
  for (int i = 0; i < 50; i++)
    {
      hkm_slab *run[4];
      for (int k = 0; k < 4; k++)
        CHECK ((run[k] = hkm_run_acquire (32, &zeroed)) != NULL);
      if (i == 0)
        maps = stage (HKM_COUNT_SS_MAP);
      for (int k = 0; k < 4; k++)
        hkm_run_release (run[k]);
    }
  CHECKF (stage (HKM_COUNT_SS_MAP) == maps, "%llu superslabs mapped again",
          (unsigned long long) (stage (HKM_COUNT_SS_MAP) - maps));
  CHECK (facts.lru >= 4);
#else
  SKIP ("built without the list of empty superslabs");
#endif
}

/* C6 and C7 by default share a superslab with nobody.  */
TEST (domains)
{
#ifdef HKM_WITH_ULTRA
  hkm_slab *a = hkm_slab_acquire (HKM_CLASS_64),
           *b = hkm_slab_acquire (HKM_CLASS_1024),
           *c = hkm_slab_acquire (HKM_CLASS_2048),
           *d = hkm_slab_acquire (HKM_CLASS_4096);
  if (!CHECK (a && b && c && d))
    return;
  CHECK (a->super != b->super && a->super != c->super && b->super != c->super);
  CHECK (d->super == a->super);
  hkm_slab_release (a), hkm_slab_release (b);
  hkm_slab_release (c), hkm_slab_release (d);
#else
  SKIP ("built without ULTRA");
#endif
}

static bool
refuse_maps (enum hkm_os_call which)
{
  return which == HKM_OS_MMAP;
}

TEST (no_memory)
{
  bool zeroed;
  hkm_superslab_trim ();
  hkm_slab *a = hkm_slab_acquire (HKM_CLASS_64);
  hkm_os_fault = refuse_maps;
  /* Another domain's memory is better than none.  */
  hkm_slab *b = hkm_slab_acquire (HKM_CLASS_1024);
  CHECK (b != NULL && b->super == a->super);
  CHECK (hkm_run_acquire (32, &zeroed) == NULL);
  hkm_os_fault = NULL;
  hkm_slab *c = hkm_run_acquire (32, &zeroed);
  CHECK (c != NULL);
  hkm_slab_release (a), hkm_slab_release (b), hkm_run_release (c);
}

int
main (void)
{
  hkm_os_start ();
  hkm_opts_load ();
  hkm_policy_init ();
  hkm_retain_init (8 << 20);
  give_sizes ();
  RUN (stages);
  RUN (sparse);
  RUN (earlier_pages_stay_counted);
  RUN (runs);
  RUN (run_resize);
  RUN (parts_of_an_empty_slab);
  RUN (idle_is_exact);
  RUN (many);
  RUN (empty_superslabs_are_kept);
  RUN (domains);
  RUN (no_memory);
  return check_done ();
}
