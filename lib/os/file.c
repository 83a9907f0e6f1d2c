/* See file.h.  */
#include "os/file.h"
#include "base/atomic.h"
#include "base/kernel.h"
#include "base/text.h"
#include "os/os.h"
#include "os/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0 if FD is a regular file and, if OWNED, root's and for nobody else to write;
   else EPERM.  By statx, which has one form on all machines; where there is none,
   nothing is root's.  */
static int
check_file (long fd, bool owned, size_t *size)
{
  struct statx about;
  unsigned others = S_IWGRP | S_IWOTH;
  *size = 0;
  unsigned what = STATX_TYPE | STATX_MODE | STATX_UID | STATX_SIZE;
  if (hkm_syscall (SYS_statx, fd, "", AT_EMPTY_PATH, what, &about) != 0)
    return owned ? EPERM : 0;
  *size = about.stx_size < SIZE_MAX ? (size_t) about.stx_size : SIZE_MAX;
  return S_ISREG (about.stx_mode)
                 && (!owned
                     || (about.stx_uid == 0 && (about.stx_mode & others) == 0))
             ? 0
             : EPERM;
}

/* WHAT a file must be: any, regular, or root's as well.  */
enum kind { ANY, REGULAR, OWNED };

static HKM_COLD int
open_file (const char *path, enum kind what, int *fd, size_t *size)
{
  int saved = errno, error = 0;

  *fd = (int) hkm_syscall (SYS_openat, AT_FDCWD, path,
                           O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
  if (*fd < 0)
    error = errno;
  else if (what != ANY)
    error = check_file (*fd, what == OWNED, size);
  if (*fd >= 0 && error != 0)
    hkm_syscall (SYS_close, *fd);
  errno = saved;
  return error;
}

int
hkm_os_file_open (const char *path, bool owned, int *fd, size_t *size)
{
  return open_file (path, owned ? OWNED : REGULAR, fd, size);
}

HKM_COLD int
hkm_os_file_take (int fd, char *text, size_t size, size_t *n)
{
  int saved = errno, error = 0;
  long done = 1;

  *n = 0;
  while (error == 0 && done != 0 && *n < size)
    {
      done = hkm_syscall (SYS_read, fd, text + *n, size - *n);
      if (done > 0)
        *n += (size_t) done;
      else if (done < 0 && errno != EINTR)
        error = errno;
    }
  hkm_syscall (SYS_close, fd);
  errno = saved;
  return error;
}

static int
read_file (const char *path, char *text, size_t size, size_t *n,
           enum kind what)
{
  size_t told;
  int fd, error = open_file (path, what, &fd, &told);

  *n = 0;
  return error != 0 ? error : hkm_os_file_take (fd, text, size, n);
}

int
hkm_os_file_read (const char *path, char *text, size_t size, size_t *n)
{
  return read_file (path, text, size, n, ANY);
}

/* True if PATH names something below /etc, and by no way around.  */
static bool
is_below_etc (const char *path)
{
  const char *rest = hkm_text_after (path, "/etc/");
  for (const char *at = rest; at != NULL && *at != '\0'; at++)
    if (at[0] == '.' && at[1] == '.' && at[-1] == '/')
      return false;
  return rest != NULL;
}

HKM_COLD int
hkm_os_file_read_trusted (const char *path, char *text, size_t size, size_t *n)
{
  bool secure = hkm_os_secure ();

  *n = 0;
  return secure && !is_below_etc (path) ? EPERM
                                        : read_file (path, text, size, n,
                                                     secure ? OWNED : ANY);
}

/* A name beside PATH that no other thread, process or earlier process has: a
   number of ours, and when.  False: too long for a path.  */
static bool
name_beside (char *name, size_t size, const char *path)
{
  static uint32_t calls;
  hkm_out_store store = { name, size };
  hkm_out out;

  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, "%s.%ld.%u.%llu.tmp", path, hkm_syscall (SYS_getpid),
                  hkm_fetch_add_relaxed (&calls, 1u),
                  (unsigned long long) hkm_os_clock_ms ());
  hkm_out_flush (&out);
  return store.left > 1;
}

static int
write_all (long fd, const char *text, size_t n)
{
  while (n > 0)
    {
      long done = hkm_syscall (SYS_write, fd, text, n);
      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0)
        return done < 0 ? errno : EIO;
      text += done;
      n -= (size_t) done;
    }
  /* Without this a crash after the rename may leave an empty file.  */
  return hkm_syscall (SYS_fsync, fd) == 0 ? 0 : errno;
}

static long
rename_to (const char *from, const char *to)
{
#ifdef SYS_renameat
  return hkm_syscall (SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
#else
  return hkm_syscall (SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
#endif
}

/* True if PATH, or what a link there leads to, is known to be something that a
   file must not take the place of: a device, a pipe, a socket.  A directory
   defends itself; where the kernel can't tell, nothing is known.  */
static bool
is_special (const char *path)
{
#if defined SYS_statx && defined STATX_TYPE
  struct statx s;

  return hkm_syscall (SYS_statx, AT_FDCWD, path, 0, STATX_TYPE, &s) == 0
         && !S_ISREG (s.stx_mode) && !S_ISDIR (s.stx_mode);
#else
  (void) path;
  return false;
#endif
}

HKM_COLD int
hkm_os_file_replace (const char *path, const char *text, size_t n)
{
  int saved = errno, error;
  char name[PATH_MAX];

  if (!name_beside (name, sizeof name, path))
    return ENAMETOOLONG;
  /* Opening comes first: a process that filters its calls by now is most likely
     refused that, rather than killed for it.  */
  int how = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY;
  long fd = hkm_syscall (SYS_openat, AT_FDCWD, name, how, 0644);
  if (fd < 0)
    {
      error = errno;
      errno = saved;
      return error;
    }
  error = is_special (path) ? EEXIST : write_all (fd, text, n);
  if (hkm_syscall (SYS_close, fd) != 0 && error == 0)
    error = errno;
  if (error == 0 && rename_to (name, path) != 0)
    error = errno;
  if (error != 0)
    hkm_syscall (SYS_unlinkat, AT_FDCWD, name, 0);
  errno = saved;
  return error;
}
