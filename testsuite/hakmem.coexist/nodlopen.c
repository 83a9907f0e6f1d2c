/* The library opened by a process that runs without it: refused, with words, and
   the process goes on.  The argument is its path.  */
#include "../lib/check.h"
#include <dlfcn.h>
#include <stdlib.h>

static const char *path;

TEST (dlopen)
{
  void *handle = dlopen (path, RTLD_NOW);
  const char *why = dlerror ();
  CHECKF (handle == NULL && why != NULL && strstr (why, "dlopen") != NULL,
          "%p, %s", handle, why ? why : "no word");
  free (malloc (1000));
}

int
main (int argc, char **argv)
{
  path = argc > 1 ? argv[1] : "";
  RUN (dlopen);
  return check_done ();
}
