/* See path.h.  argv[0] is what somebody said; the link in /proc is what runs.  */
#include "os/path.h"
#include "base/kernel.h"
#include "base/text.h"
#include "os/os.h"
#include "os/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

HKM_COLD int
hkm_os_path_program (char *path, size_t size)
{
  static const char removed[] = " (deleted)";
  int saved = errno;
  long n = hkm_syscall (SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path,
                        size - 1);

  int error = n < 0 ? errno : 0;
  errno = saved;
  if (n < 0)
    return error;
  if (n == (long) size - 1) /* maybe more: its end is the name */
    return ENAMETOOLONG;
  path[n] = '\0';
  n -= (long) sizeof removed - 1;
  if (n > 0 && hkm_text_is (path + n, removed))
    path[n] = '\0';
  return 0;
}

HKM_COLD const char *
hkm_os_path_name (const char *path)
{
  const char *name = path;
  for (; *path != '\0'; path++)
    if (*path == '/')
      name = path + 1;
  return name;
}

/* True if the process's first argument is EXEC, an absolute path, or its last part
   alone.  A script's is its interpreter's path.  What stands before the last part
   is looked at from its end; before the first argument lies the start block.  */
static HKM_COLD bool
is_first_argument (const char *exec)
{
  const char *name = hkm_os_path_name (exec);
  const char *short_name = program_invocation_short_name;
  if (!hkm_text_is (name, short_name))
    return false;
  if (short_name[-1] != '/')
    return true;
  size_t before = (size_t) (name - exec);
  return hkm_bytes_are (short_name - before, exec, before);
}

HKM_COLD const char *
hkm_os_path_program_name (char *path, size_t size)
{
  char to[128];
  const char *exec = hkm_os_exec_path ();
  size_t n = exec != NULL && *exec == '/' ? hkm_text_size (exec) : size;
  int saved = errno;

  if (n >= size || *hkm_os_path_name (exec) == '\0' || !is_first_argument (exec))
    return NULL;
  memcpy (path, exec, n + 1);
  for (int links = 0; links < 4; links++)
    {
      long m = hkm_syscall (SYS_readlinkat, AT_FDCWD, path, to, sizeof to - 1);
      int error = m < 0 ? errno : 0;
      errno = saved;
      char *name = (char *) hkm_os_path_name (path);
      if (error != 0)
        return error == EINVAL ? name : NULL; /* EINVAL: no link */
      to[m] = '\0';
      char *at = *to == '/' ? path : name;
      size_t used = (size_t) (at - path);
      if (m == (long) sizeof to - 1 || used + (size_t) m >= size)
        return NULL;
      memcpy (at, to, (size_t) m + 1);
    }
  return NULL;
}

/* The program's name, once hkm_os_path_keep_program was asked for it.  */
static char kept_name[NAME_MAX + 1];

/* True if PATTERN has %n.  */
static HKM_COLD bool
has_name (const char *pattern)
{
  for (const char *c = pattern; c[0] != '\0' && c[1] != '\0'; c++)
    if (*c == '%' && *++c == 'n')
      return true;
  return false;
}

HKM_COLD void
hkm_os_path_keep_program (const char *pattern)
{
  char exe[PATH_MAX];

  if (!has_name (pattern) || hkm_os_path_program (exe, sizeof exe) != 0)
    return;
  const char *name = hkm_os_path_name (exe);
  size_t n = hkm_text_size (name);
  if (n < sizeof kept_name)
    memcpy (kept_name, name, n + 1);
}

/* Out of line: its buffer is not to lie below a caller's other calls.  */
static HKM_COLD int
print_program (hkm_out *out)
{
  char exe[PATH_MAX];

  if (*kept_name != '\0')
    {
      hkm_out_printf (out, "%s", kept_name);
      return 0;
    }
  int error = hkm_os_path_program (exe, sizeof exe);

  if (error == 0)
    hkm_out_printf (out, "%s", hkm_os_path_name (exe));
  return error;
}

HKM_COLD int
hkm_os_path_expand (char *path, size_t size, const char *pattern)
{
  hkm_out_store store = { path, size };
  hkm_out out;
  int error = 0;

  hkm_out_init_store (&out, &store);
  for (const char *c = pattern; *c != '\0' && error == 0; c++)
    if (c[0] == '%' && c[1] == 'p')
      {
        hkm_out_printf (&out, "%ld", hkm_syscall (SYS_getpid));
        c++;
      }
    else if (c[0] == '%' && c[1] == 'n')
      {
        error = print_program (&out);
        c++;
      }
    else
      {
        hkm_out_printf (&out, "%c", *c);
        c += c[0] == '%' && c[1] == '%';
      }
  hkm_out_flush (&out);
  if (error == 0 && store.left <= 1) /* cut, or might be */
    error = ENAMETOOLONG;
  return error;
}
