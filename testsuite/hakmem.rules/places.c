/* Where memory comes from and how it is treated, seen from outside: superslabs
   of their own for C6 and C7, no huge pages, fresh memory that is not written,
   growth that copies nothing.

   places prewarm    superslabs mapped ahead by HAKMEM_TINY_PREWARM=3
   places trim       what malloc_trim leaves; HAKMEM_RETAIN=1G keeps much
   places shared     without superslabs of their own  */
#include "outside.h"
#include "smaps.h"

static uintptr_t
superslab_of (const void *p)
{
  return (uintptr_t) p >> 21;
}

enum { PER_SIZE = 700 };
static const size_t sizes[] = { 16, 100, 256, 500, 600, 1000, 1024, 1025, 1500,
                                2048, 2049, 3000, 9000, 32768 };
enum { SIZES = sizeof sizes / sizeof *sizes };
static void *block[SIZES][PER_SIZE];

static int
domain_of (size_t size)
{
  return size > 512 && size <= 1024 ? 6 : size > 1024 && size <= 2048 ? 7 : 0;
}

/* How many pairs of blocks of different domains share a superslab.  */
static long
mixed_superslabs (void)
{
  long mixed = 0;
  for (int i = 0; i < PER_SIZE; i++) /* interleaved: neighbours in time */
    for (int s = 0; s < SIZES; s++)
      block[s][i] = malloc (sizes[s]);
  for (int s = 0; s < SIZES; s++)
    for (int t = 0; t < s; t++)
      if (domain_of (sizes[s]) != domain_of (sizes[t]))
        for (int i = 0; i < PER_SIZE; i++)
          for (int k = 0; k < PER_SIZE; k++)
            mixed += superslab_of (block[s][i]) == superslab_of (block[t][k]);
  for (int s = 0; s < SIZES; s++)
    for (int i = 0; i < PER_SIZE; i++)
      free (block[s][i]);
  return mixed;
}

TEST (c6_and_c7_share_superslabs_with_nobody)
{
  long mixed = mixed_superslabs ();
  if (RULES_ULTRA)
    CHECKF (mixed == 0, "%ld pairs share a superslab", mixed);
  else
    CHECKF (mixed > 0, "built without ULTRA, yet nothing is shared");
}

/* With the part switched off they do: the test above is none if it can't
   fail.  */
TEST (without_ultra_they_share)
{
  CHECK (mixed_superslabs () > 0);
}

/* 1024-byte requests cost 1024 bytes: the nearest of many are that far apart.  */
TEST (a_1024_byte_block_has_no_header)
{
  enum { MANY = 300 }; /* more than a slab's free blocks from before */
  char *block[MANY];
  ptrdiff_t nearest = PTRDIFF_MAX;
  for (int i = 0; i < MANY; i++)
    {
      CHECK ((block[i] = malloc (1024)) != NULL);
      CHECK (malloc_usable_size (block[i]) == 1024);
      for (int k = 0; k < i; k++)
        {
          ptrdiff_t apart = block[i] > block[k] ? block[i] - block[k]
                                                : block[k] - block[i];
          nearest = apart < nearest ? apart : nearest;
        }
    }
  CHECKF (nearest == 1024, "%td bytes apart", nearest);
  for (int i = 0; i < MANY; i++)
    free (block[i]);
}

/* ---- huge pages ---- */

TEST (superslabs_are_not_huge)
{
  void *probe = mmap (NULL, 2 * MIB, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (madvise (probe, 2 * MIB, MADV_NOHUGEPAGE) != 0
      || strstr (smaps (probe, "VmFlags:"), " nh") == NULL)
    SKIP ("the kernel knows no huge pages, or does not say");
  static const size_t probes[] = { 1, 100, 1024, 2000, 5000, 32768, 100000,
                                   1000000 };
  for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
    {
      void *p = malloc (probes[i]);
      const char *flags = smaps (p, "VmFlags:");
      CHECKF (strstr (flags, " nh") != NULL, "a block of %zu: VmFlags%s",
              probes[i], flags);
      free (p);
    }
  munmap (probe, 2 * MIB);
}

/* ---- fresh memory ---- */

/* 64 MiB of calloc'ed blocks that nobody touches.  A block of less than a page
   may share one with its neighbours' free-list words.  */
TEST (calloc_does_not_write_fresh_memory)
{
  static const size_t each[] = { 16384, 32768, 65536, 262144, 2 * MIB,
                                 16 * MIB, 64 * MIB };
  for (size_t s = 0; s < sizeof each / sizeof *each; s++)
    {
      enum { TOTAL = 64 * MIB };
      static void *p[TOTAL / 16384];
      size_t n = TOTAL / each[s], page = 4096;
      malloc_trim (0);
      memset (p, 0, sizeof p);
      ptrdiff_t before = (ptrdiff_t) resident_bytes ();
      for (size_t i = 0; i < n; i++)
        CHECK ((p[i] = calloc (1, each[s])) != NULL);
      ptrdiff_t more = (ptrdiff_t) resident_bytes () - before;
      /* A page each for two words, and what carving and the map cost.  */
      ptrdiff_t allowed = (ptrdiff_t) (n * 2 * page) + 2 * MIB;
      CHECKF (more <= allowed, "%zu blocks of %zu: %td became resident",
              n, each[s], more);
      for (size_t i = 0; i < n; i++)
        free (p[i]);
    }
}

/* ---- growth ---- */

static void
touch (char *p, size_t from, size_t to)
{
  for (size_t at = from; at < to; at += 4096)
    p[at] = 1;
}

/* Copying would fault in new pages: with the block's own resident already, the
   minor faults of growing tell.  */
static long
minor_faults (void)
{
  static char text[1024];
  long faults = -1;
  int fd = open ("/proc/self/stat", O_RDONLY);
  ssize_t n = read (fd, text, sizeof text - 1);
  close (fd);
  if (n > 0)
    {
      text[n] = 0;
      char *at = strrchr (text, ')');
      if (at == NULL || sscanf (at, ") %*c %*d %*d %*d %*d %*d %*u %ld",
                                &faults) != 1)
        faults = -1;
    }
  return faults;
}

TEST (big_growth_moves_no_bytes)
{
  size_t size = 16 * MIB;
  malloc_trim (0); /* or it may grow into what is cached behind it */
  char *p = malloc (size);
  touch (p, 0, size);
  uint64_t remaps = number ("mremap_calls");
  long before = minor_faults ();
  for (int i = 0; i < 10; i++)
    {
      /* Something in the way, so that it can't always stay.  */
      void *wall = mmap (p + size, 4096, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS
                             | MAP_FIXED_NOREPLACE, -1, 0);
      char *q = realloc (p, size + MIB);
      if (!CHECK (q != NULL))
        return;
      CHECK (q[0] == 1 && q[16 * MIB - 4096] == 1);
      p = q;
      size += MIB;
      if (wall != MAP_FAILED)
        munmap (wall, 4096);
    }
  long faults = minor_faults () - before;
  CHECK (number ("mremap_calls") >= remaps + 10);
  CHECKF (faults < 16 * MIB / 4096 / 4, "%ld page faults in growing by 10 "
          "times 1 MiB without a touch", faults);
  free (p);
}

TEST (runs_grow_in_place)
{
  uint64_t before = counts () ? number ("RUN_INPLACE") : 0;
  malloc_trim (0);
  char *p = malloc (100000);
  int stayed = 0;
  for (int i = 1; i <= 12; i++)
    {
      size_t size = 100000 + (size_t) i * 65536;
      char *q = realloc (p, size);
      if (!CHECK (q != NULL))
        return;
      stayed += q == p;
      p = q;
    }
  CHECKF (stayed >= 11, "stayed %d times of 12", stayed);
  for (int i = 12; i > 1; i--)
    CHECK (realloc (p, 40000 + (size_t) i * 65536) == p);
  if (counts ())
    CHECKF (number ("RUN_INPLACE") - before >= 20, "RUN_INPLACE says %llu",
            (unsigned long long) (number ("RUN_INPLACE") - before));
  free (p);
}

/* ---- given back ---- */

/* Every free slot between those in use, kept by the budget (HAKMEM_RETAIN=1G) and
   purged one by one (HAKMEM_BATCH_MADVISE=0) as well as together.  */
TEST (trim_gives_back_all)
{
  enum { BLOCKS = 2000, SIZE = 40000, STAYS = 16 };
  static char *p[BLOCKS];
  malloc_trim (0);
  size_t before = resident_bytes ();
  for (int i = 0; i < BLOCKS; i++)
    {
      CHECK ((p[i] = malloc (SIZE)) != NULL);
      memset (p[i], 1, SIZE);
    }
  for (int i = 0; i < BLOCKS; i++)
    if (i % STAYS != 0)
      free (p[i]);
  CHECK (resident_bytes () > before + (size_t) BLOCKS * SIZE / 2);
  malloc_trim (0);
  size_t more = resident_bytes () - before;
  CHECKF (more <= BLOCKS / STAYS * 65536 + 2 * MIB, "%zu more than before", more);
  for (int i = 0; i < BLOCKS; i += STAYS)
    free (p[i]);
}

/* ---- mapped ahead ---- */

TEST (prewarm)
{
  NEED_LRU ();
  free (malloc (1));
  uint64_t mapped = number ("superslabs");
  CHECKF (mapped >= 3, "%llu superslabs", (unsigned long long) mapped);
  if (!counts ())
    return;
  /* Three superslabs' worth of blocks maps none further, as long as those kept
     are not given back.  */
  uint64_t maps = number ("SS_MAP");
  void *p[5];
  for (int i = 0; i < 5; i++)
    p[i] = malloc (MIB); /* two fit into one that has nothing else */
  CHECKF (number ("SS_MAP") <= maps + 1, "%llu superslabs mapped",
          (unsigned long long) (number ("SS_MAP") - maps));
  CHECKF (number ("SS_LRU_HIT") >= 2, "%llu taken of those mapped ahead",
          (unsigned long long) number ("SS_LRU_HIT"));
  for (int i = 0; i < 5; i++)
    free (p[i]);
}

int
main (int argc, char **argv)
{
  find_stats ();
  if (argc > 1 && strcmp (argv[1], "prewarm") == 0)
    RUN (prewarm);
  else if (argc > 1 && strcmp (argv[1], "trim") == 0)
    RUN (trim_gives_back_all);
  else if (argc > 1)
    RUN (without_ultra_they_share);
  else
    {
      RUN (c6_and_c7_share_superslabs_with_nobody);
      RUN (a_1024_byte_block_has_no_header);
      RUN (superslabs_are_not_huge);
      RUN (calloc_does_not_write_fresh_memory);
      RUN (big_growth_moves_no_bytes);
      RUN (runs_grow_in_place);
    }
  return check_done ();
}
