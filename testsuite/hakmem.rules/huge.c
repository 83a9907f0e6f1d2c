/* Huge pages are asked for where HAKMEM_THP says, and nowhere else.

   huge off     none anywhere
   huge auto    big blocks from the threshold on, once the process is old and
                large; superslabs, once it had much purged in vain
   huge big     as auto, for big blocks of a process that had much purged in vain
   huge always  in every process, superslabs with them
   huge kernel  as always, in a process that the kernel gives none
   huge none    as always, on a system that has none or does not say
   huge refused as auto, on a kernel that refuses the advice

   HAKMEM_THP is set by who runs it, HAKMEM_THP_THRESHOLD is 8M.  */
#include "outside.h"
#include "smaps.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THRESHOLD = 8 * MIB };

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#endif
#define SETTING "/sys/kernel/mm/transparent_hugepage/enabled"

static bool
is_advised (const void *p)
{
  return strstr (smaps (p, "VmFlags:"), " hg") != NULL;
}

static bool
is_refused (const void *p)
{
  return strstr (smaps (p, "VmFlags:"), " nh") != NULL;
}

/* True if this kernel knows huge pages and says where.  */
static bool
kernel_says (void)
{
  void *probe = mmap (NULL, 2 * MIB, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool says = madvise (probe, 2 * MIB, MADV_HUGEPAGE) == 0
              && is_advised (probe);
  munmap (probe, 2 * MIB);
  return says;
}

/* What the kernel does by itself: "always madvise [never]"; "" where there is no
   such file, as in a chroot without /sys.  */
static const char *
kernel_setting (void)
{
  static char text[80];
  int fd = open (SETTING, O_RDONLY);
  ssize_t n = fd >= 0 ? read (fd, text, sizeof text - 1) : 0;
  if (fd >= 0)
    close (fd);
  text[n > 0 ? n : 0] = '\0';
  return text;
}

#define NEED_KERNEL()                                                         \
  do                                                                          \
    if (!kernel_says ())                                                      \
      SKIP ("the kernel knows no huge pages, or does not say");               \
  while (0)

/* For mode always, in which the library looks at the setting.  */
#define NEED_SETTING()                                                        \
  do                                                                          \
    {                                                                         \
      NEED_KERNEL ();                                                         \
      if (kernel_setting ()[0] == '\0')                                       \
        SKIP ("no %s here", SETTING);                                         \
      if (strstr (kernel_setting (), "[never]") != NULL)                      \
        SKIP ("[never] in %s", SETTING);                                      \
    }                                                                         \
  while (0)

/* 512 MiB in blocks below the threshold, and 64 MiB that stay.  */
static void *staying[16];
static void
grow_old (void)
{
  for (int i = 0; i < 16; i++)
    staying[i] = malloc (4 * MIB);
  for (int i = 0; i < 128; i++)
    free (malloc (4 * MIB));
}

static void
give_up_staying (void)
{
  for (int i = 0; i < 16; i++)
    {
      free (staying[i]);
      staying[i] = NULL;
    }
}

/* Give everything free back, and regret nothing of it.  */
static void
trim_for_good (void)
{
  malloc_trim (0);
  mallopt (M_TRIM_THRESHOLD, 8 * MIB); /* HAKMEM_RETAIN anew */
}

/* 240 MiB of mid blocks, some 64 to a superslab, that come, all written, and go.  */
enum { SUPERSLABS = 128, PER = 64, CYCLED = SUPERSLABS * PER, CYCLED_SIZE = 30000 };
static char *cycled[CYCLED];

static void
fill_cycled (void)
{
  for (int i = 0; i < CYCLED; i++)
    {
      CHECK ((cycled[i] = malloc (CYCLED_SIZE)) != NULL);
      memset (cycled[i], i | 1, CYCLED_SIZE);
    }
}

static void
drop_cycled (void)
{
  for (int i = 0; i < CYCLED; i++)
    {
      free (cycled[i]);
      cycled[i] = NULL;
    }
}

/* Of one in 512, how many are advised.  */
enum { LOOKED_AT = CYCLED / 512 };
static int
cycled_advised (void)
{
  int n = 0;
  for (int i = 0; i < CYCLED; i += 512)
    n += is_advised (cycled[i]);
  return n;
}

static void
cycle (void)
{
  for (int i = 0; i < 4; i++)
    {
      drop_cycled ();
      fill_cycled ();
    }
}

TEST (off)
{
  NEED_KERNEL ();
  grow_old ();
  cycle ();
  CHECK (cycled_advised () == 0);
  drop_cycled ();
  char *p = malloc (100 * MIB), *q = malloc (1000);
  p = realloc (p, 200 * MIB);
  CHECK (!is_advised (p) && !is_advised (q));
  CHECK (strstr (kernel_setting (), "[always]") == NULL || is_refused (p));
  CHECK (!counts () || number ("THP_MAP") == 0);
  free (p);
  free (q);
  give_up_staying ();
}

/* Not even of a block that grows to 256 MiB: where the host takes back what is
   free, a huge page costs more than the small ones in its place.  */
TEST (young_processes_have_none)
{
  NEED_KERNEL ();
  char *p = NULL;
  for (size_t mib = 8; mib <= 256; mib += 8)
    CHECK ((p = realloc (p, mib * MIB)) != NULL);
  CHECK (!is_advised (p));
  p = realloc (p, 400 * MIB);
  char *q = malloc (130 * MIB);
  CHECK (q != NULL && !is_advised (q));
  q = realloc (q, 140 * MIB);
  CHECK (is_advised (q));
  free (p);
  free (q);
}

TEST (small_processes_have_none)
{
  NEED_KERNEL ();
  for (int i = 0; i < 150; i++)
    free (malloc (5 * MIB));
  malloc_trim (0);
  char *p = malloc (20 * MIB);
  CHECK (p != NULL && !is_advised (p));
  free (p);
}

TEST (others_have_them_from_the_threshold_on)
{
  NEED_KERNEL ();
  trim_for_good ();
  grow_old ();
  char *below = malloc (THRESHOLD - 8192), *p = malloc (THRESHOLD),
       *large = malloc (1 * MIB), *small = malloc (100);
  CHECK (!is_advised (below));
  CHECK (is_advised (p));
  CHECKF ((uintptr_t) p % (2 * MIB) == 0, "at %p", (void *) p);
  CHECK (is_refused (large) && is_refused (small));
  free (below);
  free (p);
  free (large);
  free (small);
}

/* A block that grows past the threshold gets them, and no call more for it.  */
TEST (growth)
{
  NEED_KERNEL ();
  malloc_trim (0);
  char *p = malloc (5 * MIB);
  p[0] = 1;
  CHECK (!is_advised (p));
  p = realloc (p, 12 * MIB);
  CHECK (p[0] == 1 && is_advised (p));
  uint64_t calls = number ("madvise_calls");
  p = realloc (p, 60 * MIB);
  CHECK (p[0] == 1 && is_advised (p));
  CHECK (number ("madvise_calls") == calls);
  /* And again; what comes from the cache is huge already.  */
  free (p);
  calls = number ("madvise_calls") + (number ("big_cached_bytes") == 0);
  p = malloc (60 * MIB);
  CHECK (is_advised (p) && number ("madvise_calls") == calls);
  free (p);
  give_up_staying ();
}

/* What is purged and wanted again, over and over, comes back in huge pages; and what
   is free of them goes, in parts, too.  */
TEST (cycles_earn_them)
{
  NEED_KERNEL ();
  NEED_LRU ();
  trim_for_good ();
  size_t before = resident_bytes ();
  fill_cycled ();
  CHECK (cycled_advised () == 0);
  uint64_t asked = counts () ? number ("THP_MAP") : 0;
  cycle ();
  int advised = cycled_advised ();
  CHECKF (advised >= LOOKED_AT / 2, "%d of %d advised", advised, LOOKED_AT);
  CHECK (!counts () || number ("THP_MAP") >= asked + SUPERSLABS / 2);
  for (int i = 0; i < CYCLED; i++)
    if (i % PER != 0)
      free (cycled[i]);
  malloc_trim (0);
  size_t lives = SUPERSLABS * (size_t) CYCLED_SIZE, now = resident_bytes ();
  CHECKF (now <= before + 2 * lives + 12 * MIB,
          "%zu bytes more than before, %zu of them live", now - before, lives);
  advised = cycled_advised ();
  CHECKF (advised == 0, "%d still advised", advised); /* holes would be filled */
  for (int i = 0; i < CYCLED; i++)
    {
      CHECK (i % PER != 0 || cycled[i][CYCLED_SIZE - 1] == (char) (i | 1));
      if (i % PER != 0)
        cycled[i] = NULL;
    }
  drop_cycled ();
  malloc_trim (0);
  CHECKF (resident_bytes () <= before + 4 * MIB,
          "%zu bytes more than before after malloc_trim",
          resident_bytes () - before);
}

/* The same of big blocks, in a process that had less than 512 MiB of them so far; and
   they are mapped anew once.  */
TEST (big_blocks_earn_them)
{
  enum { BLOCKS = 16, AGAIN = 3 };
  static char *block[BLOCKS];
  NEED_KERNEL ();
  NEED_BIGCACHE ();
  int advised = 0;
  for (int turn = 0; turn <= AGAIN; turn++)
    {
      uint64_t calls = number ("munmap_calls") + number ("madvise_calls");
      for (int i = 0; i < BLOCKS; i++)
        CHECK ((block[i] = malloc (THRESHOLD)) != NULL);
      for (int i = 0; i < BLOCKS; i++)
        memset (block[i], 1, THRESHOLD);
      advised = 0;
      for (int i = 0; i < BLOCKS; i++)
        advised += is_advised (block[i]);
      CHECKF (turn > 0 || advised == 0, "%d advised", advised);
      for (int i = 0; i < BLOCKS; i++)
        free (block[i]);
      calls = number ("munmap_calls") + number ("madvise_calls") - calls;
      CHECKF (turn < AGAIN || calls == 0, "%llu calls in the last turn",
              (unsigned long long) calls);
    }
  CHECKF (advised >= BLOCKS / 4, "%d of %d advised", advised, BLOCKS);
  trim_for_good ();
}

/* Without the regret that earned them there are none.  */
TEST (none_without_regret)
{
  NEED_KERNEL ();
  NEED_LRU ();
  fill_cycled ();
  cycle ();
  CHECK (cycled_advised () != 0);
  drop_cycled ();
  trim_for_good ();
  fill_cycled ();
  CHECK (cycled_advised () == 0);
  drop_cycled ();
}

/* As a kernel built without huge pages does.  False: there are no filters here.  */
static bool
refuse_huge_pages (void)
{
  /* The advice is the third argument's lower half.  */
  uint32_t advice = offsetof (struct seccomp_data, args[2])
                    + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, advice),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, MADV_HUGEPAGE, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { sizeof code / sizeof *code, code };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Superslabs are mapped anew for huge pages that come, not for those that don't.  */
TEST (no_mappings_where_they_are_refused)
{
  if (!counts ())
    SKIP ("built without statistics");
  NEED_LRU ();
  if (!refuse_huge_pages ())
    SKIP ("no system call filters here");
  fill_cycled ();
  drop_cycled ();
  uint64_t unmapped = number ("SS_UNMAP");
  cycle ();
  unmapped = number ("SS_UNMAP") - unmapped;
  CHECKF (unmapped <= SUPERSLABS / 4, "%llu superslabs unmapped",
          (unsigned long long) unmapped);
  CHECK (number ("THP_MAP") == 0);
  drop_cycled ();
}

TEST (always)
{
  NEED_SETTING ();
  char *small = malloc (100), *large = malloc (1 * MIB),
       *below = malloc (5 * MIB), *p = malloc (THRESHOLD);
  CHECK (is_advised (small) && is_advised (large));
  CHECK (!is_advised (below) && is_advised (p));
  free (small);
  free (large);
  free (below);
  free (p);
}

/* Memory of huge superslabs goes back whole: not while a block is left there,
   as soon as none is.  */
TEST (huge_superslabs_go_back_whole)
{
  NEED_SETTING ();
  enum { SLABS = 16, PER = 4, N = SLABS * PER, EACH = 480 * KIB };
  static char *p[N];
  malloc_trim (0);
  size_t before = resident_bytes ();
  for (int i = 0; i < N; i++)
    {
      CHECK ((p[i] = malloc (EACH)) != NULL);
      memset (p[i], 1, EACH);
    }
  uint64_t purges = number ("madvise_calls");
  for (int i = 0; i < N; i++)
    if (i % PER != 0)
      free (p[i]);
  CHECKF (number ("madvise_calls") == purges, "%llu madvise calls for parts",
          (unsigned long long) (number ("madvise_calls") - purges));
  for (int i = 0; i < N; i += PER)
    free (p[i]);
  CHECKF (resident_bytes () <= before + 12 * MIB, "%zu bytes more than before",
          resident_bytes () - before);
  CHECK (number ("idle_bytes") <= number ("retain_bytes"));
  malloc_trim (0);
  CHECKF (resident_bytes () <= before + 4 * MIB,
          "%zu bytes more than before after malloc_trim",
          resident_bytes () - before);
}

/* What prctl says holds.  It outlives execve, so that it is in force before the
   library's first call.  */
TEST (none_where_the_kernel_gives_none)
{
  NEED_KERNEL ();
  char *small = malloc (100), *p = malloc (64 * MIB);
  memset (p, 1, 64 * MIB);
  CHECK (!is_advised (small) && !is_advised (p));
  CHECKF (strtoul (smaps (p, "AnonHugePages:"), NULL, 10) == 0,
          "huge pages:%s", smaps (p, "AnonHugePages:"));
  free (small);
  free (p);
}

/* Nor is anything asked for where the system has none: the setting says so, or is
   not there.  */
TEST (none_where_the_system_has_none)
{
  NEED_KERNEL ();
  const char *says = kernel_setting ();
  CHECKF (says[0] == '\0' || strstr (says, "[never]") != NULL, "%s", says);
  char *small = malloc (100), *large = malloc (1 * MIB),
       *p = malloc (64 * MIB);
  CHECK (!is_advised (small) && !is_advised (large) && !is_advised (p));
  CHECK (!counts () || number ("THP_MAP") == 0);
  free (small);
  free (large);
  free (p);
}

int
main (int argc, char **argv)
{
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp (mode, "kernel") == 0)
    {
      if (prctl (PR_SET_THP_DISABLE, 1L, 0L, 0L, 0L) != 0)
        {
          puts ("skip kernel: prctl refuses PR_SET_THP_DISABLE");
          return check_done ();
        }
      execl (argv[0], argv[0], "disabled", (char *) NULL);
      return 1;
    }
  find_stats ();
  if (strcmp (mode, "off") == 0)
    RUN (off);
  else if (strcmp (mode, "auto") == 0)
    {
      RUN (young_processes_have_none);
      RUN (small_processes_have_none);
      RUN (others_have_them_from_the_threshold_on);
      RUN (growth);
      RUN (cycles_earn_them);
      RUN (none_without_regret);
    }
  else if (strcmp (mode, "always") == 0)
    {
      RUN (huge_superslabs_go_back_whole); /* first: nothing was purged yet */
      RUN (always);
    }
  else if (strcmp (mode, "big") == 0)
    RUN (big_blocks_earn_them); /* before it is old */
  else if (strcmp (mode, "refused") == 0)
    RUN (no_mappings_where_they_are_refused);
  else if (strcmp (mode, "none") == 0)
    RUN (none_where_the_system_has_none);
  else
    RUN (none_where_the_kernel_gives_none);
  return check_done ();
}
