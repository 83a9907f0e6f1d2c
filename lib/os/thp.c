/* The kernel's own setting of transparent huge pages.  Read at most once,
   before the program's first block, because a sandbox may forbid it later.  */
#include "base/kernel.h"
#include "base/text.h"
#include "os/file.h"
#include "os/os.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SETTING "/sys/kernel/mm/transparent_hugepage/enabled"

#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif

/* Constant once the first block exists.  Unless something else is known, advice
   is given: the kernel decides what it is worth.  */
static enum hkm_os_thp setting; /* ADVISED */

/* "always [madvise] never": the word in brackets.  */
static enum hkm_os_thp
parse (const char *text)
{
  text = hkm_text_find (text, '[');
  if (hkm_text_after (text, "[always]") != NULL)
    return HKM_OS_THP_ALWAYS;
  if (hkm_text_after (text, "[never]") != NULL)
    return HKM_OS_THP_NEVER;
  return HKM_OS_THP_ADVISED;
}

HKM_COLD void
hkm_os_thp_read (void)
{
  char text[80];
  size_t n;
  int saved = errno;
  int error = hkm_os_file_read (SETTING, text, sizeof text - 1, &n);
  text[error == 0 ? n : 0] = '\0';
  setting = error == ENOENT ? HKM_OS_THP_NEVER : parse (text);
  /* 1: not in this process; with further bits, only where advised.  */
  long disabled = hkm_syscall (SYS_prctl, PR_GET_THP_DISABLE, 0L, 0L, 0L, 0L);
  if (disabled == 1)
    setting = HKM_OS_THP_NEVER;
  else if (disabled > 1 && setting == HKM_OS_THP_ALWAYS)
    setting = HKM_OS_THP_ADVISED;
  errno = saved;
}

enum hkm_os_thp
hkm_os_thp (void)
{
  return setting;
}

size_t
hkm_os_huge_size (void)
{
  size_t page = hkm_os_page_size ();
  return page / 8 * page; /* what a page of entries, 8 bytes each, maps */
}
