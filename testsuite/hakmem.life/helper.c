/* The library's own thread (HAKMEM_LEARN_THREAD).  The argument says what is to be
   seen of it:

   works    it ends windows and gives idle memory back while all threads sleep,
            in a fork's child too; signals, setuid and the end of the process pass
            it by
   idle     it calls futex and nothing else (a filter kills for it)
   memory   "anonymous N": KiB of a process that has it, or has it not
   keeps    idle memory is not given back by anybody
   ends N   N processes that end while it is at work, each in one of all ways
   refused  a process that may not have it goes on by ticks  */
#include "../hakmem.concur/concur.h"
#include "hakmem/hakmem.h"

#include <dirent.h>
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static __typeof__ (hakmem_ctl) *ctl;

static uint64_t
windows (void)
{
  uint64_t value = 0;
  size_t length = sizeof value;
  if (ctl == NULL || ctl ("learn.windows", &value, &length, NULL, 0) != 0)
    die ("ctl", "no learn.windows");
  return value;
}

static void
sleep_ms (long ms)
{
  struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
  while (nanosleep (&t, &t) != 0)
    ;
}

/* Sleep until MORE windows ended; false: they don't within 20 s.  */
static bool
windows_end (unsigned more)
{
  uint64_t was = windows ();
  for (int i = 0; i < 2000 && windows () < was + more; i++)
    sleep_ms (10);
  return windows () >= was + more;
}

/* A small file whole.  */
static const char *
contents (const char *path)
{
  static char text[16384];
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  size_t n = 0;
  ssize_t more;
  while (fd >= 0 && n < sizeof text - 1
         && (more = read (fd, text + n, sizeof text - 1 - n)) > 0)
    n += (size_t) more;
  close (fd);
  text[n] = '\0';
  return text;
}

/* The thread's id; 0: there is none.  *COUNT: of all threads.  */
static pid_t
helper_tid (int *count)
{
  DIR *all = opendir ("/proc/self/task");
  struct dirent *one;
  pid_t found = 0;
  *count = 0;
  while ((one = readdir (all)) != NULL)
    {
      char path[80];
      if (one->d_name[0] == '.')
        continue;
      ++*count;
      snprintf (path, sizeof path, "/proc/self/task/%.20s/comm", one->d_name);
      if (strcmp (contents (path), "hakmem-learn\n") == 0)
        found = atoi (one->d_name);
    }
  closedir (all);
  return found;
}

/* It names itself a moment after it was made.  */
static pid_t
helper_there (int threads)
{
  int count = 0;
  pid_t tid = 0;
  for (int i = 0; i < 2000 && (tid == 0 || count != threads); i++)
    {
      tid = helper_tid (&count);
      if (tid == 0 || count != threads)
        sleep_ms (10);
    }
  return count == threads ? tid : 0;
}

static int
ended_as (pid_t child)
{
  int status = -1;
  while (child > 0 && waitpid (child, &status, 0) != child && errno == EINTR)
    ;
  return child > 0 ? status : -1;
}

/* ---- works ---- */

static pid_t handled_by;
static void
handler (int signal)
{
  (void) signal;
  __atomic_store_n (&handled_by, (pid_t) syscall (SYS_gettid), __ATOMIC_RELAXED);
}

/* Signals for the process go to its own threads, be all of them busy.  */
static void
signals (pid_t helper)
{
  struct sigaction action = { .sa_handler = handler };
  sigset_t one, before;
  int wrong = 0;
  sigaction (SIGUSR1, &action, NULL);
  sigemptyset (&one);
  sigaddset (&one, SIGUSR1);
  for (int i = 0; i < 200; i++)
    {
      handled_by = 0;
      sigprocmask (SIG_BLOCK, &one, &before);
      kill (getpid (), SIGUSR1);
      sched_yield ();
      wrong += __atomic_load_n (&handled_by, __ATOMIC_RELAXED) != 0;
      sigprocmask (SIG_SETMASK, &before, NULL);
      wrong += __atomic_load_n (&handled_by, __ATOMIC_RELAXED) != getpid ();
    }
  verdict (wrong == 0, "signals are not its business", "%d of 200", wrong);
  char path[80];
  unsigned long long blocked = 0;
  snprintf (path, sizeof path, "/proc/self/task/%d/status", helper);
  const char *line = strstr (contents (path), "SigBlk:");
  if (line != NULL)
    blocked = strtoull (line + 7, NULL, 16);
  /* All but KILL, STOP and libc's own two.  */
  verdict (blocked == (~0ull & ~(1ull << 8 | 1ull << 18 | 3ull << 31)),
           "it blocks all others", "%llx", blocked);
}

/* setuid has every thread of the process take a signal of libc's.  */
static void
set_uid (void)
{
  if (getuid () != 0)
    {
      say ("skip setuid: not root");
      return;
    }
  pid_t child = fork ();
  if (child == 0)
    {
      char path[80], want[80];
      int count;
      alarm (20);
      free (malloc (100));
      pid_t tid = helper_there (2);
      if (tid == 0 || setuid (65534) != 0)
        _exit (1);
      snprintf (path, sizeof path, "/proc/self/task/%d/status", tid);
      snprintf (want, sizeof want, "Uid:\t65534\t65534\t65534\t65534");
      _exit (strstr (contents (path), want) == NULL || helper_tid (&count) != tid);
    }
  int status = ended_as (child);
  verdict (status == 0, "setuid", "status %#x", status);
}

static void
in_child (const char *name, int generations)
{
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (60);
      if (!windows_end (5) || helper_there (2) == 0)
        _exit (1);
      if (generations > 1)
        {
          in_child (name, generations - 1);
          _exit (failures != 0);
        }
      _exit (0);
    }
  int status = ended_as (child);
  if (generations == 1 || status != 0)
    verdict (status == 0, name, "status %#x", status);
}

/* 64 MiB in blocks of all layers, all free again.  */
static void
use_and_free (void)
{
  enum { N = 4096 };
  static block *kept[N];
  uint64_t random = 5;
  size_t sum = 0;
  int n = 0;
  for (; n < N && sum < (64 << 20); n++)
    {
      size_t size = draw_size (&random, 2000, n % 64 == 0 ? 3000000 : 60000);
      kept[n] = block_new (size, &random);
      sum += size;
    }
  while (n > 0)
    block_free (kept[--n]);
}

static size_t
anonymous_kib (void)
{
  const char *line = strstr (contents ("/proc/self/smaps_rollup"), "Anonymous:");
  return line != NULL ? strtoull (line + 10, NULL, 10) : 0;
}

/* Nobody calls the library meanwhile.  */
static bool
memory_goes (int seconds)
{
  size_t most = anonymous_kib ();
  for (int i = 0; i < seconds * 50 && anonymous_kib () > most / 4; i++)
    sleep_ms (20);
  say ("# %zu KiB, and later %zu", most, anonymous_kib ());
  return anonymous_kib () <= most / 4;
}

static void *
outlives_main (void *main_thread)
{
  pthread_join (*(pthread_t *) main_thread, NULL);
  free (malloc (1000));
  return NULL;
}

/* main is gone, then the last of its threads: libc ends the process then.  */
static void
last_thread (void)
{
  pid_t child = fork ();
  if (child == 0)
    {
      static pthread_t self;
      self = pthread_self ();
      alarm (20);
      free (malloc (100));
      thread_start (outlives_main, &self);
      pthread_exit (NULL);
    }
  int status = ended_as (child);
  verdict (status == 0, "the last thread ends the process", "status %#x", status);
}

static void
works (void)
{
  free (malloc (100));
  pid_t tid = helper_there (2);
  verdict (tid != 0, "there is one", "none");
  verdict (windows_end (10), "windows end while all sleep", "not");
  signals (tid);
  set_uid ();
  in_child ("in a child, and in its child", 2);
  last_thread ();
  use_and_free ();
  verdict (memory_goes (20), "idle memory goes while all sleep", "it stays");
}

/* ---- idle ---- */

#define ALLOW(call)                                                           \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                     \
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(member)                                                          \
  BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, member))

static bool
filter (struct sock_filter *code, unsigned short n, unsigned flags)
{
  struct sock_fprog program = { n, code };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
}

static void
idle (void)
{
  free (malloc (100));
  if (helper_there (2) == 0 || !windows_end (2))
    die ("idle", "no thread");
  struct sock_filter code[] = {
    LOAD (nr), ALLOW (futex),
    ALLOW (restart_syscall), /* the same, gone on with */
    /* what this thread does meanwhile */
    ALLOW (nanosleep), ALLOW (clock_nanosleep), ALLOW (write), ALLOW (exit_group),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  if (!filter (code, sizeof code / sizeof *code, SECCOMP_FILTER_FLAG_TSYNC))
    {
      say ("no seccomp filters here (%d)", errno);
      _exit (77);
    }
  verdict (windows_end (30), "no call but futex", "no windows");
  _exit (finish ());
}

/* ---- ends ---- */

static void
leave (int signal)
{
  (void) signal;
  _exit (0);
}

static void *
leave_all (void *unused)
{
  free (malloc (30000));
  exit (0);
  return unused;
}

/* One short life: it works a little, and ends in way HOW.  */
static void
end (int how)
{
  uint64_t random = mix (how + 1);
  for (int i = 0; i < 50 * (how % 7); i++)
    block_free (block_new (draw_size (&random, 16, 40000), &random));
  switch (how % 8)
    {
    case 0: exit (0);
    case 1: _exit (0);
    case 2: quick_exit (0);
    case 3: pthread_exit (NULL);
    case 4: execl ("/bin/true", "true", (char *) NULL); _exit (1);
    case 5: signal (SIGUSR1, leave); raise (SIGUSR1); break;
    case 6: thread_start (leave_all, NULL); pause (); break;
    case 7: ended_as (fork ()); break;
    }
  exit (0);
}

static void
ends (const char *self, long n)
{
  extern char **environ;
  int broken = 0, status = 0;
  for (long i = 0; i < n; i++)
    {
      char how[20];
      char *arguments[] = { (char *) self, "end", how, NULL };
      pid_t child;
      snprintf (how, sizeof how, "%ld", i);
      if (posix_spawn (&child, self, NULL, NULL, arguments, environ) != 0)
        die ("ends", "posix_spawn");
      int was = ended_as (child);
      if (was != 0)
        broken++, status = was;
    }
  verdict (broken == 0, "processes end", "%d of %ld, status %#x", broken, n,
           status);
}

/* ---- refused ---- */

static void
refused (const char *self)
{
  /* A thread is refused, be it asked for by clone3 or by clone.  */
  struct sock_filter code[] = {
    LOAD (nr),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  if (!filter (code, sizeof code / sizeof *code, 0))
    {
      say ("no seccomp filters here (%d)", errno);
      _exit (77);
    }
  execl (self, self, "without", (char *) NULL);
}

static void
without (void)
{
  uint64_t random = 7;
  int count = 0;
  free (malloc (100));
  verdict (helper_tid (&count) == 0 && count == 1, "a process without it", "%d",
           count);
  uint64_t was = windows ();
  for (int i = 0; i < 20000 && windows () < was + 3; i++)
    {
      for (int k = 0; k < 1000; k++)
        block_free (block_new (draw_size (&random, 3000, 60000), &random));
      sleep_ms (1);
    }
  verdict (windows () >= was + 3, "ticks end windows", "not");
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "works";
  ctl = (__typeof__ (ctl)) dlsym (RTLD_DEFAULT, "hakmem_ctl");
  uint64_t none;
  size_t length = sizeof none;
  if (strcmp (what, "end") == 0)
    end (atoi (argv[2]));
  else if (ctl == NULL || ctl ("learn.windows", &none, &length, NULL, 0) != 0)
    {
      say ("built without learning");
      return 77;
    }
  else if (strcmp (what, "works") == 0)
    works ();
  else if (strcmp (what, "idle") == 0)
    idle ();
  else if (strcmp (what, "memory") == 0)
    {
      free (malloc (100));
      sleep_ms (500);
      say ("anonymous %zu", anonymous_kib ());
    }
  else if (strcmp (what, "keeps") == 0)
    {
      use_and_free ();
      verdict (!memory_goes (2), "idle memory stays", "it went");
    }
  else if (strcmp (what, "ends") == 0)
    ends (argv[0], argc > 2 ? atol (argv[2]) : 1000);
  else if (strcmp (what, "refused") == 0)
    refused (argv[0]);
  else if (strcmp (what, "without") == 0)
    without ();
  return finish ();
}
