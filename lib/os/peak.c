/* What the kernel has counted of the process.

   Its greatest resident set so far comes from /proc: getrusage's figure
   goes on across exec and would tell of the shell that started us.  */
#include "os/os.h"
#include "base/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A reader of the line "VmHWM:   1234 kB", fed byte by byte: the lines before
   it may be of any length.  */
typedef struct scan
{
  unsigned matched; /* bytes of LABEL seen last */
  uint64_t kib;
  bool found;
} scan;

static const char label[] = "\nVmHWM:";

static void
feed (scan *s, char c)
{
  if (s->found)
    return;
  if (s->matched < sizeof label - 1)
    s->matched = c == label[s->matched] ? s->matched + 1 : c == '\n';
  else if (c >= '0' && c <= '9')
    s->kib = s->kib * 10 + (uint64_t) (c - '0');
  else if (c != ' ' && c != '\t')
    s->found = true; /* the unit, always kB */
}

HKM_COLD uint64_t
hkm_os_peak_rss (void)
{
  int saved = errno;
  scan s = { 0, 0, false };
  char bytes[512];
  long n;
  long fd = hkm_syscall (SYS_openat, AT_FDCWD, "/proc/self/status",
                         O_RDONLY | O_CLOEXEC);

  if (fd >= 0)
    {
      while ((n = hkm_syscall (SYS_read, fd, bytes, sizeof bytes)) > 0
             || (n < 0 && errno == EINTR))
        for (long i = 0; i < n; i++)
          feed (&s, bytes[i]);
      hkm_syscall (SYS_close, fd);
    }
  errno = saved;
  return s.found ? s.kib * 1024 : 0;
}

uint64_t
hkm_os_faults (void)
{
  struct rusage usage;
  int saved = errno;
  bool known = hkm_syscall (SYS_getrusage, RUSAGE_SELF, &usage) == 0;
  errno = saved;
  return known ? (uint64_t) usage.ru_minflt : 0;
}
