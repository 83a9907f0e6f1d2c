/* Every call of the OS may fail.  A run of mixed work makes N system calls about
   memory; it is made again N times, each in a process of its own, with the n-th
   call refused (ENOMEM or EINVAL), and with every call from the n-th on refused.
   A request that can't be met gives NULL and ENOMEM; no block is lost or
   changed; errno is kept by what succeeds; afterwards everything can be had
   again, and when all is freed and trimmed nothing is left: the accounts agree
   with what the kernel says is mapped.

   The calls are refused where the library makes them, so its own syscall() is
   the one below.  */
#include "inside.h"
#include "big/big.h"
#include "blocks.h"

#include <fcntl.h>

#include "own_syscall.h"

/* ---- the OS ---- */

static int calls;              /* about memory, since the run began */
static int first_bad, last_bad; /* of them, these are refused */
static int bad_errno;

static bool
about_memory (long number)
{
  return number == SYS_MMAP || number == SYS_munmap || number == SYS_mremap
         || number == SYS_madvise;
}

static long
own_syscall (long number, long a[6])
{
  if (about_memory (number))
    {
      int now = ++calls;
      if (now >= first_bad && now <= last_bad)
        {
          /* As the kernel does it: the target of a move goes first.  */
          if (number == SYS_mremap && (a[3] & 2) != 0)
            munmap ((void *) a[4], (size_t) a[2]);
          errno = bad_errno;
          return -1;
        }
    }
  return next_syscall (number, a);
}

/* Bytes of address space, by the kernel.  */
static size_t
mapped_now (void)
{
  char text[64];
  int fd = open ("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t n = read (fd, text, sizeof text - 1);
  close (fd);
  text[n > 0 ? n : 0] = '\0';
  return strtoul (text, NULL, 10) * (size_t) sysconf (_SC_PAGESIZE);
}

/* ---- the work ---- */

enum { SLOTS = 50, STEPS = 110 };
static struct { unsigned char *p; size_t size; uint64_t seed; } slot[SLOTS];
static long refused;

static void
slot_free (unsigned i)
{
  if (slot[i].p != NULL)
    CHECK (block_good (slot[i].p, slot[i].size, slot[i].seed));
  errno = 4711;
  free (slot[i].p);
  CHECK (errno == 4711);
  slot[i].p = NULL;
}

static size_t
draw (uint64_t *rng)
{
  uint64_t r = rng_next (rng), bits = r >> 32;
  switch (r % 16)
    {
    case 0: return ((size_t) 2 << 20) + bits % ((size_t) 1 << 20);
    case 1: case 2: return ((size_t) 32 << 10) + bits % (300 << 10);
    case 3: case 4: case 5: case 6: return 2049 + bits % (30 << 10);
    default: return 1 + bits % 2048;
    }
}

/* What a call for SIZE bytes gave goes into slot I.  */
static void
slot_set (unsigned i, void *p, size_t size, uint64_t seed)
{
  if (p == NULL)
    {
      CHECKF (errno == ENOMEM, "errno %d", errno);
      refused++;
      return;
    }
  CHECKF (errno == 4711, "errno %d after success", errno);
  slot[i].p = p;
  slot[i].size = size;
  slot[i].seed = seed;
  block_fill (p, size, seed);
}

static void
slot_resize (unsigned i, size_t size, uint64_t seed)
{
  size_t was = slot[i].size;
  uintptr_t at = (uintptr_t) slot[i].p;
  void *q = realloc (slot[i].p, size);
  if (q != NULL)
    CHECK (block_kept (q, was < size ? was : size, was, at, slot[i].seed));
  slot_set (i, q, size, seed); /* none: the block is as it was */
}

static void
job_some (void *arg)
{
  uint64_t rng = rng_seed (*(int *) arg);
  for (int k = 0; k < STEPS; k++)
    {
      uint64_t r = rng_next (&rng);
      unsigned i = r % SLOTS;
      size_t size = draw (&rng);
      errno = 4711;
      if (slot[i].p != NULL && r >> 20 & 1)
        slot_resize (i, size, r);
      else if (slot[i].p != NULL)
        slot_free (i);
      else if ((r >> 24) % 8 == 0)
        {
          void *p = calloc (1, size);
          CHECK (p == NULL || block_zero (p, size));
          slot_set (i, p, size, r);
        }
      else if ((r >> 24) % 8 == 1)
        slot_set (i, memalign ((size_t) 64 << (r >> 30) % 12, size), size, r);
      else
        slot_set (i, malloc (size), size, r);
      if (k % 60 == 59)
        malloc_trim (0);
    }
}

static void
job_free_all (void *unused UNUSED)
{
  for (unsigned i = 0; i < SLOTS; i++)
    slot_free (i);
}

/* What is left when nothing is in use, in all rooms.  */
static void
check_rest (size_t mapped_before, size_t ours_before)
{
  hkm_superslab_facts slabs;
  hkm_counts counts = { { 0 } };
  hkm_big_facts big = { 0 };
  malloc_trim (0);
  hkm_superslab_facts_get (&slabs, &counts);
  hkm_big_facts_get (&big, &counts);
  CHECKF (slabs.superslabs == 0 && slabs.lru == 0, "%d superslabs, %d kept",
          (int) slabs.superslabs, (int) slabs.lru);
  uint64_t runs, slots;
  hkm_run_pool_live (&runs, &slots);
  CHECKF (runs == 0 && slots == 0 && slabs.empty_bytes == 0, "%d runs",
          (int) runs);
  CHECKF (big.count == 0 && big.bytes == 0 && big.cached_bytes == 0
            && big.idle_bytes == 0, "%d big blocks, %d KiB cached",
          (int) big.count, (int) (big.cached_bytes / 1024));
  CHECKF (hkm_retain_idle () == 0, "%zu bytes idle", hkm_retain_idle ());
  CHECKF (hkm_retain_live_bytes () == 0, "%zu bytes live",
          hkm_retain_live_bytes ());
  size_t mapped = mapped_now () - mapped_before;
  size_t ours = hkm_os_mapped () - ours_before;
  CHECKF (mapped == ours, "%zu bytes more are mapped, %zu say we", mapped,
          ours);
}

/* In two threads by turns, so that frees are remote ones, too.  */
static void
work (int bad_from, int bad_to, int error)
{
  static int seeds[] = { 1, 2, 3 };
  actor other;
  bad_errno = error;
  free (malloc (1));
  actor_start (&other);
  act (&other, job_free_one, NULL);
  size_t mapped_before = mapped_now (), ours_before = hkm_os_mapped ();
  calls = 0;
  first_bad = bad_from;
  last_bad = bad_to;
  job_some (&seeds[0]);
  act (&other, job_some, &seeds[1]);
  job_some (&seeds[2]);
  act (&other, job_free_all, NULL);
  collect_mine ();
  int made = calls;
  first_bad = last_bad = 0;
  if (bad_to > bad_from) /* and with the OS well again, so is everything */
    {
      long before = refused;
      act (&other, job_some, &seeds[1]);
      job_some (&seeds[0]);
      act (&other, job_free_all, NULL);
      CHECKF (refused == before, "%ld requests refused afterwards",
              refused - before);
    }
  calls = made;
  actor_end (&other);
  collect_mine ();
  check_rest (mapped_before, ours_before);
}

/* ---- processes ---- */

/* What a child tells.  */
static struct { int calls; long refused; char why[sizeof check_why]; } *told;

static bool
child (int bad_from, int bad_to, int error)
{
  memset (told, 0, sizeof *told);
  pid_t pid = fork ();
  if (pid == 0)
    {
      work (bad_from, bad_to, error);
      told->calls = calls;
      told->refused = refused;
      memcpy (told->why, check_why, sizeof check_why);
      _exit (check_failures != 0);
    }
  int status;
  waitpid (pid, &status, 0);
  if (status != 0)
    CHECKF (false, "calls %d to %d, errno %d: status %#x, %s", bad_from, bad_to,
            error, status, told->why);
  return status == 0;
}

static int clean_calls;

TEST (no_call_fails)
{
  CHECK (child (0, 0, 0));
  clean_calls = told->calls;
  CHECKF (told->refused == 0, "%ld requests refused", told->refused);
  CHECKF (clean_calls > 60, "only %d calls", clean_calls);
  printf ("os_faults: %d system calls\n", clean_calls);
}

static void
one_by_one (int error)
{
  for (int n = 1; n <= clean_calls; n++)
    if (!child (n, n, error))
      break;
}

TEST (one_call_fails_with_ENOMEM) { one_by_one (ENOMEM); }
TEST (one_call_fails_with_EINVAL) { one_by_one (EINVAL); }

TEST (all_calls_fail_from_one_on)
{
  long most = 0;
  for (int n = 1; n <= clean_calls; n++)
    {
      if (!child (n, INT32_MAX, ENOMEM))
        break;
      most = told->refused > most ? told->refused : most;
    }
  CHECKF (most > 50, "at most %ld requests refused", most);
}

int
main (void)
{
  told = mmap (NULL, sizeof *told, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (told == MAP_FAILED)
    return 77;
  RUN (no_call_fails);
  RUN (one_call_fails_with_ENOMEM);
  RUN (one_call_fails_with_EINVAL);
  RUN (all_calls_fail_from_one_on);
  return check_done ();
}
