/* Which running processes use libhakmem, and why the others don't, from /proc
   alone: see helper.h.  What of /proc may not be read is counted as that.  */
#define _GNU_SOURCE
#include "helper.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum verdict
{
  USES, USES_OLD, OPTED_OUT, OWN_MALLOC, STATIC, OTHER_LIBC, OTHER_BITS,
  OTHER_VIEW, BEFORE, UNKNOWN, UNREADABLE, VERDICTS
};
static const char *const words[VERDICTS] = {
  [USES] = "use it",
  [USES_OLD] = "use a copy that was replaced since",
  [OPTED_OUT] = "opted out (HAKMEM_DISABLE or hakmem.conf)",
  [OWN_MALLOC] = "have another malloc in charge",
  [STATIC] = "are statically linked",
  [OTHER_LIBC] = "do not use glibc",
  [OTHER_BITS] = "are of another word size",
  [OTHER_VIEW] = "see another /etc/ld.so.preload (chroot or container)",
  [BEFORE] = "started before it was enabled",
  [UNKNOWN] = "do not have it, for no reason seen here",
  [UNREADABLE] = "can't be looked at (of other users, or protected)",
};

/* A process: what its stat file says.  */
struct process
{
  long pid, parent;
  long long start; /* seconds of the epoch */
  char name[64];
  bool skip;       /* a kernel thread or a zombie */
};

static long long boot_time;

/* The whole of /proc/PID/WHAT, ended by a zero, to be freed; NULL: it can't be
   read.  */
static char *
slurp (long pid, const char *what, size_t *n)
{
  char path[64], *text = NULL;
  size_t size = 0;
  ssize_t done = 1;

  snprintf (path, sizeof path, "/proc/%ld/%s", pid, what);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  *n = 0;
  if (fd < 0)
    return NULL;
  while (done > 0)
    {
      if (size - *n < 4096)
        {
          char *more = realloc (text, size += 65536);
          if (more == NULL)
            break;
          text = more;
        }
      done = read (fd, text + *n, size - *n - 1);
      if (done > 0)
        *n += (size_t) done;
    }
  close (fd);
  if (done != 0)
    {
      free (text);
      return NULL;
    }
  text[*n] = '\0';
  return text;
}

/* False: it is gone.  */
static bool
read_process (long pid, struct process *p)
{
  enum { PF_KTHREAD = 0x00200000 };
  size_t n;
  char state;
  unsigned flags;
  unsigned long long ticks;
  char *text = slurp (pid, "stat", &n);
  char *open_ = text != NULL ? strchr (text, '(') : NULL;
  char *close_ = text != NULL ? strrchr (text, ')') : NULL;
  bool good = open_ != NULL && close_ != NULL
              && sscanf (close_ + 1,
                         " %c %ld %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u"
                         " %*d %*d %*d %*d %*d %*d %llu",
                         &state, &p->parent, &flags, &ticks)
                   == 4;

  if (good)
    {
      p->pid = pid;
      p->start = boot_time + (long long) (ticks
                                          / (unsigned long) sysconf (_SC_CLK_TCK));
      p->skip = state == 'Z' || state == 'X' || (flags & PF_KTHREAD) != 0;
      snprintf (p->name, sizeof p->name, "%.*s", (int) (close_ - open_ - 1),
                open_ + 1);
      for (char *c = p->name; *c != '\0'; c++)
        if (!isprint ((unsigned char) *c))
          *c = '?';
    }
  free (text);
  return good;
}

static void
read_boot_time (void)
{
  size_t n;
  char *text = slurp (1, "../stat", &n);
  char *line = text != NULL ? strstr (text, "\nbtime ") : NULL;

  if (line != NULL)
    boot_time = atoll (line + 7);
  free (text);
}

/* In MAPS, the path whose last part starts with STEM; to be freed.  */
static char *
mapped (const char *maps, const char *stem)
{
  size_t n = strlen (stem);

  for (const char *at = maps; (at = strstr (at, stem)) != NULL; at += n)
    if (at > maps && at[-1] == '/')
      {
        const char *start = at, *end = at + strcspn (at, "\n");
        if (memchr (at, '/', (size_t) (end - at)) != NULL)
          continue; /* a directory's name */
        while (start > maps && start[-1] != '\n')
          start--;
        start = strchr (start, '/');
        return strndup (start, (size_t) (end - start));
      }
  return NULL;
}

/* The value of NAME in ENVIRONMENT of N bytes, or NULL.  */
static const char *
variable (const char *environment, size_t n, const char *name)
{
  size_t length = strlen (name);

  for (const char *at = environment; at != NULL && at < environment + n;
       at += strlen (at) + 1)
    if (strncmp (at, name, length) == 0 && at[length] == '=')
      return at + length + 1;
  return NULL;
}

/* True if the process was started with others' privileges, so that its
   environment means nothing to the library.  */
static bool
is_secure (long pid)
{
  size_t n;
  bool secure = false;
  char *text = slurp (pid, "auxv", &n);
  const ElfW (auxv_t) *aux = (const void *) text;

  for (size_t i = 0; text != NULL && i < n / sizeof *aux; i++)
    secure |= aux[i].a_type == AT_SECURE && aux[i].a_un.a_val != 0;
  free (text);
  return secure;
}

/* What ENTRY, "exe" or a path below "root", of the process is.  */
static bool
read_elf (long pid, const char *entry, struct elf_facts *facts)
{
  char path[PATH_MAX + 64];

  snprintf (path, sizeof path, "/proc/%ld/%s", pid, entry);
  return elf_read (path, facts) == 0 && facts->is_elf;
}

/* True if a library that LD_PRELOAD names before ours has a malloc.  */
static bool
other_preload (long pid, const char *maps, const char *value)
{
  char *copy = strdup (value), *rest = copy, *word;
  bool other = false;

  while (copy != NULL && !other && (word = strsep (&rest, " :")) != NULL)
    {
      char entry[PATH_MAX + 8];
      struct elf_facts facts;
      char *stem = strdup (base_name (word));
      char *so = stem != NULL ? strstr (stem, ".so") : NULL;
      char *path;

      if (so != NULL)
        so[3] = '\0';
      if (is_hakmem (word))
        rest = NULL; /* what follows comes after it */
      else if (so != NULL && (path = mapped (maps, stem)) != NULL)
        {
          snprintf (entry, sizeof entry, "root%s", path);
          other = read_elf (pid, entry, &facts) && facts.has_malloc;
          free (path);
        }
      free (stem);
      if (rest == NULL)
        break;
    }
  free (copy);
  return other;
}

/* The path that process PID executes, as it is called in ROOT, into PATH.  */
static const char *
program_of (long pid, const char *root, char *path, size_t size)
{
  static const char removed[] = " (deleted)";
  size_t above = strlen (root);
  char link[64];

  snprintf (link, sizeof link, "/proc/%ld/exe", pid);
  ssize_t n = readlink (link, path, size - 1);
  path[n > 0 ? n : 0] = '\0';
  if (n > (ssize_t) sizeof removed
      && strcmp (path + n - (sizeof removed - 1), removed) == 0)
    path[n - (ssize_t) (sizeof removed - 1)] = '\0';
  return strncmp (path, root, above) == 0 ? path + above : path;
}

/* Of a process that has the library.  */
static enum verdict
judge_user (const struct process *p, const char *maps, const char *library,
            const struct elf_facts *exe, const char *root)
{
  char path[PATH_MAX];
  size_t n = 0;
  bool secure = is_secure (p->pid);
  char *environment = secure ? NULL : slurp (p->pid, "environ", &n);
  const char *preload = variable (environment, n, "LD_PRELOAD");
  size_t length = strlen (library);
  enum verdict verdict = USES;

  if (is_opted_out (root, program_of (p->pid, root, path, sizeof path), secure,
                    variable (environment, n, "HAKMEM_DISABLE"),
                    variable (environment, n, "HAKMEM_CONF")))
    verdict = OPTED_OUT;
  else if (exe->has_malloc
           || (preload != NULL && other_preload (p->pid, maps, preload)))
    verdict = OWN_MALLOC;
  else if (length > 10 && strcmp (library + length - 10, " (deleted)") == 0)
    verdict = USES_OLD;
  free (environment);
  return verdict;
}

static bool
same_file (const char *a, const char *b)
{
  struct stat x, y;
  bool has_x = stat (a, &x) == 0, has_y = stat (b, &y) == 0;

  if (!has_x || !has_y)
    return has_x == has_y;
  return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* True if the process's ld.so read ROOT's list of preloads.  */
static bool
same_view (long pid, const char *root)
{
  char theirs[64], path[128], ours[PATH_MAX];

  snprintf (theirs, sizeof theirs, "/proc/%ld/root/", pid);
  snprintf (path, sizeof path, "%setc/ld.so.preload", theirs);
  snprintf (ours, sizeof ours, "%s/etc/ld.so.preload", root);
  return same_file (theirs, root) && same_file (path, ours);
}

/* True if the process, or one whose image it has by fork alone, is older than
   SINCE.  */
static bool
is_older (const struct process *p, long long since)
{
  struct process at = *p;
  char exe[64], parents[64];

  while (at.start > since + 1) /* boot time is in whole seconds */
    {
      snprintf (exe, sizeof exe, "/proc/%ld/exe", at.pid);
      snprintf (parents, sizeof parents, "/proc/%ld/exe", at.parent);
      if (access (parents, F_OK) != 0 || !same_file (exe, parents)
          || !read_process (at.parent, &at))
        return false;
    }
  return true;
}

static enum verdict
judge (const struct process *p, const char *root, long long since)
{
  size_t n;
  char *maps = slurp (p->pid, "maps", &n);
  char *library, *libc;
  struct elf_facts exe;
  enum verdict verdict = UNKNOWN;

  if (maps == NULL || n == 0 || !read_elf (p->pid, "exe", &exe))
    {
      free (maps);
      return UNREADABLE;
    }
  library = mapped (maps, "libhakmem.so");
  libc = mapped (maps, "libc.so.6");
  if (libc == NULL)
    libc = mapped (maps, "libc-2."); /* before glibc 2.34 */
  if (!same_view (p->pid, root))
    verdict = OTHER_VIEW;
  else if (library != NULL)
    verdict = judge_user (p, maps, library, &exe,
                          strcmp (root, "/") == 0 ? "" : root);
  else if (!exe.native)
    verdict = OTHER_BITS;
  else if (libc == NULL)
    verdict = exe.interp[0] == '\0' ? STATIC : OTHER_LIBC;
  else if (since == 0 || is_older (p, since))
    verdict = BEFORE;
  free (library);
  free (libc);
  free (maps);
  return verdict;
}

int
helper_processes (const char *root, long long since, bool verbose)
{
  DIR *proc = opendir ("/proc");
  struct dirent *entry;
  unsigned count[VERDICTS] = { 0 }, all = 0;

  if (proc == NULL)
    return printf ("/proc: %s\n", strerror (errno)) > 0;
  read_boot_time ();
  while ((entry = readdir (proc)) != NULL)
    {
      struct process p;
      char path[64];
      long pid = strtol (entry->d_name, NULL, 10);
      if (pid <= 0 || !read_process (pid, &p) || p.skip || pid == getpid ())
        continue;
      enum verdict verdict = judge (&p, root, since);
      snprintf (path, sizeof path, "/proc/%ld", pid);
      if (access (path, F_OK) != 0)
        continue; /* gone meanwhile */
      all++;
      count[verdict]++;
      if (verbose)
        printf ("%7ld %-16s %s\n", pid, p.name,
                verdict == BEFORE && since == 0 ? "not enabled"
                                                : words[verdict]);
    }
  closedir (proc);
  printf ("%u processes\n", all);
  for (int v = 0; v < VERDICTS; v++)
    if (count[v] > 0 || v == USES)
      printf ("%7u %s\n", count[v],
              v == BEFORE && since == 0 ? "do not have it" : words[v]);
  return 0;
}
