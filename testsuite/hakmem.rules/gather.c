/* Blocks gathered on their way to another thread: how many wait and for how
   long, what it costs, and that whoever frees all of a slab's blocks keeps none
   of them back.  */
#include "inside.h"
#include "blocks.h"

enum { MANY = 20000, UNDER_WAY = 16 * 128, ROUNDS = 40 * UNDER_WAY };

static actor owner, pusher;
static void *block[MANY];
static hkm_outbound *out; /* the pusher's table */

static void
job_out (void *unused UNUSED)
{
  out = hkm_thread_outbound;
}

static void
begin (void)
{
  actor_start (&owner);
  actor_start (&pusher);
}

static void
end (void)
{
  actor_end (&pusher);
  actor_end (&owner);
  malloc_trim (0);
}

static void
allocate (size_t n, uint64_t *random)
{
  for (size_t i = 0; i < n; i++)
    {
      size_t least = (size_t) 16 << rng_next (random) % 7;
      batch one = { &block[i], 1, least + rng_next (random) % least };
      act (&owner, job_malloc, &one);
    }
}

static void
shuffle (size_t n, uint64_t *random)
{
  for (size_t i = n; i-- > 1;)
    {
      size_t k = rng_next (random) % (i + 1);
      void *p = block[i];
      block[i] = block[k];
      block[k] = p;
    }
}

/* Bytes in the pusher's chains; each is as long as it says, of one slab, and
   ends with its tail.  */
static int32_t
gathered (void)
{
  int32_t bytes = 0;
  for (int i = 0; i < HKM_OUTBOUND_ENTRIES; i++)
    {
      const hkm_chain *c = &out->chain[i];
      hkm_block *tail;
      CHECK ((c->slab == NULL) == (c->head == 0));
      if (c->slab == NULL)
        continue;
      uint32_t n
          = hkm_blocks_count (c->slab, hkm_block_unmask (c->head), &tail);
      CHECKF (n == (uint32_t) c->most - c->room && tail == c->tail,
              "%u blocks in a chain of %u", n, (unsigned) c->most - c->room);
      bytes += (int32_t) (n * c->size);
    }
  return bytes;
}

/* Sizes mixed and all slabs by turns: what waits is bounded, and known.  */
TEST (what_waits_is_bounded)
{
  uint64_t random = rng_seed (1);
  int32_t most = 0;
  begin ();
  allocate (MANY, &random);
  shuffle (MANY, &random);
  for (int i = 0; i < MANY; i++)
    {
      act (&pusher, job_free_one, block[i]);
      act (&pusher, job_out, NULL);
      if (i % 50 != 0)
        continue;
      int32_t bytes = gathered ();
      most = bytes > most ? bytes : most;
      CHECKF (bytes + out->room == HKM_OUTBOUND_BYTES && out->room >= 0,
              "%d bytes wait, room for %d", (int) bytes, (int) out->room);
    }
  CHECKF (most > HKM_OUTBOUND_BYTES / 4, "never more than %d bytes waited",
          (int) most);
  end ();
}

/* The pusher frees all there is, then makes no further call: of slabs that
   could be given back it has kept no block.  */
TEST (no_last_block_waits)
{
  uint64_t random = rng_seed (2);
  begin ();
  allocate (MANY, &random);
  shuffle (MANY, &random);
  batch all = { block, MANY, 0 };
  act (&pusher, job_free, &all);
  act (&pusher, job_out, NULL);
  for (int i = 0; i < HKM_OUTBOUND_ENTRIES; i++)
    {
      const hkm_slab *slab = out->chain[i].slab;
      CHECKF (slab == NULL || slab->state == HKM_SLAB_CURRENT,
              "blocks of %u bytes wait, %u of %u are out",
              hkm_class[slab->cls].size,
              out->chain[i].most - out->chain[i].room,
              slab->carved);
    }
  end ();
}

/* One thread allocates, the other frees in the same order: atomics for each
   block that changes threads.  */
TEST (few_atomics)
{
#ifndef HKM_WITH_STATS
  SKIP ("built without statistics");
#endif
  uint64_t random = rng_seed (3);
  begin ();
  void *first;
  act (&pusher, job_malloc, &(batch) { &first, 1, 16 }); /* it has a heap now */
  allocate (UNDER_WAY, &random);
  const uint64_t *value = pusher.heap->counts.value;
  uint64_t freed = value[HKM_COUNT_REMOTE_FREE];
  uint64_t atomics = value[HKM_COUNT_REMOTE_PUSH]
                     + value[HKM_COUNT_REMOTE_NOTIFY];
  for (int i = 0; i < ROUNDS; i += 128)
    {
      void **p = block + i % UNDER_WAY;
      batch some = { p, 128, 0 };
      act (&pusher, job_free, &some);
      for (int k = 0; k < 128; k++)
        {
          size_t least = (size_t) 16 << rng_next (&random) % 7;
          batch one = { p + k, 1, least + rng_next (&random) % least };
          act (&owner, job_malloc, &one);
        }
    }
  freed = value[HKM_COUNT_REMOTE_FREE] - freed;
  atomics = value[HKM_COUNT_REMOTE_PUSH] + value[HKM_COUNT_REMOTE_NOTIFY]
            - atomics;
  CHECK (freed > ROUNDS / 2);
  CHECKF (atomics * 5 <= freed, "%llu atomics for %llu blocks",
          (unsigned long long) atomics, (unsigned long long) freed);
  batch rest = { block, UNDER_WAY, 0 };
  act (&pusher, job_free, &rest);
  act (&pusher, job_free_one, first);
  end ();
}

/* The next thread that has the table finds it empty, and one without a heap
   finds none.  */
static void
job_leave (void *unused UNUSED)
{
  hkm_heap *heap = hkm_heap_mine ();
  hkm_thread_front = (hkm_front *) &hkm_front_dead;
  hkm_heap_leave (heap);
  job_out (NULL);
  CHECK (out == NULL);
  out = heap->outbound;
}

TEST (who_leaves_leaves_nothing)
{
  uint64_t random = rng_seed (4);
  begin ();
  allocate (500, &random);
  batch some = { block, 400, 0 };
  act (&pusher, job_free, &some);
  act (&pusher, job_out, NULL);
  CHECK (out != NULL && gathered () > 0);
  act (&pusher, job_leave, NULL);
  CHECK (out != NULL && gathered () == 0 && out->room == HKM_OUTBOUND_BYTES);
  batch rest = { block + 400, 100, 0 };
  act (&pusher, job_free, &rest);
  CHECK (gathered () == 0);
  end ();
}

int
main (void)
{
  free (malloc (1));
  RUN (what_waits_is_bounded);
  RUN (no_last_block_waits);
  RUN (few_atomics);
  RUN (who_leaves_leaves_nothing);
  return check_done ();
}
