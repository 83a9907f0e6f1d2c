/* What starting a program costs under a preloaded library and without it, by
   turns: the figures of bench/startup.sh.

     startup exec LIBRARY EMPTY ROUNDS EXECS PROGRAM [ARGUMENT...]
       EMPTY is a library with nothing in it: what preloading costs by itself.
       Prints a line "SIDE US FAULTS RATIO" for libc, empty and hakmem: the
       median over rounds of the side's median time, and of its quotient by
       libc's.  PROGRAM reads nothing, and what it writes is thrown away
     startup roots LIBC EMPTY HAKMEM ROUNDS EXECS PROGRAM [ARGUMENT...]
       the same, with nothing preloaded by a variable: each side is a root to
       chroot to, with what its /etc/ld.so.preload says
     startup memory LIBRARY ROUNDS
       lets cat copy one byte and asks the kernel what it holds then; prints a
       line "SIDE ANONYMOUS RSS" for libc and hakmem, in KiB,
       medians over rounds: the kernel shifts the stack a little each time  */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { LIBC, EMPTY, HAKMEM, SIDES };
static const char *const side_name[SIDES] = { "libc", "empty", "hakmem" };
static char **side_environ[SIDES];
static const char *side_root[SIDES]; /* NULL: this process's */
static int null_fd; /* /dev/null */

static void
die (const char *what)
{
  fprintf (stderr, "startup: %s: %s\n", what, strerror (errno));
  exit (1);
}

/* This process's environment with PRELOAD (NULL: nothing) preloaded.  */
static char **
environ_make (const char *preload)
{
  size_t n = 0;
  while (environ[n] != NULL)
    n++;
  char **made = calloc (n + 2, sizeof *made), **to = made;
  if (made == NULL)
    die ("calloc");
  for (size_t i = 0; i < n; i++)
    if (strncmp (environ[i], "LD_PRELOAD=", 11) != 0)
      *to++ = environ[i];
  if (preload != NULL && asprintf (to, "LD_PRELOAD=%s", preload) < 0)
    die ("asprintf");
  return made;
}

static double
now_us (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Of the N numbers of V, which it puts in order.  */
static double
median (double *v, size_t n)
{
  qsort (v, n, sizeof *v, by_value);
  return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static pid_t
start (int side, char **argv, const posix_spawn_file_actions_t *actions)
{
  pid_t pid;
  if (side_root[side] != NULL)
    {
      pid = vfork ();
      if (pid < 0)
        die ("vfork");
      if (pid == 0)
        {
          if (chroot (side_root[side]) == 0 && chdir ("/") == 0
              && dup2 (null_fd, 0) == 0 && dup2 (null_fd, 1) == 1)
            execvpe (argv[0], argv, side_environ[side]);
          _exit (127);
        }
      return pid;
    }
  errno = posix_spawnp (&pid, argv[0], actions, NULL, argv, side_environ[side]);
  if (errno != 0)
    die (argv[0]);
  return pid;
}

/* Microseconds from before the fork until PROGRAM was waited for.  */
static double
one_exec (int side, char **argv, const posix_spawn_file_actions_t *actions,
          long *faults)
{
  struct rusage usage;
  int status;
  double before = now_us ();
  pid_t pid = start (side, argv, actions);
  if (wait4 (pid, &status, 0, &usage) != pid)
    die ("wait4");
  double after = now_us ();
  if (status != 0)
    {
      fprintf (stderr, "startup: %s fails on %s\n", argv[0], side_name[side]);
      exit (1);
    }
  *faults = usage.ru_minflt;
  return after - before;
}

static double *
row (size_t n)
{
  double *v = calloc (n, sizeof *v);
  if (v == NULL)
    die ("calloc");
  return v;
}

static void
measure_execs (size_t rounds, size_t execs, char **argv)
{
  double *time[SIDES], *middle[SIDES], *ratio[SIDES];
  long faults[SIDES];
  posix_spawn_file_actions_t actions;
  null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_fd < 0)
    die ("/dev/null");
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, null_fd, 0);
  posix_spawn_file_actions_adddup2 (&actions, null_fd, 1);
  for (int side = 0; side < SIDES; side++)
    {
      time[side] = row (execs);
      middle[side] = row (rounds);
      ratio[side] = row (rounds);
    }
  for (size_t r = 0; r < rounds; r++)
    {
      /* By turns, and the first by turns too: what else the machine does hits
         all sides alike.  */
      for (size_t i = 0; i < execs; i++)
        for (int k = 0; k < SIDES; k++)
          {
            int side = (int) (i + (size_t) k) % SIDES;
            time[side][i] = one_exec (side, argv, &actions, &faults[side]);
          }
      for (int side = 0; side < SIDES; side++)
        {
          middle[side][r] = median (time[side], execs);
          ratio[side][r] = middle[side][r] / middle[LIBC][r];
        }
    }
  for (int side = 0; side < SIDES; side++)
    printf ("%s %.0f %ld %.3f\n", side_name[side],
            median (middle[side], rounds), faults[side],
            median (ratio[side], rounds));
}

/* The KiB in line NAME of smaps_rollup text.  */
static long
field (const char *text, const char *name)
{
  const char *at = strstr (text, name);
  return at != NULL ? strtol (at + strlen (name), NULL, 10) : -1;
}

enum { ANONYMOUS, RSS, FIELDS };
static const char *const field_name[FIELDS] = { "\nAnonymous:", "\nRss:" };

/* What cat holds, KiB.  */
static void
one_cat (int side, double kib[FIELDS])
{
  char *argv[] = { (char *) "cat", NULL };
  char path[64], text[4096], byte = 'x';
  int to[2], from[2];
  if (pipe (to) != 0 || pipe (from) != 0)
    die ("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, to[0], 0);
  posix_spawn_file_actions_adddup2 (&actions, from[1], 1);
  for (int i = 0; i < 2; i++)
    {
      posix_spawn_file_actions_addclose (&actions, to[i]);
      posix_spawn_file_actions_addclose (&actions, from[i]);
    }
  pid_t pid = start (side, argv, &actions);
  close (to[0]);
  close (from[1]);
  /* When the byte is back, cat has its buffers and waits for more.  */
  if (write (to[1], &byte, 1) != 1 || read (from[0], &byte, 1) != 1)
    die ("cat");
  snprintf (path, sizeof path, "/proc/%ld/smaps_rollup", (long) pid);
  FILE *f = fopen (path, "r");
  if (f == NULL)
    die (path);
  size_t n = fread (text, 1, sizeof text - 1, f);
  text[n] = '\0';
  fclose (f);
  close (to[1]);
  close (from[0]);
  if (waitpid (pid, NULL, 0) != pid)
    die ("waitpid");
  for (int i = 0; i < FIELDS; i++)
    {
      kib[i] = (double) field (text, field_name[i]);
      if (kib[i] < 0)
        {
          fprintf (stderr, "startup: no%s in %s\n", field_name[i], path);
          exit (1);
        }
    }
}

static void
measure_memory (size_t rounds)
{
  double *held[SIDES][FIELDS], kib[FIELDS];
  for (int side = 0; side < SIDES; side++)
    for (int i = 0; i < FIELDS; i++)
      held[side][i] = row (rounds);
  for (size_t r = 0; r < rounds; r++)
    for (int side = 0; side < SIDES; side++)
      if (side != EMPTY)
        {
          one_cat (side, kib);
          for (int i = 0; i < FIELDS; i++)
            held[side][i][r] = kib[i];
        }
  for (int side = 0; side < SIDES; side++)
    if (side != EMPTY)
      printf ("%s %.0f %.0f\n", side_name[side],
              median (held[side][ANONYMOUS], rounds),
              median (held[side][RSS], rounds));
}

static int
usage (void)
{
  fprintf (stderr,
           "usage: startup exec LIBRARY EMPTY ROUNDS EXECS PROGRAM"
           " [ARGUMENT...]\n"
           "       startup roots LIBC EMPTY HAKMEM ROUNDS EXECS PROGRAM"
           " [ARGUMENT...]\n"
           "       startup memory LIBRARY ROUNDS\n");
  return 2;
}

/* A count of the command line; 0 is wrong.  */
static size_t
count (const char *text)
{
  long n = strtol (text, NULL, 10);
  return n > 0 ? (size_t) n : 0;
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  bool roots = strcmp (what, "roots") == 0;
  char **rest = argv + (roots ? 5 : 4); /* rounds, and what follows */

  if (strcmp (what, "memory") == 0 && argc == 4 && count (argv[3]) != 0)
    {
      side_environ[LIBC] = environ_make (NULL);
      side_environ[HAKMEM] = environ_make (argv[2]);
      measure_memory (count (argv[3]));
      return 0;
    }
  if ((!roots && strcmp (what, "exec") != 0) || argc < (roots ? 8 : 7)
      || count (rest[0]) == 0 || count (rest[1]) == 0)
    return usage ();
  for (int side = 0; side < SIDES; side++)
    {
      side_root[side] = roots ? argv[2 + side] : NULL;
      side_environ[side]
        = environ_make (roots || side == LIBC ? NULL
                                              : argv[side == HAKMEM ? 2 : 3]);
    }
  measure_execs (count (rest[0]), count (rest[1]), rest + 2);
  return 0;
}
