/* See path.h.  argv[0] is what somebody said; the link in /proc is what runs.  */
#include "os/path.h"
#include "base/text.h"
#include "os/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Out of line: its buffer is not to lie below a caller's other calls.  */
static HKM_COLD int
print_program (hkm_out *out)
{
  static const char removed[] = " (deleted)";
  char exe[PATH_MAX];
  int saved = errno;
  long n = syscall (SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe,
                    sizeof exe - 1);

  int error = n < 0 ? errno : 0;
  errno = saved;
  if (n < 0)
    return error;
  if (n == (long) sizeof exe - 1) /* maybe more: its end is the name */
    return ENAMETOOLONG;
  exe[n] = '\0';
  n -= (long) sizeof removed - 1;
  if (n > 0 && hkm_text_is (exe + n, removed))
    exe[n] = '\0';
  const char *name = exe;
  for (const char *slash = exe; *slash != '\0';)
    {
      slash = hkm_text_find (slash, '/');
      if (*slash != '\0')
        name = ++slash;
    }
  hkm_out_printf (out, "%s", name);
  return 0;
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
