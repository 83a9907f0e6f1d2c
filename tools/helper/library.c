/* Whether a file is fit to be preloaded into every program of the machine, as
   far as can be told without running one: see helper.h.  Asked as root, so
   modes are read rather than tried.  */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

/* Of a directory or the file itself: who else may change it, who can't use it.
   Returns the number of faults.  */
static int
check_access (const char *path, const struct stat *s)
{
  bool is_dir = S_ISDIR (s->st_mode);
  int faults = 0;

  if (s->st_uid != 0)
    faults += printf ("%s belongs to user %lu, not to root\n", path,
                      (unsigned long) s->st_uid)
              > 0;
  if (s->st_mode & S_IWOTH)
    faults += printf ("%s may be written by everybody\n", path) > 0;
  if (!(s->st_mode & (is_dir ? S_IXOTH : S_IROTH)))
    faults += printf ("%s can't be %s by everybody (mode %04o)\n", path,
                      is_dir ? "searched" : "read",
                      (unsigned) s->st_mode & 07777)
              > 0;
  return faults;
}

/* A path on the way from the root to the file it names.  */
struct way
{
  char at[PATH_MAX]; /* how far, without links; "" is the root */
  char *rest;        /* what is to come, allocated */
  int links;
  struct stat s;     /* of AT */
};

static int
fault (const char *path, int error)
{
  return printf ("%s: %s\n", path, strerror (error)) > 0;
}

/* Take the first word of what is to come; false: there is none.  */
static bool
next_word (struct way *w, char word[NAME_MAX + 1])
{
  size_t blank = strspn (w->rest, "/"), n = strcspn (w->rest + blank, "/");

  if (n == 0 || n > NAME_MAX)
    return false;
  memcpy (word, w->rest + blank, n);
  word[n] = '\0';
  memmove (w->rest, w->rest + blank + n, strlen (w->rest + blank + n) + 1);
  return true;
}

/* AT is a link: put what it says before what is to come.  0 or errno.  */
static int
follow (struct way *w)
{
  char target[PATH_MAX], *joined;
  ssize_t n = readlink (w->at, target, sizeof target - 1);

  if (n <= 0 || ++w->links > LINKS_MAX)
    return n < 0 ? errno : ELOOP;
  target[n] = '\0';
  if (asprintf (&joined, "%s%s", target, w->rest) < 0)
    return ENOMEM;
  free (w->rest);
  w->rest = joined;
  *(target[0] == '/' ? w->at : strrchr (w->at, '/')) = '\0';
  return 0;
}

/* Follow PATH, an absolute one, to its end, and check everything on the way,
   links' directories among it.  Returns the number of faults.  */
static int
check_way (struct way *w, const char *path)
{
  char word[NAME_MAX + 1];
  int faults = 0, error = 0;

  *w = (struct way) { .rest = strdup (path) };
  if (w->rest == NULL || stat ("/", &w->s) != 0)
    return fault (path, errno);
  faults += check_access ("/", &w->s);
  while (error == 0 && next_word (w, word))
    {
      size_t used = strlen (w->at);
      if (strcmp (word, ".") == 0)
        continue;
      if (strcmp (word, "..") == 0)
        {
          if (used > 0)
            *strrchr (w->at, '/') = '\0';
          continue;
        }
      if (!S_ISDIR (w->s.st_mode) && !S_ISLNK (w->s.st_mode))
        error = ENOTDIR;
      else if (used + strlen (word) + 2 > sizeof w->at)
        error = ENAMETOOLONG;
      else if (sprintf (w->at + used, "/%s", word) < 0
               || lstat (w->at, &w->s) != 0)
        error = errno;
      else if (S_ISLNK (w->s.st_mode))
        error = follow (w);
      else
        faults += check_access (w->at, &w->s);
    }
  free (w->rest);
  return error != 0 ? faults + fault (w->at, error) : faults;
}

/* A word of NEEDED that is not libc, or NULL.  */
static char *
other_needed (char *needed)
{
  char *word, *rest = needed;

  while ((word = strsep (&rest, " ")) != NULL)
    if (*word != '\0' && strncmp (word, "libc.so.", 8) != 0)
      return word;
  return NULL;
}

/* 0, 1, or 2 for a library of another kind.  */
static int
check_elf (const char *path)
{
  struct elf_facts facts;
  int error = elf_read (path, &facts);
  char *other = other_needed (facts.needed);

  if (error != 0)
    return fault (path, error);
  if (!facts.is_elf)
    return printf ("%s is no ELF file, or shorter than its header\n", path) > 0;
  if (!facts.native)
    {
      printf ("%s is a %u-bit library of a kind that programs here can't load\n",
              path, facts.bits);
      return 2;
    }
  if (facts.cut)
    return printf ("%s is truncated\n", path) > 0;
  if (!facts.shared)
    return printf ("%s is no shared library\n", path) > 0;
  if (other != NULL)
    return printf ("%s needs %s: nothing but libc may be needed\n", path,
                   other) > 0;
  puts (path);
  return 0;
}

int
helper_library (const char *path)
{
  struct way way;

  if (path[0] != '/')
    return printf ("%s is no absolute path\n", path) > 0;
  int faults = check_way (&way, path);
  if (faults == 0 && !S_ISREG (way.s.st_mode))
    faults += printf ("%s is no file\n", way.at) > 0;
  if (faults == 0)
    return check_elf (way.at);
  return 1;
}
