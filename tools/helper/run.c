/* Running one program and printing what the library reports of it: see helper.h.
   This process is the program's parent; it passes signals on, and ends as the
   program did.  */
#define _GNU_SOURCE
#include "helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125, NO_EXEC = 126, NOT_FOUND = 127 }; /* as env */

/* Where each process of the program's leaves its report, by number.  */
static char reports[PATH_MAX];

static int
fail (const char *what)
{
  fprintf (stderr, "hakmem-run: %s: %s\n", what, strerror (errno));
  return FAILED;
}

static bool
make_reports (const char *form)
{
  char pattern[PATH_MAX + 4];
  const char *tmp = getenv ("TMPDIR");

  snprintf (reports, sizeof reports, "%s/hakmem-run.XXXXXX",
            tmp != NULL && *tmp == '/' ? tmp : "/tmp");
  if (mkdtemp (reports) == NULL)
    return false;
  snprintf (pattern, sizeof pattern, "%s/%%p", reports);
  return setenv ("HAKMEM_STATS", "exit", 1) == 0
         && setenv ("HAKMEM_STATS_FORMAT", form, 1) == 0
         && setenv ("HAKMEM_STATS_FILE", pattern, 1) == 0;
}

/* Pass signals to PID until it has ended; its wait status.  What a terminal
   sends, the program gets from there, being of the same process group.  */
static int
attend (pid_t pid, const sigset_t *signals)
{
  int status = 0;
  siginfo_t info;

  for (;;)
    {
      int signal = sigwaitinfo (signals, &info);
      if (signal == SIGCHLD)
        {
          if (waitpid (pid, &status, WNOHANG) == pid)
            return status;
        }
      else if (signal > 0 && info.si_code <= 0)
        kill (pid, signal);
    }
}

/* Print the report of process PID; how many others there are.  */
static unsigned
print_report (pid_t pid, bool *printed)
{
  char name[PATH_MAX + 32], bytes[4096];
  unsigned others = 0;
  struct dirent *entry;
  DIR *dir = opendir (reports);

  snprintf (name, sizeof name, "%s/%ld", reports, (long) pid);
  int fd = open (name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  ssize_t n;
  *printed = false;
  while (fd >= 0 && (n = read (fd, bytes, sizeof bytes)) > 0)
    *printed = fwrite (bytes, 1, (size_t) n, stderr) == (size_t) n;
  if (fd >= 0)
    close (fd);
  while (dir != NULL && (entry = readdir (dir)) != NULL)
    if (entry->d_name[0] != '.')
      {
        others += strtol (entry->d_name, NULL, 10) != pid;
        unlinkat (dirfd (dir), entry->d_name, 0);
      }
  if (dir != NULL)
    closedir (dir);
  rmdir (reports);
  return others;
}

/* What is to be said of PROGRAM, process PID; NULL: it was not started.  */
static void
print_all (const char *program, pid_t pid)
{
  bool printed;

  if (program != NULL)
    fprintf (stderr, "\n-- libhakmem: %s --\n", program);
  unsigned others = print_report (pid, &printed);
  if (program != NULL && !printed)
    fputs ("no summary: the program was killed, left by _exit, was opted out"
           " or could not\nwrite it, or the library has no statistics\n", stderr);
  if (others > 0)
    fprintf (stderr, "(%u other process%s that it started ran on libhakmem"
             " too)\n", others, others == 1 ? "" : "es");
}

/* End as the program did.  */
static int
end_as (int status)
{
  static const struct rlimit no_core = { 0, 0 };
  sigset_t one;

  if (WIFEXITED (status))
    return WEXITSTATUS (status);
  int number = WTERMSIG (status);
  setrlimit (RLIMIT_CORE, &no_core); /* the program's own is enough */
  signal (number, SIG_DFL);
  raise (number);
  sigemptyset (&one);
  sigaddset (&one, number);
  sigprocmask (SIG_UNBLOCK, &one, NULL);
  return 128 + number;
}

/* Turn into the program; returns only if that can't be.  */
static int
become (const char *preload, char **argv)
{
  if (*preload != '\0' && setenv ("LD_PRELOAD", preload, 1) != 0)
    return fail ("LD_PRELOAD");
  execvp (argv[0], argv);
  int status = errno == ENOENT ? NOT_FOUND : NO_EXEC;
  fail (argv[0]);
  return status;
}

/* The signals that are passed on: not those that our own faults would send, nor
   those that stop us together with the program.  */
static void
choose_signals (sigset_t *signals)
{
  static const int left[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTSTP, SIGTTIN,
                              SIGTTOU };

  sigfillset (signals);
  for (unsigned i = 0; i < sizeof left / sizeof *left; i++)
    sigdelset (signals, left[i]);
}

/* The child: what it must tell, that it is not the program yet, goes into
   FAILURE, which is closed if it is.  */
static _Noreturn void
start (const char *preload, char **argv, pid_t parent, const sigset_t *mask,
       int failure)
{
  sigprocmask (SIG_SETMASK, mask, NULL);
  /* SIGKILL is the one signal that can't be passed on.  */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  int status = getppid () != parent ? FAILED : become (preload, argv);
  if (write (failure, "", 1) != 1)
    status = FAILED;
  _exit (status);
}

int
helper_run (const char *form, const char *preload, char **argv)
{
  sigset_t signals, mask;
  int status, failure[2];
  char byte;

  if (strcmp (form, "none") == 0)
    return become (preload, argv);
  if (!make_reports (form))
    return fail ("a directory for the report");
  choose_signals (&signals);
  signal (SIGCHLD, SIG_DFL);
  sigprocmask (SIG_BLOCK, &signals, &mask);
  pid_t parent = getpid ();
  pid_t pid = pipe2 (failure, O_CLOEXEC) == 0 ? fork () : -1;
  if (pid == 0)
    start (preload, argv, parent, &mask, failure[1]);
  if (pid < 0)
    {
      status = fail ("fork");
      rmdir (reports);
      return status;
    }
  close (failure[1]);
  bool started = read (failure[0], &byte, 1) == 0;
  status = attend (pid, &signals);
  print_all (started ? argv[0] : NULL, pid);
  return end_as (status);
}
