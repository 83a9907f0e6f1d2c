/* Whether a preload reaches a program, and why not: see helper.h.  */
#define _GNU_SOURCE
#include "helper.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 4 }; /* as the kernel */

/* True if the kernel gives who runs PATH another's privileges.  */
static bool
is_privileged (const char *path)
{
  struct stat s;
  struct statvfs fs;

  if (stat (path, &s) != 0)
    return false;
  if (statvfs (path, &fs) == 0 && (fs.f_flag & ST_NOSUID) != 0)
    return false;
  return ((s.st_mode & S_ISUID) != 0 && s.st_uid != geteuid ())
         || ((s.st_mode & S_ISGID) != 0 && (s.st_mode & S_IXGRP) != 0
             && s.st_gid != getegid ())
         || (geteuid () != 0
             && getxattr (path, "security.capability", NULL, 0) > 0);
}

/* If PATH is a script, what interprets it, into INTERPRETER.  */
static bool
is_script (const char *path, char *interpreter, size_t size)
{
  char line[256];
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  ssize_t n = fd < 0 ? 0 : read (fd, line, sizeof line - 1);

  if (fd >= 0)
    close (fd);
  if (n < 3 || line[0] != '#' || line[1] != '!')
    return false;
  line[n] = '\0';
  const char *word = line + 2 + strspn (line + 2, " \t");
  size_t length = strcspn (word, " \t\n");
  if (length == 0 || length >= size)
    return false;
  memcpy (interpreter, word, length);
  interpreter[length] = '\0';
  return true;
}

/* NULL if a preload reaches the ELF program FACTS.  */
static const char *
why_not (const struct elf_facts *facts)
{
  if (!facts->is_elf)
    return NULL; /* exec's or a shell's business */
  if (!facts->native)
    return "is for another kind of machine or word size than the library";
  if (strncmp (base_name (facts->interp), "ld-musl", 7) == 0)
    return "is linked with musl, which the library does not serve";
  /* ld.so itself has no interpreter and loads preloads.  */
  if (facts->interp[0] == '\0' && facts->soname[0] == '\0')
    return "is statically linked";
  if (facts->has_malloc)
    return "has a malloc of its own, which stays in charge";
  return NULL;
}

/* What execvp takes for NAME, into PATH; false: nothing.  */
static bool
find (const char *name, char *path, size_t size)
{
  const char *list = getenv ("PATH");

  if (strchr (name, '/') != NULL || list == NULL)
    return (size_t) snprintf (path, size, "%s", name) < size;
  for (;; list++)
    {
      int n = (int) strcspn (list, ":");
      struct stat s;
      if ((size_t) snprintf (path, size, "%.*s%s%s", n, list, n > 0 ? "/" : "",
                             name)
            < size
          && access (path, X_OK) == 0 && stat (path, &s) == 0
          && S_ISREG (s.st_mode))
        return true;
      list += n;
      if (*list == '\0')
        return false;
    }
}

int
helper_program (const char *name)
{
  char path[PATH_MAX];
  struct elf_facts facts;
  const char *why = NULL;

  if (!find (name, path, sizeof path))
    return 0; /* exec will say so */
  for (int i = 0; i < SCRIPTS_MAX && is_script (path, path, sizeof path); i++)
    ;
  if (is_privileged (path))
    why = "is setuid, setgid or has capabilities, so that ld.so ignores"
          " LD_PRELOAD";
  else if (elf_read (path, &facts) == 0)
    why = why_not (&facts);
  if (why != NULL)
    printf ("%s %s\n", path, why);
  return why != NULL;
}
