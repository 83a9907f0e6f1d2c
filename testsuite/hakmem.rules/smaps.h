/* What the kernel says of one mapping.  */
#ifndef RULES_SMAPS_H
#define RULES_SMAPS_H

#include <stdio.h>
#include <string.h>

/* The line NAME of what /proc/self/smaps says of the mapping that holds P; ""
   if it isn't there.  */
static const char *
smaps (const void *p, const char *name)
{
  static char line[512];
  FILE *f = fopen ("/proc/self/smaps", "r");
  bool inside = false, found = false;
  while (f != NULL && !found && fgets (line, sizeof line, f) != NULL)
    {
      unsigned long from, to;
      if (sscanf (line, "%lx-%lx ", &from, &to) == 2)
        inside = (uintptr_t) p >= from && (uintptr_t) p < to;
      else if (inside && strncmp (line, name, strlen (name)) == 0)
        found = true;
    }
  if (f != NULL)
    fclose (f);
  return found ? line + strlen (name) : "";
}

#endif
