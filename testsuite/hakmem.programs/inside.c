/* inside - run a command in a Debian tree, apart from the machine.

     inside ROOT PRELOAD|- USER SECONDS DIRECTORY REPORT COMMAND...

   As root.  COMMAND runs in DIRECTORY of ROOT as user number USER, with
   processes, mounts, loopback and shared memory of its own, and with the file
   PRELOAD in the place of ROOT/etc/ld.so.preload (which must exist).  Whatever
   it started ends with it, or after SECONDS.  REPORT gets one line: exit
   status (128 + signal; 137 after the time limit), peak resident KiB of the
   largest process, milliseconds.  SECONDS 0: the machine's network, no limit.
   Exit status 0, or 125 if COMMAND could not be run.  */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t timed_out;

static void
check (int good, const char *what)
{
  if (good)
    return;
  fprintf (stderr, "inside: %s: %s\n", what, strerror (errno));
  exit (125);
}

static void
on_alarm (int signal)
{
  (void) signal;
  timed_out = 1;
  kill (-1, SIGKILL);           /* all but this process, which is the first */
}

static void
device (const char *path, int major, int minor)
{
  check (mknod (path, S_IFCHR | 0666, makedev (major, minor)) == 0, path);
  check (chmod (path, 0666) == 0, path);
}

static void
fresh (const char *path, const char *type, const char *options)
{
  mkdir (path, 0755);
  check (mount (type, path, type, MS_NOSUID, options) == 0, path);
}

/* The tree with fresh /dev, /proc, /tmp and /run becomes the root.  */
static void
enter (const char *root, const char *preload)
{
  check (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mounts");
  check (mount (root, root, NULL, MS_BIND, NULL) == 0, root);
  check (chdir (root) == 0, root);
  if (strcmp (preload, "-") != 0)
    check (mount (preload, "etc/ld.so.preload", NULL, MS_BIND, NULL) == 0,
           "etc/ld.so.preload");
  fresh ("dev", "tmpfs", "mode=755");
  device ("dev/null", 1, 3);
  device ("dev/zero", 1, 5);
  device ("dev/full", 1, 7);
  device ("dev/random", 1, 8);
  device ("dev/urandom", 1, 9);
  device ("dev/tty", 5, 0);
  fresh ("dev/shm", "tmpfs", "mode=1777");
  fresh ("dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=620,gid=5");
  check (symlink ("pts/ptmx", "dev/ptmx") == 0
         && symlink ("/proc/self/fd", "dev/fd") == 0, "dev");
  fresh ("proc", "proc", NULL);
  fresh ("sys", "sysfs", NULL);
  fresh ("tmp", "tmpfs", "mode=1777");
  fresh ("run", "tmpfs", "mode=755");
  check (syscall (SYS_pivot_root, ".", ".") == 0, "pivot_root");
  check (umount2 (".", MNT_DETACH) == 0 && chdir ("/") == 0, "old root");
}

static void
loopback_up (void)
{
  struct ifreq interface = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  int s = socket (AF_INET, SOCK_DGRAM, 0);

  check (s >= 0 && ioctl (s, SIOCSIFFLAGS, &interface) == 0, "loopback");
  close (s);
}

static void
become (uid_t user, const char *directory, char **command)
{
  struct rlimit no_core = { 0, 0 };

  setrlimit (RLIMIT_CORE, &no_core);
  setsid ();
  check (chdir (directory) == 0, directory);
  if (user != 0)
    check (setgroups (0, NULL) == 0 && setgid (user) == 0
           && setuid (user) == 0, "user");
  execvp (command[0], command);
  check (0, command[0]);
}

/* The first process of the new ones: waits for all, ends all.  */
static int
first (char **argv)
{
  unsigned int seconds = (unsigned int) atoi (argv[4]);
  struct timespec begin, end;
  struct rusage usage;
  int status = 0, code;
  pid_t child, gone;
  FILE *report = fopen (argv[6], "we");

  check (report != NULL, argv[6]);
  enter (argv[1], argv[2]);
  if (seconds != 0)
    loopback_up ();
  clock_gettime (CLOCK_MONOTONIC, &begin);
  child = fork ();
  check (child >= 0, "fork");
  if (child == 0)
    become ((uid_t) atoi (argv[3]), argv[5], argv + 7);
  signal (SIGALRM, on_alarm);
  alarm (seconds);
  do
    gone = wait (&code);
  while (gone != child && (gone > 0 || errno == EINTR));
  status = WIFSIGNALED (code) ? 128 + WTERMSIG (code) : WEXITSTATUS (code);
  clock_gettime (CLOCK_MONOTONIC, &end);
  alarm (0);
  kill (-1, SIGKILL);
  while (wait (NULL) > 0 || errno == EINTR)
    ;
  getrusage (RUSAGE_CHILDREN, &usage);
  fprintf (report, "%d %ld %ld\n", timed_out ? 137 : status, usage.ru_maxrss,
           (end.tv_sec - begin.tv_sec) * 1000
           + (end.tv_nsec - begin.tv_nsec) / 1000000);
  return fclose (report) == 0 ? 0 : 125;
}

int
main (int argc, char **argv)
{
  int code, apart = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  pid_t child;

  if (argc < 8)
    {
      fprintf (stderr, "usage: inside ROOT PRELOAD|- USER SECONDS DIRECTORY"
               " REPORT COMMAND...\n");
      return 125;
    }
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (strcmp (argv[4], "0") != 0)
    apart |= CLONE_NEWNET;
  check (unshare (apart) == 0, "unshare");
  check (sethostname ("matrix", 6) == 0, "sethostname");
  child = fork ();
  check (child >= 0, "fork");
  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      exit (first (argv));
    }
  check (waitpid (child, &code, 0) == child, "wait");
  return WIFEXITED (code) ? WEXITSTATUS (code) : 125;
}
