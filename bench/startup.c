/* What starting a program costs under a preloaded library and without it, by
   turns: the figures of bench/startup.sh.

     startup exec LIBRARY ROUNDS EXECS PROGRAM [ARGUMENT...]
       prints "ratio R", the median over rounds of the quotient of the sides'
       median times, then "libc US FAULTS" and "hakmem US FAULTS"
     startup memory LIBRARY
       lets cat copy one byte and asks the kernel what it holds then; prints
       "libc ANONYMOUS PRIVATE_DIRTY RSS" and the same of hakmem, in KiB  */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { LIBC, HAKMEM, SIDES };
static const char *const side_name[SIDES] = { "libc", "hakmem" };
static char **side_environ[SIDES];

static void
die (const char *what)
{
  fprintf (stderr, "startup: %s: %s\n", what, strerror (errno));
  exit (1);
}

static void
environs_make (const char *library)
{
  size_t n = 0;
  while (environ[n] != NULL)
    n++;
  char *preload = NULL;
  if (asprintf (&preload, "LD_PRELOAD=%s", library) < 0)
    die ("asprintf");
  for (int side = 0; side < SIDES; side++)
    {
      char **to = side_environ[side] = calloc (n + 2, sizeof *to);
      if (to == NULL)
        die ("calloc");
      for (size_t i = 0; i < n; i++)
        if (strncmp (environ[i], "LD_PRELOAD=", 11) != 0)
          *to++ = environ[i];
      if (side == HAKMEM)
        *to++ = preload;
    }
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
  errno = posix_spawnp (&pid, argv[0], actions, NULL, argv, side_environ[side]);
  if (errno != 0)
    die (argv[0]);
  return pid;
}

/* Microseconds from before the fork until PROGRAM was waited for.  */
static double
one_exec (int side, char **argv, long *faults)
{
  struct rusage usage;
  int status;
  double before = now_us ();
  pid_t pid = start (side, argv, NULL);
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

static void
measure_execs (size_t rounds, size_t execs, char **argv)
{
  double *ratio = calloc (rounds, sizeof *ratio), *time[SIDES], *middle[SIDES];
  long faults[SIDES];
  for (int side = 0; side < SIDES; side++)
    {
      time[side] = calloc (execs, sizeof (double));
      middle[side] = calloc (rounds, sizeof (double));
      if (ratio == NULL || time[side] == NULL || middle[side] == NULL)
        die ("calloc");
    }
  for (size_t r = 0; r < rounds; r++)
    {
      /* By turns, and the first by turns too: what else the machine does hits
         both sides alike.  */
      for (size_t i = 0; i < execs; i++)
        for (int k = 0; k < SIDES; k++)
          {
            int side = (int) (i + (size_t) k) % SIDES;
            time[side][i] = one_exec (side, argv, &faults[side]);
          }
      for (int side = 0; side < SIDES; side++)
        middle[side][r] = median (time[side], execs);
      ratio[r] = middle[HAKMEM][r] / middle[LIBC][r];
    }
  printf ("ratio %.3f\n", median (ratio, rounds));
  for (int side = 0; side < SIDES; side++)
    printf ("%s %.0f %ld\n", side_name[side], median (middle[side], rounds),
            faults[side]);
}

/* The KiB in line NAME of smaps_rollup text.  */
static long
field (const char *text, const char *name)
{
  const char *at = strstr (text, name);
  return at != NULL ? strtol (at + strlen (name), NULL, 10) : -1;
}

static void
measure_memory (int side)
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
  long anonymous = field (text, "\nAnonymous:");
  if (anonymous < 0)
    {
      fprintf (stderr, "startup: no Anonymous in %s\n", path);
      exit (1);
    }
  printf ("%s %ld %ld %ld\n", side_name[side], anonymous,
          field (text, "\nPrivate_Dirty:"), field (text, "\nRss:"));
}

int
main (int argc, char **argv)
{
  if (argc > 5 && strcmp (argv[1], "exec") == 0)
    {
      long rounds = strtol (argv[3], NULL, 10);
      long execs = strtol (argv[4], NULL, 10);
      if (rounds > 0 && execs > 0)
        {
          environs_make (argv[2]);
          measure_execs ((size_t) rounds, (size_t) execs, argv + 5);
          return 0;
        }
    }
  else if (argc == 3 && strcmp (argv[1], "memory") == 0)
    {
      environs_make (argv[2]);
      for (int side = 0; side < SIDES; side++)
        measure_memory (side);
      return 0;
    }
  fprintf (stderr,
           "usage: startup exec LIBRARY ROUNDS EXECS PROGRAM [ARGUMENT...]\n"
           "       startup memory LIBRARY\n");
  return 2;
}
