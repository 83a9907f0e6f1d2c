/* Once running, the allocator needs mmap, munmap, mremap, madvise with three
   advices, and futex, and nothing else: any other system call kills the process.
   With the argument "refuse", madvise and mremap fail too, which may cost memory
   but no block.  */
#include "../hakmem.concur/concur.h"
#include <dirent.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { THREADS = 4, SHARED = 512, STEPS = 20000 };

static block *shared[SHARED];
static pthread_barrier_t running, filtered;

#define ALLOW(call)                                                           \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                     \
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define MAY_REFUSE(call, how)                                                 \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                     \
      BPF_STMT (BPF_RET | BPF_K, (how))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define THIRD_ARGUMENT offsetof (struct seccomp_data, args[2])
#else
#define THIRD_ARGUMENT offsetof (struct seccomp_data, args[2]) + 4
#endif

/* For all threads at once.  False: this kernel or container can't.  */
static bool
install (bool refuse)
{
  uint32_t how = refuse ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_ALLOW;
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    ALLOW (mmap), ALLOW (munmap), ALLOW (futex), MAY_REFUSE (mremap, how),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 6),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, THIRD_ARGUMENT),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, MADV_DONTNEED, 3, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, MADV_NOHUGEPAGE, 2, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, MADV_HUGEPAGE, 1, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_RET | BPF_K, how),
    /* what this program and the end of its threads need */
    ALLOW (write), ALLOW (exit), ALLOW (exit_group), ALLOW (rt_sigprocmask),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = { sizeof code / sizeof *code, code };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                     SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/* Wait until all other threads sleep: one of the library's own (filter_helper) may
   just be starting, and libc registers it by a call that the filter forbids.  */
static void
settle (void)
{
  for (int awake = 1; awake > 0;)
    {
      DIR *tasks = opendir ("/proc/self/task");
      awake = -1; /* this thread */
      for (struct dirent *e; tasks != NULL && (e = readdir (tasks)) != NULL;)
        {
          char path[300], state = 'S';
          snprintf (path, sizeof path, "/proc/self/task/%s/stat", e->d_name);
          FILE *stat = *e->d_name == '.' ? NULL : fopen (path, "r");
          if (stat != NULL && fscanf (stat, "%*d (%*[^)]) %c", &state) == 1)
            awake += state != 'S';
          if (stat != NULL)
            fclose (stat);
        }
      if (tasks != NULL)
        closedir (tasks);
      sched_yield ();
    }
}

static void *
work (void *arg)
{
  uint64_t random = mix ((long) arg);
  free (malloc (1)); /* this thread's heap is made before */
  pthread_barrier_wait (&running);
  pthread_barrier_wait (&filtered);
  for (int i = 0; i < STEPS; i++)
    block_turn (shared, SHARED, &random, i, 50);
  return NULL;
}

int
main (int argc, char **argv)
{
  bool refuse = argc > 1 && strcmp (argv[1], "refuse") == 0;
  pthread_t thread[THREADS];
  pthread_barrier_init (&running, NULL, THREADS + 1);
  pthread_barrier_init (&filtered, NULL, THREADS + 1);
  uint64_t random = 99;
  block_free (block_new (100, &random));
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (work, (void *) i);
  pthread_barrier_wait (&running);
  settle ();
  if (!install (refuse))
    {
      say ("no seccomp filters here (%d)", errno);
      _exit (77);
    }
  pthread_barrier_wait (&filtered);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  for (int i = 0; i < SHARED; i++)
    block_free (block_swap (&shared[i], NULL));
  malloc_trim (0);
  verdict (true, refuse ? "without madvise and mremap" : "five calls", "content");
  _exit (finish ());
}
