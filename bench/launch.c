/* Runs a program under a library and writes one line on what it cost.

     launch OUT SECONDS LIBRARY|- COUNT PROGRAM [ARGUMENT...]
       runs PROGRAM COUNT times, one after the other, with LIBRARY preloaded,
       for at most SECONDS in all, and writes to OUT:
       wall=S cpu=S peak_kib=K end_kib=K faults=N end=exit:N|signal:N|timeout

   wall is the sum of the runs' times, cpu user and system time of each with
   the children it waited for.  The memory is that of the last run alone, asked
   of the kernel when the process exits: the most that was ever resident and
   what is resident then; of several processes, of the one with most.  ru_maxrss
   would not do: it survives exec, so it starts at the size of the caller.  -1
   stands for not known, where ptrace is not allowed.  */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static struct
{
  double wall, cpu; /* seconds */
  long peak_kib, end_kib;
  long faults; /* page faults, of all runs, with the children waited for */
  int status; /* as wait gives it */
} figures = { 0, 0, -1, -1, 0, 0 };

static volatile pid_t group; /* of the program, which leads it */
static volatile sig_atomic_t stopped_by;

static void
die (const char *what)
{
  fprintf (stderr, "launch: %s: %s\n", what, strerror (errno));
  if (group > 0)
    kill (-group, SIGKILL);
  exit (2);
}

static void
stop (int sig)
{
  stopped_by = sig;
  if (group > 0)
    kill (-group, SIGKILL);
}

static double
seconds_of (struct timeval t)
{
  return (double) t.tv_sec + (double) t.tv_usec / 1e6;
}

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* The KiB in line NAME of /proc/PID/FILE, or -1.  */
static long
kib_of (pid_t pid, const char *file, const char *name)
{
  char path[64], text[4096];
  snprintf (path, sizeof path, "/proc/%ld/%s", (long) pid, file);
  FILE *f = fopen (path, "r");
  if (f == NULL)
    return -1;
  size_t n = fread (text, 1, sizeof text - 1, f);
  fclose (f);
  text[n] = '\0';
  const char *at = strstr (text, name);
  return at != NULL ? strtol (at + strlen (name), NULL, 10) : -1;
}

/* PID is about to exit and still has its memory.  smaps_rollup counts pages;
   status may lag behind by some.  */
static void
note_memory (pid_t pid)
{
  long end = kib_of (pid, "smaps_rollup", "\nRss:");
  long peak = kib_of (pid, "status", "\nVmHWM:");
  if (end < 0)
    end = kib_of (pid, "status", "\nVmRSS:");
  if (peak < end)
    peak = end;
  if (peak > figures.peak_kib)
    {
      figures.peak_kib = peak;
      figures.end_kib = end;
    }
}

/* PID, which is traced, has stopped.  Threads are never traced: all they could
   tell is that they exit.  */
static void
let_go_on (pid_t pid, pid_t program, int status, bool *seen)
{
  const long wanted = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC
                      | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK
                      | PTRACE_O_EXITKILL;
  int event = status >> 16, sig = WSTOPSIG (status);
  if (event == PTRACE_EVENT_EXIT)
    note_memory (pid);
  if (pid == program && !*seen) /* its first stop: it has exec'd */
    {
      *seen = true;
      event = 1;
      if (ptrace (PTRACE_SETOPTIONS, pid, NULL, wanted) != 0)
        die ("PTRACE_SETOPTIONS");
    }
  /* A child's first stop is a SIGSTOP nobody sent.  */
  bool ours = event != 0 || sig == SIGSTOP;
  ptrace (PTRACE_CONT, pid, NULL, ours ? 0L : (long) sig);
}

/* Returns when PROGRAM has ended; other children of the trace go on.  */
static void
await (pid_t program, bool traced)
{
  bool seen = false;
  for (;;)
    {
      struct rusage usage;
      int status;
      pid_t pid = wait4 (-1, &status, __WALL, &usage);
      if (pid < 0 && errno == EINTR)
        continue;
      if (pid < 0)
        die ("wait4");
      if (WIFSTOPPED (status))
        let_go_on (pid, program, status, &seen);
      else if (pid == program)
        {
          figures.status = status;
          figures.cpu += seconds_of (usage.ru_utime)
                         + seconds_of (usage.ru_stime);
          figures.faults += usage.ru_minflt + usage.ru_majflt;
          if (traced && !seen)
            figures.peak_kib = usage.ru_maxrss;
          return;
        }
    }
}

/* Starts ARGV in ENVIRONMENT, in a process group of its own.  The child of
   vfork does nothing but system calls.  */
static pid_t
start (char **argv, char **environment, bool traced)
{
  pid_t pid = vfork ();
  if (pid < 0)
    die ("vfork");
  if (pid == 0)
    {
      setpgid (0, 0);
      if (traced)
        ptrace (PTRACE_TRACEME, 0, NULL, NULL);
      execvpe (argv[0], argv, environment);
      _exit (127);
    }
  return pid;
}

static void
run (char **argv, char **environment, bool traced)
{
  double before = now ();
  group = start (argv, environment, traced);
  if (stopped_by != 0) /* it came before there was a group to kill */
    kill (-group, SIGKILL);
  await (group, traced);
  figures.wall += now () - before;
  kill (-group, SIGKILL); /* whatever it left behind */
  group = 0;
}

static char **
environment_with (const char *library)
{
  size_t n = 0;
  while (environ[n] != NULL)
    n++;
  char **list = calloc (n + 2, sizeof *list), **to = list;
  char *preload;
  if (list == NULL || asprintf (&preload, "LD_PRELOAD=%s", library) < 0)
    die ("no memory");
  for (size_t i = 0; i < n; i++)
    if (strncmp (environ[i], "LD_PRELOAD=", 11) != 0)
      *to++ = environ[i];
  if (strcmp (library, "-") != 0)
    *to = preload;
  return list;
}

static void
write_figures (const char *path)
{
  FILE *f = fopen (path, "w");
  if (f == NULL)
    die (path);
  fprintf (f, "wall=%.6f cpu=%.6f peak_kib=%ld end_kib=%ld faults=%ld ",
           figures.wall, figures.cpu, figures.peak_kib, figures.end_kib,
           figures.faults);
  if (stopped_by == SIGALRM)
    fprintf (f, "end=timeout\n");
  else if (WIFSIGNALED (figures.status))
    fprintf (f, "end=signal:%d\n", WTERMSIG (figures.status));
  else
    fprintf (f, "end=exit:%d\n", WEXITSTATUS (figures.status));
  if (fclose (f) != 0)
    die (path);
}

int
main (int argc, char **argv)
{
  static const int stops[] = { SIGALRM, SIGINT, SIGTERM, SIGHUP };
  if (argc < 6)
    {
      fprintf (stderr, "usage: launch OUT SECONDS LIBRARY|- COUNT PROGRAM "
                       "[ARGUMENT...]\n");
      return 2;
    }
  struct sigaction action = { .sa_handler = stop };
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
    sigaction (stops[i], &action, NULL);
  alarm ((unsigned) strtoul (argv[2], NULL, 10));
  char **environment = environment_with (argv[3]);
  long count = strtol (argv[4], NULL, 10);
  for (long i = 1; i <= count && !stopped_by && figures.status == 0; i++)
    run (argv + 5, environment, i == count);
  if (stopped_by != 0 && stopped_by != SIGALRM)
    return 128 + stopped_by;
  write_figures (argv[1]);
  return 0;
}
