/* Under the filters of two programs that sandbox themselves, as to what a process
   may do that computes (their calls for files and sockets are left out):

     sandbox man      man-db 2.11's: what is not listed gets ENOSYS.  It comes
                      before exec, so that this program starts under it
     sandbox sshd     OpenSSH 9.2's before login: what is not listed kills
     sandbox sshd_10  OpenSSH 10's: further arguments are looked at

   sshd's come while the process runs, for all its threads.  Everything works: no
   call kills, and no request gets NULL.  The rules are the filters' own, in their
   order; which calls make no difference to them is said where they are.  */
#include "../hakmem.concur/concur.h"
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { THREADS = 8, SHARED = 512, STEPS = 4000 };

/* What is asked of a call's argument; the rule is passed over if it isn't so.  */
enum test { ANY, EQUAL, WITHIN, BEYOND };

struct rule
{
  int call;
  uint32_t action;
  enum test test;
  unsigned argument;
  uint32_t value; /* to be equal to; or the bits to be within or beyond */
  uint32_t ignored; /* bits that don't count */
};

#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define CALL(name) { SYS_##name, ALLOW, ANY, 0, 0, 0 }
#define DENY(name, error) { SYS_##name, REFUSE (error), ANY, 0, 0, 0 }
#define RIGHTS(name)                                                          \
  { SYS_##name, ALLOW, WITHIN, 2, PROT_READ | PROT_WRITE, 0 }
#ifdef SYS_mmap2
#define MMAP_CALL SYS_mmap2
#else
#define MMAP_CALL SYS_mmap
#endif
#define MMAP_RIGHTS { MMAP_CALL, ALLOW, WITHIN, 2, PROT_READ | PROT_WRITE, 0 }
#define FUTEX(op)                                                             \
  { SYS_futex, ALLOW, EQUAL, 1, FUTEX_##op,                                   \
    FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME }
#define ADVICE(name) { SYS_madvise, ALLOW, EQUAL, 2, MADV_##name, 0 }

/* Not here: clone3, mbind, perf_event_open, memfd_create and all else that is
   new, moves memory about, or makes things.  */
static const struct rule man_rules[] = {
  CALL (brk), { MMAP_CALL, ALLOW, ANY, 0, 0, 0 }, CALL (mprotect),
  CALL (munmap), CALL (madvise), CALL (mremap), CALL (msync),
  CALL (futex), CALL (get_robust_list), CALL (set_robust_list),
  CALL (set_tid_address), CALL (rseq), CALL (membarrier),
  CALL (sched_getaffinity), CALL (sched_yield), CALL (clock_gettime),
  CALL (clock_getres), CALL (clock_nanosleep), CALL (nanosleep),
  CALL (gettimeofday), CALL (getrandom), CALL (prlimit64), CALL (sysinfo),
  CALL (uname), CALL (getpid), CALL (getppid), CALL (gettid), CALL (getuid),
  CALL (geteuid), CALL (getgid), CALL (getegid), CALL (execve),
  CALL (exit), CALL (exit_group), CALL (clone), CALL (wait4), CALL (waitid),
  CALL (kill), CALL (tgkill), CALL (prctl), CALL (getrusage),
  CALL (rt_sigaction), CALL (rt_sigprocmask), CALL (rt_sigreturn),
  CALL (sigaltstack), CALL (restart_syscall), CALL (read), CALL (readv),
  CALL (pread64), CALL (write), CALL (writev), CALL (lseek), CALL (close),
  CALL (dup), CALL (dup3), CALL (pipe2), CALL (fcntl), CALL (fstat),
  CALL (statx), CALL (faccessat), CALL (readlinkat), CALL (getdents64),
  CALL (getcwd), CALL (ppoll), CALL (pselect6),
  { SYS_openat, ALLOW, EQUAL, 2, O_RDONLY, ~(uint32_t) O_ACCMODE },
  { SYS_ioctl, ALLOW, EQUAL, 1, 0x5401 /* TCGETS */, 0 },
#ifdef SYS_newfstatat
  CALL (newfstatat),
#endif
#ifdef SYS_arch_prctl
  CALL (arch_prctl), CALL (access), CALL (readlink), CALL (pipe), CALL (dup2),
  CALL (poll), CALL (select), CALL (fork), CALL (vfork),
  { SYS_open, ALLOW, EQUAL, 1, O_RDONLY, ~(uint32_t) O_ACCMODE },
#endif
};

#ifdef SYS_stat
#define SSHD_OLD_CALLS                                                        \
  DENY (open, EACCES), DENY (stat, EACCES), DENY (lstat, EACCES),             \
      CALL (poll), CALL (select), CALL (time)
#define SSHD_OLD_TEST(rest) SSHD_OLD_CALLS,
#else
#define SSHD_OLD_TEST(rest)
#endif
#ifdef SYS_newfstatat
#define SSHD_NEWFSTATAT DENY (newfstatat, EACCES),
#else
#define SSHD_NEWFSTATAT
#endif
/* Also there: calls that ask who the process is, and to wait for a socket.  */
#define SSHD_COMMON                                                           \
  SSHD_OLD_TEST () SSHD_NEWFSTATAT DENY (openat, EACCES),                     \
      DENY (fstat, EACCES), CALL (brk), CALL (clock_gettime), CALL (close),   \
      CALL (exit), CALL (exit_group), CALL (getpid), CALL (getrandom),        \
      CALL (gettimeofday), RIGHTS (mprotect), CALL (mremap), CALL (munmap),   \
      CALL (nanosleep), CALL (clock_nanosleep), CALL (pselect6), CALL (read), \
      CALL (rt_sigprocmask), CALL (shutdown), CALL (write)

static const struct rule sshd_rules[]
    = { SSHD_COMMON, CALL (futex), CALL (madvise), MMAP_RIGHTS };

static const struct rule sshd_10_rules[] = {
  SSHD_COMMON, DENY (statx, EACCES), CALL (gettid), CALL (ppoll),
  CALL (writev), FUTEX (WAIT), FUTEX (WAIT_BITSET), FUTEX (WAKE),
  FUTEX (WAKE_BITSET), FUTEX (REQUEUE), FUTEX (CMP_REQUEUE), ADVICE (NORMAL),
  ADVICE (FREE), ADVICE (DONTNEED), ADVICE (DONTFORK), ADVICE (DONTDUMP),
  ADVICE (WIPEONFORK), DENY (madvise, EINVAL),
  { MMAP_CALL, REFUSE (EINVAL), BEYOND, 3,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE, 0 },
  MMAP_RIGHTS,
};

static const struct sandbox
{
  const char *name;
  const struct rule *rules;
  size_t n;
  uint32_t others;
} sandboxes[] = {
#define SANDBOX(rules, others) rules, sizeof rules / sizeof *rules, others
  { "man", SANDBOX (man_rules, REFUSE (ENOSYS)) },
  { "sshd", SANDBOX (sshd_rules, SECCOMP_RET_KILL_PROCESS) },
  { "sshd_10", SANDBOX (sshd_10_rules, SECCOMP_RET_KILL_PROCESS) },
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

/* RULE as instructions at F, of which there are at most five; all of them begin
   with the number of the call loaded, and end so.  */
static size_t
compile (const struct rule *rule, struct sock_filter *f)
{
  size_t n = 0;
  unsigned at = offsetof (struct seccomp_data, args) + LOW_HALF
                + 8 * rule->argument;
  bool equal = rule->test == EQUAL;
  uint32_t mask = equal ? ~rule->ignored : ~rule->value;
#define PUT(...) f[n++] = (struct sock_filter) __VA_ARGS__
  PUT (BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, rule->call, 0,
                 rule->test == ANY ? 1 : 5));
  if (rule->test != ANY)
    {
      PUT (BPF_STMT (BPF_LD | BPF_W | BPF_ABS, at));
      PUT (BPF_STMT (BPF_ALU | BPF_AND | BPF_K, mask));
      PUT (BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, equal ? rule->value : 0,
                     rule->test == BEYOND, rule->test != BEYOND));
    }
  PUT (BPF_STMT (BPF_RET | BPF_K, rule->action));
  if (rule->test != ANY)
    PUT (BPF_STMT (BPF_LD | BPF_W | BPF_ABS,
                   offsetof (struct seccomp_data, nr)));
#undef PUT
  return n;
}

/* For all threads at once.  False: this kernel or container can't.  */
static bool
enter (const struct sandbox *box)
{
  static struct sock_filter f[1024];
  size_t n = 0;
  f[n++] = (struct sock_filter) BPF_STMT (BPF_LD | BPF_W | BPF_ABS,
                                          offsetof (struct seccomp_data, nr));
  for (size_t i = 0; i < box->n; i++)
    n += compile (&box->rules[i], &f[n]);
  f[n++] = (struct sock_filter) BPF_STMT (BPF_RET | BPF_K, box->others);
  struct sock_fprog program = { n, f };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                     SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/* The test of the test: the filter is in force, and does what it says.  */
static bool
is_inside (const struct sandbox *box)
{
  if (strcmp (box->name, "man") == 0)
    return syscall (SYS_personality, 0xffffffff) == -1 && errno == ENOSYS;
  if (open ("/dev/null", O_RDONLY) != -1 || errno != EACCES)
    return false;
  if (strcmp (box->name, "sshd") == 0)
    return true;
  static char page[4096] __attribute__ ((aligned (4096)));
  return madvise (page, sizeof page, MADV_WILLNEED) == -1 && errno == EINVAL
         && madvise (page, sizeof page, MADV_NORMAL) != -2
         && mmap (NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED,
                  -1, 0) == MAP_FAILED
         && errno == EINVAL;
}

static block *shared[SHARED];
static pthread_barrier_t running, inside;

/* Of all sizes, freed by other threads, grown: what contends for every lock.  */
static void
churn (uint64_t random)
{
  for (int i = 0; i < STEPS; i++)
    block_turn (shared, SHARED, &random, i, 2);
}

static void *
work (void *arg)
{
  free (malloc (1));
  pthread_barrier_wait (&running);
  pthread_barrier_wait (&inside);
  churn (mix ((long) arg));
  return NULL;
}

/* A block's growth to 64 MiB, with something mapped behind it each time: its pages
   are moved.  Were its bytes copied, the mappings it left would be cached.  */
static void
grow (void)
{
  int (*get) (const char *, uint64_t *)
      = (int (*) (const char *, uint64_t *)) dlsym (RTLD_DEFAULT,
                                                    "hakmem_stats_get");
  uint64_t before = 0, after = 0;
  uintptr_t page = sysconf (_SC_PAGESIZE);
  char *p = NULL;
  malloc_trim (0);
  if (get != NULL)
    get ("big_cached_bytes", &before);
  for (size_t size = 4 << 20; size <= 64 << 20; size += size / 4)
    {
      p = realloc (p, size);
      if (p == NULL)
        die ("memory", "realloc to %zu: %d", size, errno);
      p[0] = p[size - 1] = 'x';
      uintptr_t end = (uintptr_t) p + malloc_usable_size (p) + page - 1;
      mmap ((void *) (end & ~(page - 1)), page, PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    }
  if (get == NULL || get ("big_cached_bytes", &after) != 0)
    say ("skip pages are moved: nobody tells");
  else
    verdict (after <= before, "pages are moved", "%zu bytes more cached",
             (size_t) (after - before));
  free (p);
}

static const struct sandbox *
find (const char *name)
{
  for (size_t i = 0; i < sizeof sandboxes / sizeof *sandboxes; i++)
    if (strcmp (sandboxes[i].name, name) == 0)
      return &sandboxes[i];
  die ("sandbox", "there is no %s", name);
}

int
main (int argc, char **argv)
{
  pthread_t thread[THREADS];
  uint64_t random = 8;
  const struct sandbox *box = find (argc > 1 ? argv[1] : "man");
  bool starts = strcmp (box->name, "man") == 0, started = argc > 2;
  if (starts && !started)
    {
      if (!enter (box))
        return 77;
      execl ("/proc/self/exe", argv[0], box->name, "started", NULL);
      die ("sandbox", "exec: %d", errno);
    }
  block_free (block_new (100, &random));
  pthread_barrier_init (&running, NULL, THREADS + 1);
  pthread_barrier_init (&inside, NULL, THREADS + 1);
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (work, (void *) i);
  pthread_barrier_wait (&running);
  if (!starts && !enter (box))
    {
      say ("no seccomp filters here (%d)", errno);
      _exit (77);
    }
  verdict (is_inside (box), "the filter is in force", "errno %d", errno);
  pthread_barrier_wait (&inside);
  churn (99);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  grow ();
  malloc_trim (0);
  verdict (true, "blocks", "content");
  _exit (finish ());
}
