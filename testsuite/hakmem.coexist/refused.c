/* A filter that allows what malloc(7) may ask for once it runs, and kills for
   anything else (strict); or one that refuses with an error number: everything
   (all), or all but more memory (memory ERRNO).  Requests may get NULL where the
   kernel gives nothing; nothing else changes, and blocks made before stay whole.

     refused strict | all ERRNO | memory ERRNO  */
#include "../hakmem.concur/concur.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef SYS_mmap2
#define SYS_MMAP SYS_mmap2
#else
#define SYS_MMAP SYS_mmap
#endif

enum { SLOTS = 1000, STEPS = 20000, BEFORE = 500 };

static block *slot[SLOTS], *before[BEFORE];

static bool
filter (const int *calls, int n, unsigned listed, unsigned others)
{
  struct sock_filter f[32];
  int k = 0;
  f[k++] = (struct sock_filter) BPF_STMT (BPF_LD | BPF_W | BPF_ABS,
                                          offsetof (struct seccomp_data, nr));
  for (int i = 0; i < n; i++)
    f[k++] = (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, calls[i],
                                            n - i, 0);
  f[k++] = (struct sock_filter) BPF_STMT (BPF_RET | BPF_K, others);
  f[k++] = (struct sock_filter) BPF_STMT (BPF_RET | BPF_K, listed);
  struct sock_fprog p = { k, f };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
}

/* How many requests got NULL.  */
static long
work (uint64_t *random)
{
  long nulls = 0;
  for (int i = 0; i < STEPS; i++)
    {
      block **at = &slot[below (random, SLOTS)];
      size_t size = draw_size (random, 16, i % 30 ? 8000 : 3 << 20);
      void *p = *at != NULL && i % 4 == 0 ? realloc (*at, size) : NULL;
      if (p == NULL)
        {
          block_free (*at);
          *at = p = malloc (size);
        }
      else
        *at = p;
      if (p == NULL)
        nulls++;
      else
        block_write (p, size, i);
    }
  for (int i = 0; i < SLOTS; i++)
    {
      block_free (slot[i]);
      slot[i] = NULL;
    }
  malloc_trim (0);
  return nulls;
}

int
main (int argc, char **argv)
{
  static const int five[] = { SYS_MMAP, SYS_munmap, SYS_mremap, SYS_madvise,
                              SYS_futex, SYS_write, SYS_exit_group };
  /* Not brk: libc takes an error number from it for an address.  */
  static const int all[] = { SYS_MMAP, SYS_munmap, SYS_mremap, SYS_madvise,
                             SYS_futex, SYS_sched_yield };
  const char *what = argc > 1 ? argv[1] : "strict";
  unsigned error = SECCOMP_RET_ERRNO | (argc > 2 ? atoi (argv[2]) : EPERM);
  bool strict = strcmp (what, "strict") == 0;
  bool memory = strcmp (what, "memory") == 0;
  uint64_t random = 4;
  for (int i = 0; i < BEFORE; i++)
    before[i] = block_new (draw_size (&random, 16, 100000), &random);
  bool done = strict   ? filter (five, 7, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL)
              : memory ? filter (all + 1, 5, error, SECCOMP_RET_ALLOW)
                       : filter (all, 6, error, SECCOMP_RET_ALLOW);
  if (!done)
    {
      say ("no seccomp filters here (%d)", errno);
      _exit (77);
    }
  long nulls = work (&random) + work (&random);
  for (int i = 0; i < BEFORE; i++)
    block_free (before[i]);
  verdict (strict || memory ? nulls == 0 : nulls > 0, "memory", "%ld times NULL",
           nulls);
  verdict (true, "content", "see above");
  _exit (finish ());
}
