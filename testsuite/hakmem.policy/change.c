/* What a policy does that is loaded while the process runs: in the thread that
   loads it, in others, and in a forked child.

   change [DIRECTORY]        files go to a new directory in it  */
#include "policy.h"

static bool
no_counters (void)
{
  uint64_t value;
  return stats_get ("REFILL", &value) == ENOTSUP;
}

enum { GIFTS = 512 };
static void *gift[GIFTS];
static pthread_barrier_t step;

/* Lives through a change of the policy, and frees others' blocks before and
   after it.  */
static void *
friend (void *arg)
{
  for (int round = 0; round < 2; round++)
    {
      pthread_barrier_wait (&step);
      for (int i = 0; i < 40; i++) /* a refill at least */
        free (malloc (32000));
      for (int i = 0; i < GIFTS; i++)
        free (gift[i]);
      pthread_barrier_wait (&step);
    }
  return arg;
}

TEST (remote_threshold_acts_in_a_running_thread)
{
  static text one;
  pthread_t thread;
  uint64_t pushes[2];
  if (no_counters ())
    SKIP ("built without statistics");
  pthread_barrier_init (&step, NULL, 2);
  if (pthread_create (&thread, NULL, friend, NULL) != 0)
    abort ();
  for (int round = 0; round < 2; round++)
    {
      if (round == 1)
        {
          one = first;
          set_all_remotes (&one, 1);
          CHECK (load (&one) == 0);
        }
      for (int i = 0; i < GIFTS; i++)
        gift[i] = malloc (64);
      pushes[round] = counter ("REMOTE_PUSH");
      pthread_barrier_wait (&step);
      pthread_barrier_wait (&step);
      pushes[round] = counter ("REMOTE_PUSH") - pushes[round];
    }
  pthread_join (thread, NULL);
  CHECKF (pushes[0] < GIFTS / 8, "%llu pushes at first",
          (unsigned long long) pushes[0]);
  CHECKF (pushes[1] > GIFTS / 2, "%llu pushes one by one",
          (unsigned long long) pushes[1]);
  back_to_first ();
}

TEST (warm_cap_gives_up_what_is_kept)
{
  enum { N = 12000, SIZE = 80 };
  static void *p[N];
  static text t;
  if (no_counters ())
    SKIP ("built without statistics");
  t = first;
  set_number (&t, "TINY_WARM_CAP = ", 64);
  CHECK (load (&t) == 0);
  free (malloc (32000)); /* a refill, or the next free is one */
  uint64_t before = counter ("SLAB_RELEASED");
  for (int i = 0; i < N; i++)
    p[i] = malloc (SIZE);
  for (int i = 0; i < N; i++)
    free (p[i]);
  uint64_t kept = counter ("SLAB_RELEASED");
  CHECKF (kept - before < 4, "%llu slabs released",
          (unsigned long long) (kept - before));
  set_number (&t, "TINY_WARM_CAP = ", 0);
  CHECK (load (&t) == 0);
  for (int i = 0; i < 200; i++)
    p[i] = malloc (700);
  uint64_t after = counter ("SLAB_RELEASED");
  CHECKF (after - kept > 6, "%llu slabs released then",
          (unsigned long long) (after - kept));
  for (int i = 0; i < 200; i++)
    free (p[i]);
  back_to_first ();
}

TEST (large_cap_acts_without_any_refill)
{
  static text t;
  uint64_t hits[3];
  if (no_counters ())
    SKIP ("built without statistics");
  for (int round = 0; round < 3; round++)
    {
      t = first;
      set_number (&t, "CAP_LARGE = ", round == 1 ? 0 : 8);
      CHECK (load (&t) == 0);
      hits[round] = counter ("RUN_CACHE_HIT");
      for (int i = 0; i < 20; i++)
        free (malloc (200000));
      hits[round] = counter ("RUN_CACHE_HIT") - hits[round];
    }
  CHECKF (hits[0] >= 19 && hits[1] == 0 && hits[2] >= 19,
          "%llu, %llu, %llu hits", (unsigned long long) hits[0],
          (unsigned long long) hits[1], (unsigned long long) hits[2]);
  back_to_first ();
}

TEST (lru_cap_acts)
{
  enum { N = 40 };
  static void *p[N];
  static text t;
  uint64_t left[2];
  for (int round = 0; round < 2; round++)
    {
      t = first;
      set_number (&t, "CAP_LARGE = ", 0);
      set_number (&t, "SS_LRU = ", round == 0 ? 128 : 0);
      CHECK (load (&t) == 0);
      if (round == 0 && !is_in_force (&t))
        {
          back_to_first ();
          SKIP ("built without the superslab LRU");
        }
      for (int i = 0; i < N; i++)
        p[i] = malloc (1 << 20);
      for (int i = 0; i < N; i++)
        free (p[i]);
      left[round] = counter ("superslabs_lru");
    }
  CHECKF (left[0] > 5 && left[1] == 0, "%llu and %llu superslabs kept",
          (unsigned long long) left[0], (unsigned long long) left[1]);
  back_to_first ();
}

/* ---- change under load ---- */

enum { WORKERS = 4, PLACES = 256 };
static void *place[PLACES]; /* exchanged between all workers */
static bool stop;           /* atomic */
static uint64_t steps;      /* of all workers; atomic */
static text policy_a, policy_b;

static void *
worker (void *arg)
{
  static const size_t sizes[] = { 16, 64, 200, 1000, 2000, 5000, 30000,
                                  100000 };
  uint64_t x = (uintptr_t) arg * 0x9e3779b97f4a7c15u + 1;
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      __atomic_fetch_add (&steps, 1, __ATOMIC_RELAXED);
      size_t size = sizes[x >> 40 & (x >> 50 & 7 ? 3 : 7)];
      char *p = malloc (size);
      if (p == NULL)
        abort ();
      p[0] = p[size - 1] = (char) (uintptr_t) p;
      *(size_t *) (p + 8) = size;
      p = __atomic_exchange_n (&place[x % PLACES], p, __ATOMIC_ACQ_REL);
      if (p == NULL)
        continue;
      size = *(size_t *) (p + 8);
      if (size > 100000 || p[0] != (char) (uintptr_t) p)
        {
          CHECKF (false, "block %p was overwritten", (void *) p);
          continue;
        }
      if (size > 16 && p[size - 1] != p[0])
        CHECKF (false, "the end of block %p was overwritten", (void *) p);
      free (p);
    }
  return NULL;
}

/* What is saved at any moment is one of the two, never a mixture.  */
static void *
watcher (void *arg)
{
  static text t;
  unsigned *seen = arg;
  while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
    {
      if (policy_save (in_dir ("watched")) != 0)
        abort ();
      get (in_dir ("watched"), &t);
      forget_earned (&t);
      if (same (&t, &policy_a))
        seen[0]++;
      else if (same (&t, &policy_b))
        seen[1]++;
      else
        CHECKF (false, "a mixture of policies was saved");
    }
  return NULL;
}

static void
child_loads (void)
{
#if !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__
  pid_t child = fork ();
  int status = -1;
  if (child == 0)
    {
      for (int i = 0; i < 500; i++)
        free (malloc ((size_t) i * 37 % 5000 + 1));
      int error = policy_load (in_dir ("b"));
      for (int i = 0; i < 500; i++)
        free (malloc ((size_t) i * 37 % 5000 + 1));
      _exit (error != 0);
    }
  CHECK (child > 0 && waitpid (child, &status, 0) == child && status == 0);
#endif
}

TEST (change_while_threads_allocate)
{
  enum { LOADS = 400 };
  pthread_t thread[WORKERS], other;
  unsigned seen[2] = { 0, 0 };
  policy_a = first;
  set_all_remotes (&policy_a, 1);
  set_number (&policy_a, "TINY_DRAIN_INTERVAL = ", 256);
  set_number (&policy_a, "TINY_WARM_CAP = ", 0);
  set_number (&policy_a, "TINY_RETURN_FRACTION = ", 1);
  set_number (&policy_a, "CAP_LARGE = ", 0);
  set_number (&policy_a, "TINY_SLAB_REUSE_GUARD = ", 1);
  policy_b = first;
  set_all_remotes (&policy_b, 128);
  set_number (&policy_b, "TINY_DRAIN_INTERVAL = ", 65536);
  set_number (&policy_b, "TINY_WARM_CAP = ", 8);
  set_number (&policy_b, "TINY_RETURN_FRACTION = ", 64);
  set_number (&policy_b, "TINY_BUMP_CHUNK = ", 65536);
  put (in_dir ("a"), &policy_a);
  put (in_dir ("b"), &policy_b);
  CHECK (policy_load (in_dir ("a")) == 0);
  for (uintptr_t i = 0; i < WORKERS; i++)
    if (pthread_create (&thread[i], NULL, worker, (void *) i) != 0)
      abort ();
  if (pthread_create (&other, NULL, watcher, seen) != 0)
    abort ();
  for (int i = 0; i < LOADS; i++)
    {
      int error = policy_load (in_dir (i % 2 ? "a" : "b"));
      CHECKF (error == 0, "load %d: %d", i, error);
      free (malloc ((size_t) i + 1));
      if (i % 40 == 0)
        child_loads ();
      /* Each policy is there for a while.  */
      uint64_t start = __atomic_load_n (&steps, __ATOMIC_RELAXED);
      while (__atomic_load_n (&steps, __ATOMIC_RELAXED) - start < 1000)
        sched_yield ();
    }
  __atomic_store_n (&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < WORKERS; i++)
    pthread_join (thread[i], NULL);
  pthread_join (other, NULL);
  CHECKF (seen[0] + seen[1] > 0, "none was saved");
  for (int i = 0; i < PLACES; i++)
    free (place[i]);
  back_to_first ();
}

int
main (int argc, char **argv)
{
  if (!policy_begin (argc > 1 ? argv[1] : NULL))
    return check_done ();
  RUN (remote_threshold_acts_in_a_running_thread);
  RUN (warm_cap_gives_up_what_is_kept);
  RUN (large_cap_acts_without_any_refill);
  RUN (lru_cap_acts);
  RUN (change_while_threads_allocate);
  remove_dir ();
  return check_done ();
}
