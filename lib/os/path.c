/* See path.h.  argv[0] is what somebody said; the link in /proc is what runs.  */
#include "os/path.h"
#include "base/text.h"
#include "os/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

int
hkm_os_path_program (char *path, size_t size)
{
  static const char removed[] = " (deleted)";
  int saved = errno;
  long n = syscall (SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path,
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

const char *
hkm_os_path_name (const char *path)
{
  const char *name = path;
  for (; *path != '\0'; path++)
    if (*path == '/')
      name = path + 1;
  return name;
}

/* Out of line: its buffer is not to lie below a caller's other calls.  */
static HKM_COLD int
print_program (hkm_out *out)
{
  char exe[PATH_MAX];
  int error = hkm_os_path_program (exe, sizeof exe);

  if (error == 0)
    hkm_out_printf (out, "%s", hkm_os_path_name (exe));
  return error;
}

int
hkm_os_path_expand (char *path, size_t size, const char *pattern)
{
  hkm_out_store store = { path, size };
  hkm_out out;
  int error = 0;

  hkm_out_init_store (&out, &store);
  for (const char *c = pattern; *c != '\0' && error == 0; c++)
    if (c[0] == '%' && c[1] == 'p')
      {
        hkm_out_printf (&out, "%ld", syscall (SYS_getpid));
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
