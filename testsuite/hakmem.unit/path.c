/* os/path: what %p, %n and %% become, and what is too long.  */
#include "os/path.h"
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[PATH_MAX];

/* PATTERN becomes WANTED, in a buffer that it fills or in a large one.  */
static bool
becomes (const char *pattern, const char *wanted)
{
  errno = 55;
  bool good = hkm_os_path_expand (path, sizeof path, pattern) == 0
              && strcmp (path, wanted) == 0;
  size_t just = strlen (wanted) + 2;
  return good && hkm_os_path_expand (path, just, pattern) == 0
         && strcmp (path, wanted) == 0
         && hkm_os_path_expand (path, just - 2, pattern) == ENAMETOOLONG
         && errno == 55;
}

TEST (what_stands_for_itself)
{
  CHECK (becomes ("/var/lib/x", "/var/lib/x"));
  CHECK (becomes ("100%", "100%"));
  CHECK (becomes ("%q%P%N", "%q%P%N"));
  CHECK (becomes ("%%p%%%%n%", "%p%%n%"));
}

TEST (the_process)
{
  char wanted[64];
  snprintf (wanted, sizeof wanted, "%ld.%ld", (long) getpid (), (long) getpid ());
  CHECK (becomes ("%p.%p", wanted));
  pid_t child = fork ();
  if (child == 0)
    {
      snprintf (wanted, sizeof wanted, "a%ldz", (long) getpid ());
      _exit (becomes ("a%pz", wanted) ? 0 : 1);
    }
  int status = -1;
  CHECK (waitpid (child, &status, 0) == child && status == 0);
}

/* The caller names the executable; argv[0] says something else.  */
static const char *name;
TEST (the_program)
{
  char wanted[NAME_MAX + 8];
  snprintf (wanted, sizeof wanted, "/x/%s.y", name);
  CHECKF (becomes ("/x/%n.y", wanted), "%s, wanted %s", path, wanted);
  CHECKF (becomes ("%n", name), "%s, wanted %s", path, name);
}

/* The same at less cost, or not at all: the first argument is not its own.  */
TEST (the_program_by_what_exec_was_told)
{
  const char *told = (const char *) getauxval (AT_EXECFN), *found;
  errno = 55;
  found = hkm_os_path_program_name (path, sizeof path);
  CHECK (errno == 55 && found == NULL);
  char *real = program_invocation_short_name;
  char same[PATH_MAX + 8] = "";
  snprintf (same, sizeof same, "x%s", told);
  program_invocation_short_name = strrchr (same, '/') + 1;
  found = hkm_os_path_program_name (path, sizeof path);
  if (*told != '/')
    CHECK (found == NULL);
  else if (access (told, F_OK) == 0)
    CHECKF (found != NULL && strcmp (found, name) == 0, "%s, wanted %s", found,
            name);
  else
    CHECK (found == NULL);
  CHECK (hkm_os_path_program_name (path, 3) == NULL);
  if (*told == '/') /* another directory */
    {
      same[1] = 'x';
      CHECK (hkm_os_path_program_name (path, sizeof path) == NULL);
    }
  program_invocation_short_name = real;
}

int
main (int argc, char **argv)
{
  if (argc < 2) /* once more, under a wrong name */
    {
      static char exe[PATH_MAX], link[PATH_MAX + 16];
      ssize_t n = readlink ("/proc/self/exe", exe, sizeof exe - 1);
      if (n <= 0)
        return 2;
      snprintf (link, sizeof link, "%s.%%p gone", exe);
      char *again[] = { "/bin/other", strrchr (link, '/') + 1, link, NULL };
      char *as_it_is[] = { "/bin/other", strrchr (exe, '/') + 1, NULL };
      pid_t child = fork ();
      if (child == 0)
        execv (exe, as_it_is);
      int status = -1;
      if (waitpid (child, &status, 0) != child || status != 0)
        return 1;
      unlink (link);
      if (linkat (AT_FDCWD, exe, AT_FDCWD, link, 0) != 0)
        return 2;
      execv (link, again);
      return 2;
    }
  name = argv[1];
  if (argc > 2) /* the file goes while it runs */
    unlink (argv[2]);
  RUN (what_stands_for_itself);
  RUN (the_process);
  RUN (the_program);
  RUN (the_program_by_what_exec_was_told);
  return check_done ();
}
