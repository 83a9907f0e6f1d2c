/* See front.h.  */
#include "big/front.h"
#include "os/os.h"
#include "superslab/retain.h"

/* After so many mappings were put the budget is looked after, as run caches do. */
enum { TEND_PUTS = 16 };

/* A descriptor's address, and how many granules its mapping has in the bits that
   are zero there; 0: an empty box.  */
typedef uintptr_t word;
enum { GRANULES = HKM_CACHE_LINE - 1 };

typedef struct shard
{
  HKM_ALIGNED (HKM_CACHE_LINE) word xbox[HKM_FRONT_ROW];
  HKM_ALIGNED (HKM_CACHE_LINE) hkm_front_sums so_far; /* relaxed */
} shard;

static shard shards[HKM_FRONT_SHARDS];
/* All relaxed.  Who sees one of them late is told "none", or puts something where
   it stays until the front is emptied.  */
static uint32_t in_use;      /* shards below this were put to; only grows */
static uint32_t open_shards; /* 0: closed */
static uint32_t generation;  /* of the policy */
static bool counts;

HKM_COLD void
hkm_front_set_locked (bool open, bool counted, size_t budget,
                      const hkm_policy *policy)
{
  size_t most = budget / 4 / HKM_FRONT_SHARD_BYTES;
  if (most > HKM_FRONT_SHARDS)
    most = HKM_FRONT_SHARDS;
  hkm_store_relaxed (&counts, counted);
  hkm_store_relaxed (&open_shards, open ? (uint32_t) most : 0);
  hkm_store_relaxed (&generation, policy->generation);
}

bool
hkm_front_is_stale (void)
{
  return hkm_load_relaxed (&generation)
         != hkm_load_relaxed (&hkm_policy_generation);
}

unsigned
hkm_front_shards (void)
{
  return hkm_load_relaxed (&in_use);
}

/* The shard of *cpu, the caller's; NULL: closed.  */
static shard *
my_shard (unsigned *cpu)
{
  unsigned node;
  uint32_t most = hkm_load_relaxed (&open_shards);
  if (most == 0 || hkm_unlikely (hkm_front_is_stale ()))
    return NULL;
  (void) hkm_os_cpu (cpu, &node);
  return &shards[*cpu % most];
}

/* True if S was put to before.  If not it is in use from now on, and the cache has
   to make room for it first, which it does when it is next put to.  */
static bool
was_in_use (const shard *s)
{
  uint32_t number = (uint32_t) (s - shards), had = hkm_load_relaxed (&in_use);
  if (hkm_likely (number < had))
    return true;
  while (had <= number && !hkm_cas_acquire (&in_use, &had, number + 1))
    continue;
  return false;
}

static hkm_big *
big_of (word w)
{
  return (hkm_big *) (w & ~(word) GRANULES);
}

static size_t
mapped_of (word w)
{
  return (w & GRANULES) * HKM_GRANULE;
}

/* BIG, which was put, is the caller's, and holds no idle memory.  The bytes it
   held.  */
static size_t
idle_of (hkm_big *big)
{
  size_t bytes = big->idle;
  hkm_store_relaxed (&big->idle, 0);
  return bytes;
}

hkm_big *
hkm_front_put (hkm_big *big, bool *tend)
{
  unsigned cpu;
  shard *s = my_shard (&cpu);
  if (s == NULL || !was_in_use (s))
    return big;
  hkm_retain_live_here (cpu, -(ptrdiff_t) big->size);
  word w = (word) big | big->mapped / HKM_GRANULE;
  hkm_fetch_add_relaxed (&s->so_far.put_bytes, big->size);
  uint64_t turn = hkm_fetch_add_relaxed (&s->so_far.puts, 1);
  *tend = turn % TEND_PUTS == 0;
  if (hkm_load_relaxed (&counts))
    {
      hkm_store_relaxed (&big->idle, big->touched);
      *tend |= !hkm_retain_admit_here (cpu, big->touched);
    }
  for (unsigned i = 0; i < HKM_FRONT_ROW; i++)
    {
      word none = 0;
      if (hkm_load_relaxed (&s->xbox[i]) == 0
          && hkm_cas_acq_rel (&s->xbox[i], &none, w))
        return NULL;
    }
  w = hkm_exchange_acq_rel (&s->xbox[turn % HKM_FRONT_ROW], w);
  if (w != 0)
    hkm_retain_leave_here (cpu, idle_of (big_of (w)));
  return big_of (w);
}

/* The box of S with the shortest mapping of LEAST to MOST bytes, and what it
   holds; or NULL.  */
static word *
find (shard *s, size_t least, size_t most, word *w)
{
  word *best = NULL;
  size_t shortest = (least + HKM_GRANULE - 1) / HKM_GRANULE;
  size_t span = most / HKM_GRANULE - shortest;
  for (unsigned i = 0; i < HKM_FRONT_ROW; i++)
    {
      word here = hkm_load_relaxed (&s->xbox[i]);
      size_t more = (here & GRANULES) - shortest; /* empty: beyond any span */
      if (more > span)
        continue;
      best = &s->xbox[i];
      *w = here;
      if (more == 0)
        break;
      span = more - 1;
    }
  return best;
}

hkm_big *
hkm_front_take (size_t size, size_t align, hkm_mark mark, size_t *dirty)
{
  word w;
  unsigned cpu;
  if (size > HKM_FRONT_LONGEST || align > HKM_GRANULE || mark != 0)
    return NULL;
  shard *s = my_shard (&cpu);
  word *box = s != NULL ? find (s, size, hkm_big_most (size, 0), &w) : NULL;
  if (box == NULL || !hkm_cas_acquire (box, &w, 0))
    return NULL;
  hkm_big *big = big_of (w);
  hkm_retain_leave_here (cpu, idle_of (big));
  hkm_fetch_add_relaxed (&s->so_far.taken, 1);
  hkm_fetch_add_relaxed (&s->so_far.taken_bytes, size);
  hkm_store_relaxed (&big->size, size);
  hkm_retain_live_here (cpu, (ptrdiff_t) size);
  *dirty = big->touched < size ? big->touched : size;
  if (big->touched < size)
    {
      hkm_retain_wanted (size - big->touched);
      hkm_store_relaxed (&big->touched, size);
    }
  return big;
}

HKM_COLD hkm_big *
hkm_front_take_at (unsigned i)
{
  word *box = &shards[i / HKM_FRONT_ROW].xbox[i % HKM_FRONT_ROW], w = 0;
  if (hkm_load_relaxed (box) != 0)
    w = hkm_exchange_acquire (box, 0);
  if (w != 0)
    hkm_retain_leave (idle_of (big_of (w)));
  return big_of (w);
}

HKM_COLD void
hkm_front_sum (hkm_front_sums *sum)
{
  *sum = (hkm_front_sums){ 0 };
  /* What was put first: it was taken before, or not from here.  */
  for (unsigned i = 0; i < hkm_front_shards (); i++)
    {
      sum->puts += hkm_load_relaxed (&shards[i].so_far.puts);
      sum->put_bytes += hkm_load_relaxed (&shards[i].so_far.put_bytes);
    }
  for (unsigned i = 0; i < hkm_front_shards (); i++)
    {
      sum->taken += hkm_load_relaxed (&shards[i].so_far.taken);
      sum->taken_bytes += hkm_load_relaxed (&shards[i].so_far.taken_bytes);
    }
}

HKM_COLD void
hkm_front_facts (hkm_big_facts *facts)
{
  for (unsigned i = 0; i < hkm_front_shards () * HKM_FRONT_ROW; i++)
    {
      word w = hkm_load_relaxed (
          &shards[i / HKM_FRONT_ROW].xbox[i % HKM_FRONT_ROW]);
      if (w == 0)
        continue;
      const hkm_big *big = big_of (w);
      size_t idle = hkm_load_relaxed (&big->idle);
      facts->cached_bytes += mapped_of (w);
      facts->idle_bytes += idle;
      if (idle == 0)
        facts->kept_bytes += hkm_load_relaxed (&big->touched);
    }
}
