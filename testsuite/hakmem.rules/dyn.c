/* Dynamic classes from inside: a class changes its size when its last slab is
   gone, wherever that was, and not before; who has looked up a class that is
   another one by now gets a block that is long enough all the same.  */
#include "inside.h"
#include "opts/opts.h"
#include "superslab/retain.h"
#include "policy/dyn.h"

#ifdef HKM_WITH_DYN_CLASSES

enum { OLD = 8240, NEXT = 9008, N = 200 };
/* What either gets from the static classes.  */
#define STATIC ((size_t) hkm_class[hkm_size_to_static_class (OLD)].size)
enum { CLS = HKM_CLASS_DYN };

static actor other;
static void *block[N];
static batch olds = { block, N, OLD };

static void
want (uint32_t size)
{
  hkm_policy p = policy_now ();
  p.dyn[0] = size;
  CHECK (hkm_policy_publish (&p));
}

static uint32_t
slabs (void)
{
  return hkm_load_acquire (&hkm_dyn_word[0]) / HKM_DYN_SLAB;
}

/* What a request of SIZE gets.  */
static size_t
gets (size_t size)
{
  void *p = malloc (size);
  size_t usable = malloc_usable_size (p);
  memset (p, 1, usable);
  free (p);
  return usable;
}

/* The class has OLD, and nothing of it is in use.  */
static void
begin (void)
{
  want (0);
  hkm_heap_trim ();
  CHECK (slabs () == 0 && hkm_class[CLS].size == 0);
  want (OLD);
  CHECK (hkm_class[CLS].size == OLD && !hkm_dyn_is_closed (CLS));
  CHECK (gets (OLD) == OLD && gets (OLD - 15) == OLD && gets (8193) == OLD
         && gets (8192) == 8192 && gets (OLD + 1) == STATIC);
  hkm_heap_trim (); /* only the test's own blocks hold it from here on */
}

/* It waits for a live block of OLD.  */
static void
expect_waiting (void)
{
  CHECK (slabs () > 0 && hkm_class[CLS].size == OLD);
  CHECK (hkm_dyn_is_closed (CLS));
  CHECK (gets (OLD) == STATIC && gets (NEXT) == STATIC);
}

/* Blocks of the new size don't overlap, in slots that held the old ones too.  */
static void
expect_apart (size_t size)
{
  static char *p[N];
  for (int i = 0; i < N; i++)
    memset (p[i] = malloc (size), i, size);
  for (int i = 0; i < N; i++)
    for (size_t k = 0; k < size; k++)
      if (!CHECKF (p[i][k] == (char) i, "byte %zu of a block is another's", k))
        return;
  for (int i = 0; i < N; i++)
    free (p[i]);
}

static void
expect_changed (void)
{
  CHECKF (slabs () <= 1 && hkm_class[CLS].size == NEXT,
          "%u slabs, blocks of %u", slabs (), hkm_class[CLS].size);
  CHECK (!hkm_dyn_is_closed (CLS));
  CHECK (gets (NEXT) == NEXT && gets (NEXT + 1) == STATIC
         && gets (OLD) == NEXT);
  expect_apart (NEXT);
}

TEST (waits_for_live_blocks)
{
  begin ();
  job_malloc (&olds);
  CHECK (malloc_usable_size (block[0]) == OLD);
  want (NEXT);
  expect_waiting ();
  for (int i = 1; i < N; i++)
    free (block[i]);
  collect_mine ();
  expect_waiting ();
  CHECK (slabs () == 1 && malloc_usable_size (block[0]) == OLD);
  void *p = realloc (block[0], OLD - 100);
  CHECK (p == block[0]);
  free (p);
  expect_changed ();
}

/* While a class is closed, frees alone bring all of it home: no block waits in a
   slot, though those freed before were wanted again.  */
TEST (frees_alone_suffice)
{
  begin ();
  job_malloc (&olds);
  job_free (&olds);
  for (int i = 0; i < N; i++)
    {
      block[i] = malloc (OLD);
      if (i >= 3)
        free (block[i]);
    }
  hkm_heap_mine ()->bin[CLS].fetched = true;
  want (NEXT);
  hkm_heap_observe_all ();
  expect_waiting ();
  for (int i = 0; i < 3; i++)
    free (block[i]);
  expect_changed ();
}

/* Wanted back before the last block is gone: it never changes.  */
TEST (may_change_its_mind)
{
  begin ();
  job_malloc (&olds);
  want (NEXT);
  expect_waiting ();
  want (OLD);
  CHECK (!hkm_dyn_is_closed (CLS) && gets (OLD) == OLD);
  job_free (&olds);
  CHECK (gets (OLD) == OLD);
}

/* Cold calls of the other thread, which ends, bring the change about.  */
static void
end_with_cold_calls (void)
{
  void *p[50];
  batch cold = { p, 50, 700 };
  act (&other, job_malloc, &cold);
  expect_changed ();
  act (&other, job_free, &cold);
  actor_end (&other);
}

/* What a heap holds of the class without a live block, in its slot, as its
   current slab or warm, goes with its next cold call.  */
TEST (idle_blocks_go)
{
  begin ();
  actor_start (&other);
  act (&other, job_malloc, &olds);
  act (&other, job_free, &olds);
  CHECK (slabs () > 0);
  want (NEXT);
  expect_waiting ();
  act (&other, job_collect, NULL); /* looks at no policy */
  expect_waiting ();
  end_with_cold_calls ();
}

/* A parked heap's idle blocks: nobody may come by.  */
TEST (parked_heaps_are_looked_at)
{
  begin ();
  actor_start (&other);
  act (&other, job_malloc, &olds);
  act (&other, job_free, &olds);
  /* Else its heap would be stripped as it ends.  */
  hkm_retain_init ((size_t) 64 << 20);
  actor_end (&other);
  CHECK (slabs () > 0);
  want (NEXT);
  hkm_heap_observe_all ();
  expect_changed ();
  hkm_retain_init (hkm_opt (HKM_OPT_RETAIN));
}

/* A parked heap's live blocks, freed by another thread.  */
TEST (parked_heaps_live_blocks)
{
  begin ();
  actor_start (&other);
  act (&other, job_malloc, &olds);
  actor_end (&other);
  want (NEXT);
  hkm_heap_observe_all ();
  expect_waiting ();
  job_free (&olds);
  hkm_heap_observe_all (); /* sends what is gathered here */
  expect_changed ();
}

/* The policy falls between a free's countdown and the cold call it leads to: the
   slab may be gone when that looks at it.  */
TEST (published_before_a_heartbeat)
{
  begin ();
  void *p = malloc (OLD);
  hkm_heap *heap = hkm_heap_mine ();
  heap->front.slot[CLS].room = 1;
  want (NEXT);
  free (p);
  expect_changed ();
}

/* ---- looked up, and then the class is another ---- */

static void *
take_stale (void)
{
  bool zeroed;
  void *p = hkm_heap_take (hkm_heap_mine (), OLD, CLS, &zeroed);
  CHECK (p != NULL && malloc_usable_size (p) == STATIC);
  return p;
}

TEST (stale_class_is_closed)
{
  begin ();
  job_malloc (&olds);
  want (NEXT);
  for (int i = 1; i < N; i++)
    free (block[i]);
  void *p = take_stale ();
  CHECK (slabs () == 1);
  free (p);
  free (block[0]);
  expect_changed ();
}

TEST (stale_class_is_shorter)
{
  begin ();
  want (5008);
  hkm_heap_observe_all ();
  CHECK (hkm_class[CLS].size == 5008);
  free (take_stale ());
  CHECK (gets (5008) == 5008); /* the slot's blocks are still good */
  void *p = take_stale ();
  CHECK (gets (5008) == 5008);
  free (p);
}

TEST (stale_class_is_off)
{
  begin ();
  want (0);
  hkm_heap_observe_all ();
  CHECK (hkm_class[CLS].size == 0 && slabs () == 0);
  free (take_stale ());
}

/* ---- what else depends on a class ---- */

TEST (alignment)
{
  begin ();
  job_malloc (&olds); /* then blocks of the class are at hand */
  job_free (&olds);
  for (size_t align = 32; align <= 4096; align *= 2)
    for (size_t size = 8160; size <= OLD; size += 16)
      {
        void *p[2]; /* of two neighbours one is at an odd multiple of 16 */
        for (int i = 0; i < 2; i++)
          {
            p[i] = memalign (align, size);
            CHECKF (p[i] != NULL && (uintptr_t) p[i] % align == 0,
                    "%zu at %zu: %p", size, align, p[i]);
          }
        free (p[0]);
        free (p[1]);
      }
}

TEST (refused)
{
  static const uint32_t bad[] = { 16, 2048, 2063, 8192, 8241, 32768, 40000 };
  begin ();
  hkm_policy p = policy_now (), q = p;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    {
      q.dyn[0] = bad[i];
      CHECKF (!hkm_policy_publish (&q), "%u", bad[i]);
    }
  q.dyn[0] = q.dyn[1] = OLD;
  CHECK (!hkm_policy_publish (&q));
  q = p;
  q.cls[CLS].cap = (uint16_t) (hkm_policy_cap_max (&q, CLS) + 1);
  CHECK (!hkm_policy_publish (&q));
  CHECK (gets (OLD) == OLD && policy_now ().dyn[0] == OLD);
}

/* In the child nobody can take the other thread's heap along: it is parked.  */
TEST (fork_with_live_blocks)
{
  begin ();
  actor_start (&other);
  act (&other, job_malloc, &olds);
  want (NEXT);
  pid_t child = fork ();
  if (child == 0)
    {
      expect_waiting ();
      job_free (&olds);
      hkm_heap_observe_all ();
      expect_changed ();
      _exit (check_failures != 0);
    }
  int status = -1;
  CHECK (waitpid (child, &status, 0) == child && status == 0);
  expect_waiting ();
  act (&other, job_free, &olds);
  end_with_cold_calls ();
}

/* Nothing of the tables can be written meanwhile: they are sealed again.  */
TEST (tables_are_sealed)
{
  begin ();
  pid_t child = fork ();
  if (child == 0)
    {
      hkm_slot_of[600] = 0;
      _exit (0);
    }
  int status = 0;
  CHECK (waitpid (child, &status, 0) == child);
  if (!WIFSIGNALED (status))
    SKIP ("this program's linker seals nothing");
  CHECK (WTERMSIG (status) == SIGSEGV);
}

#endif

int
main (void)
{
  free (malloc (1));
#ifdef HKM_WITH_DYN_CLASSES
  RUN (waits_for_live_blocks);
  RUN (frees_alone_suffice);
  RUN (may_change_its_mind);
  RUN (idle_blocks_go);
  RUN (parked_heaps_are_looked_at);
  RUN (parked_heaps_live_blocks);
  RUN (published_before_a_heartbeat);
  RUN (stale_class_is_closed);
  RUN (stale_class_is_shorter);
  RUN (stale_class_is_off);
  RUN (alignment);
  RUN (refused);
  RUN (fork_with_live_blocks);
  RUN (tables_are_sealed);
#else
  puts ("skip dyn: built without dynamic classes");
#endif
  return check_done ();
}
