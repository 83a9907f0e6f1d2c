/* Gathering a report, writing one, and the one at exit.  */
#include "api/report.h"
#include "api/api.h"
#include "api/learn.h"
#include "base/kernel.h"
#include "base/lock.h"

#include "big/big.h"
#include "opts/opts.h"
#include "os/arena.h"
#include "os/os.h"
#include "os/path.h"
#include "pool/run_cache.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"
#include "tiny/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

HKM_COLD void
hkm_report_gather (hkm_full_report *full)
{
  hkm_report *report = &full->report;
  hkm_superslab_facts slabs;
  hkm_big_facts big;

  memset (full, 0, sizeof *full);
  report->version = PACKAGE_VERSION;
  /* The kernel's answer: a child of a bare clone has its own.  */
  report->pid = (uint64_t) hkm_syscall (SYS_getpid);
  if (hkm_lock_interrupts ()) /* nothing can be told */
    return;
  hkm_heap_facts (report, full->line);
  report->class_line = full->line;
  for (unsigned i = 0; i < HKM_CLASSES; i++)
    if (full->line[i].size != 0) /* no dynamic class that is off */
      {
        report->live_bytes += full->line[i].live * full->line[i].size;
        full->line[report->classes++] = full->line[i];
      }

  hkm_superslab_facts_get (&slabs, &report->counts);
  report->superslabs = slabs.superslabs;
  report->superslabs_lru = slabs.lru;
  report->superslabs_sparse = slabs.sparse;
  hkm_run_pool_live (&report->run_count, &report->run_bytes);
  report->run_bytes *= HKM_GRANULE;

  hkm_big_facts_get (&big, &report->counts);
  report->big_count = big.count;
  report->big_bytes = big.bytes;
  report->big_cached_bytes = big.cached_bytes;

  report->mapped_bytes = slabs.superslabs * HKM_SUPERSLAB_SIZE
                         + big.mapped_bytes;
  report->live_bytes += report->run_bytes + big.bytes;
  report->idle_bytes = hkm_retain_idle ();
  report->retain_bytes = hkm_retain_budget ();
  report->meta_bytes = hkm_arena_mapped ();
#ifdef HKM_WITH_STATS
  report->counts.value[HKM_COUNT_REGRET_BYTES] = hkm_retain_regretted ();
#endif
  report->mmap_calls = hkm_os_calls (HKM_OS_MMAP);
  report->munmap_calls = hkm_os_calls (HKM_OS_MUNMAP);
  report->mremap_calls = hkm_os_calls (HKM_OS_MREMAP);
  report->madvise_calls = hkm_os_calls (HKM_OS_MADVISE);
}

void
hkm_report_print (hkm_out *out, enum hkm_report_form form)
{
  hkm_full_report full;

  hkm_report_gather (&full);
  if (form != HKM_REPORT_XML) /* which has no place for it */
    full.report.peak_rss_bytes = hkm_os_peak_rss ();
  switch (form)
    {
    case HKM_REPORT_TEXT:
      hkm_stats_print_text (out, &full.report);
      hkm_api_learn_print (out);
      break;
    case HKM_REPORT_JSON:
      hkm_stats_print_json (out, &full.report, hkm_api_learn_print_json);
      break;
    case HKM_REPORT_SUMMARY: hkm_stats_print_summary (out, &full.report); break;
    case HKM_REPORT_XML: hkm_stats_print_xml (out, &full.report); break;
    }
  hkm_out_flush (out);
}

/* Twice what the longest form takes; it costs address space.  */
#define REPORT_MAX ((size_t) 64 << 10)

static int
write_all (int fd, const char *bytes, size_t n)
{
  while (n > 0)
    {
      long done = hkm_syscall (SYS_write, fd, bytes, n);
      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0)
        return done < 0 ? errno : EIO;
      bytes += done;
      n -= (size_t) done;
    }
  return 0;
}

HKM_COLD int
hkm_report_write (int fd, enum hkm_report_form form)
{
  int saved = errno;
  char *text = hkm_os_map (REPORT_MAX, hkm_os_page_size ());

  if (text == NULL)
    return ENOMEM;
  hkm_out_store store = { text, REPORT_MAX };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  hkm_report_print (&out, form);
  int error = write_all (fd, text, (size_t) (store.at - text));
  hkm_os_unmap (text, REPORT_MAX);
  errno = saved;
  return error;
}

/* What the heaps give up becomes idle slots; the superslabs' trim then gives
   those back.  Some go at once, by the retention budget: if that is all there
   was, count one page, because the caller asks whether there was any.  */
size_t
hkm_report_trim (void)
{
  uint64_t before = hkm_os_calls (HKM_OS_MADVISE);

  if (hkm_lock_interrupts ())
    return 0;
  hkm_heap_trim ();
  size_t bytes = hkm_os_calls (HKM_OS_MADVISE) != before
                   ? hkm_os_page_size () : 0;
  bytes += hkm_big_trim ();
  bytes += hkm_superslab_trim ();
  return bytes;
}

#ifdef HKM_WITH_STATS

enum { STATS_OFF, STATS_EXIT }; /* the row's choices, in order */

/* Programs close stderr at their end to hear of write errors (coreutils do,
   before a library's destructors run): a copy of it, kept from the start by
   those who asked for the report there.  Its number plus 1; 0: none.  */
static int kept_stderr;
/* Where the copy is put: out of the way of programs that count on low
   numbers.  */
enum { KEPT_STDERR_FROM = 200 };

static bool
to_stderr (void)
{
  const char *pattern = hkm_opt_text (HKM_OPT_STATS_FILE);
  return pattern == NULL || *pattern == '\0';
}

void
hkm_report_start (void)
{
  if (hkm_opt (HKM_OPT_STATS) != STATS_EXIT || hkm_os_secure ())
    return;
  if (!to_stderr ())
    {
      hkm_os_path_keep_program (hkm_opt_text (HKM_OPT_STATS_FILE));
      return;
    }
  int saved = errno;
  long fd = hkm_syscall (SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC,
                         KEPT_STDERR_FROM);
  if (fd < 0) /* a low limit of open files */
    fd = hkm_syscall (SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  kept_stderr = 1 + (fd < 0 ? STDERR_FILENO : (int) fd);
  errno = saved;
}

/* Where the report goes; a file is appended to, because processes that share
   one each leave their own.  -1: it can't be opened.  */
static HKM_COLD int
open_report (void)
{
  const char *pattern = hkm_opt_text (HKM_OPT_STATS_FILE);
  char path[PATH_MAX];

  if (to_stderr ())
    return kept_stderr - 1;
  int error = hkm_os_path_expand (path, sizeof path, pattern);
  if (error != 0)
    {
      hkm_out_line ("can't name HAKMEM_STATS_FILE %s (errno %d)", pattern,
                    error);
      return -1;
    }
  /* Not blocking: a FIFO that nobody reads is refused instead of keeping every
     process from its end.  */
  int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int fd = (int) hkm_syscall (SYS_openat, AT_FDCWD, path, how, 0644);
  if (fd < 0)
    hkm_out_line ("can't open HAKMEM_STATS_FILE %s (errno %d)", path, errno);
  else /* a reader may be slow */
    hkm_syscall (SYS_fcntl, fd, F_SETFL, O_APPEND);
  return fd;
}

void
hkm_report_at_exit (void)
{
  int saved = errno;

  if (hkm_opt (HKM_OPT_STATS) != STATS_EXIT || hkm_os_secure ())
    return;
  int fd = open_report ();
  if (fd >= 0)
    hkm_report_write (fd, (enum hkm_report_form)
                              hkm_opt (HKM_OPT_STATS_FORMAT));
  if (fd >= 0)
    hkm_syscall (SYS_close, fd);
  errno = saved;
}

#else
void
hkm_report_start (void)
{
}

void
hkm_report_at_exit (void)
{
}
#endif
