/* The verbs of hakmem-helper: see helper.h.  */
#include "helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
base_name (const char *path)
{
  const char *slash = strrchr (path, '/');
  return slash != NULL ? slash + 1 : path;
}

bool
is_hakmem (const char *path)
{
  return strncmp (base_name (path), "libhakmem.so", 12) == 0;
}

int
main (int argc, char **argv)
{
  const char *verb = argc > 1 ? argv[1] : "";

  if (strcmp (verb, "blocks") == 0 && argc == 2)
    return helper_blocks ();
  if (strcmp (verb, "library") == 0 && argc == 3)
    return helper_library (argv[2]);
  if (strcmp (verb, "program") == 0 && argc == 3)
    return helper_program (argv[2]);
  if (strcmp (verb, "processes") == 0 && argc == 5)
    return helper_processes (argv[2], atoll (argv[3]),
                             strcmp (argv[4], "yes") == 0);
  if (strcmp (verb, "run") == 0 && argc >= 5)
    return helper_run (argv[2], argv[3], argv + 4);
  fputs ("hakmem-helper is part of hakmem-run(1) and hakmem-preload(8), which"
         " call it\n", stderr);
  return 2;
}
