/* Calls of the family from a signal handler that interrupts one of ours in the
   middle: where it asks the kernel for memory or gives some back, with locks
   held and lists half changed.  A filter makes each such call a signal (SIGSYS),
   so that it happens at the same places every time.

     interrupt return   the handler makes every kind of call, then does what was
                        asked of the kernel and returns: nothing waits, no block
                        is lost, content is kept
     interrupt leave    it leaves by siglongjmp, which the C standard forbids and
                        programs do: a process of one thread goes on, forks and
                        ends; of several, the one that left does (others may wait
                        for it, as with libc)
     interrupt abort    it meets a double free in the handler, and so does the
                        handler of SIGABRT: the process dies, it doesn't hang  */
#include "../hakmem.concur/concur.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#if defined __x86_64__
#define RESULT(c) (c)->uc_mcontext.gregs[REG_RAX]
#define ARGUMENT(c, i)                                                        \
  (c)->uc_mcontext.gregs[((const int[]){ REG_RDI, REG_RSI, REG_RDX })[i]]
#elif defined __aarch64__
#define RESULT(c) (c)->uc_mcontext.regs[0]
#define ARGUMENT(c, i) (c)->uc_mcontext.regs[i]
#endif

#ifndef RESULT
int
main (void)
{
  say ("not known how system calls pass arguments here");
  return 77;
}
#else

enum { PLAIN = MAP_PRIVATE | MAP_ANONYMOUS, BLOCKS = 6000, KINDS = 5 };
static const size_t sizes[KINDS] = { 48, 700, 9000, 200000, 3 << 20 };
static const int counts[KINDS] = { BLOCKS, 300, 100, 12, 3 };

static enum { RETURN, LEAVE, ABORT } mode;
static volatile sig_atomic_t armed, traps;
static sigjmp_buf outside;
static block *outer[KINDS][BLOCKS], *inner[KINDS], *others[BLOCKS];
static uint64_t random_state = 5;

/* As handlers do that were written without a thought: everything.  */
static void
all_calls (void)
{
  for (int k = 0; k < KINDS; k++)
    {
      for (int i = 0; i < counts[k]; i += 2) /* made outside */
        {
          block_free (outer[k][i]);
          outer[k][i] = NULL;
        }
      block_free (inner[k]); /* made by the handler before this one */
      inner[k] = block_new (sizes[k], &random_state);
      block *b = outer[k][1];
      size_t usable = malloc_usable_size (b);
      char *q = realloc (b, sizes[k] * 3);
      if (usable < sizes[k] || q == NULL)
        die ("in the handler", "%zu bytes: %zu usable, %p", sizes[k], usable,
             (void *) q);
      outer[k][1] = block_write ((block *) q, sizes[k] * 3, traps);
      char *zero = calloc (1, sizes[k]), *aligned = memalign (4096, sizes[k]);
      for (size_t n = 0; n < sizes[k]; n++)
        if (zero[n] != 0)
          die ("in the handler", "calloc's block is not zero");
      if ((uintptr_t) aligned % 4096 != 0)
        die ("in the handler", "memalign gave %p", (void *) aligned);
      free (zero);
      free (aligned);
    }
  for (int i = 0; i < BLOCKS; i++) /* another thread's */
    {
      block_free (others[i]);
      others[i] = NULL;
    }
  malloc_trim (0);
  (void) mallinfo2 ();
}

static void
on_call (int sig UNUSED, siginfo_t *info, void *context)
{
  ucontext_t *c = context;
  int saved = errno;
  if (armed)
    {
      armed = 0;
      traps++;
      if (mode == ABORT)
        {
          void *volatile p = malloc (700);
          free (p);
          free (p);
        }
      all_calls ();
      if (mode == LEAVE)
        siglongjmp (outside, 1);
    }
  if (info->si_syscall != SYS_mmap)
    RESULT (c) = -EINVAL; /* nothing given back */
  else
    {
      void *p = mmap ((void *) ARGUMENT (c, 0), ARGUMENT (c, 1),
                      PROT_READ | PROT_WRITE, PLAIN | MAP_NORESERVE, -1, 0);
      RESULT (c) = p == MAP_FAILED ? -errno : (long) p;
    }
  errno = saved;
}

static void
on_abort (int unused UNUSED)
{
  void *volatile p = malloc (100000);
  free (p);
  say ("ok handler of SIGABRT");
  say ("done");
}

/* Mappings as the allocator makes them, and slots it gives back: not what libc
   does for threads, where signals are blocked.  */
static bool
install (void)
{
  enum { NR = offsetof (struct seccomp_data, nr) };
#define LOW(i) ((unsigned) offsetof (struct seccomp_data, args[i]))
  struct sock_filter f[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, NR),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 2),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, LOW (3)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, PLAIN, 5, 6),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 5),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, LOW (2)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, MADV_DONTNEED, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, LOW (1)),
    BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, 0xffff, 1, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog p = { sizeof f / sizeof *f, f };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
}

static void *
make_others (void *unused UNUSED)
{
  uint64_t random = 6;
  for (int i = 0; i < BLOCKS; i++)
    if (others[i] == NULL)
      others[i] = block_new (draw_size (&random, 16, 4000), &random);
  return NULL;
}

static void
fill (void)
{
  for (int k = 0; k < KINDS; k++)
    for (int i = 0; i < counts[k]; i++)
      if (outer[k][i] == NULL)
        outer[k][i] = block_new (sizes[k], &random_state);
}

static void
empty (void)
{
  for (int k = 0; k < KINDS; k++)
    for (int i = 0; i < counts[k]; i++)
      {
        block_free (outer[k][i]);
        outer[k][i] = NULL;
      }
  for (int k = 0; k < KINDS; k++)
    {
      block_free (inner[k]);
      inner[k] = NULL;
    }
  for (int i = 0; i < BLOCKS; i++)
    {
      block_free (others[i]);
      others[i] = NULL;
    }
}

/* Requests of one kind until the kernel was asked for memory, and then frees
   until some was given back: with a handler in the middle of each.  */
static void
ask_and_give_back (int kind)
{
  enum { MOST = 200000 };
  static block *more[MOST];
  int n = 0;
  fill ();
  pthread_join (thread_start (make_others, NULL), NULL);
  armed = 1;
  while (armed && n < MOST)
    {
      block *b = block_new (sizes[kind], &random_state);
      more[n++] = b;
    }
  fill ();
  pthread_join (thread_start (make_others, NULL), NULL);
  armed = 1;
  while (n > 0)
    block_free (more[--n]);
  malloc_trim (0);
  armed = 0;
}

static void
in_child (const void *unused UNUSED)
{
  empty ();
  fill ();
}

static void
life_goes_on (const void *kind)
{
  fill ();
  armed = 1;
  if (sigsetjmp (outside, 1) == 0)
    for (;;)
      (void) block_new (sizes[*(const int *) kind], &random_state);
  for (int i = 0; i < 3; i++)
    {
      fill ();
      all_calls ();
      empty ();
    }
  apart ("a grandchild", in_child, NULL);
  malloc_trim (0);
  exit (0);
}

static void *
leave_in_thread (void *unused UNUSED)
{
  armed = 1;
  if (sigsetjmp (outside, 1) == 0)
    for (;;)
      (void) block_new (500, &random_state);
  for (int i = 0; i < 2000; i++)
    block_free (block_new (draw_size (&random_state, 16, 100000),
                           &random_state));
  return NULL;
}

static void
thread_ends (const void *unused UNUSED)
{
  fill ();
  pthread_join (thread_start (leave_in_thread, NULL), NULL);
  exit (0);
}

static void
leave (void)
{
  for (int k = 0; k < KINDS; k++)
    {
      char name[64];
      snprintf (name, sizeof name, "left while it got %zu bytes", sizes[k]);
      apart (name, life_goes_on, &k);
      verdict (failures == 0, name, "see above");
    }
  apart ("left in a thread", thread_ends, NULL);
  verdict (failures == 0, "left in a thread", "see above");
}

static void
interrupt (void)
{
  for (int k = 0; k < KINDS; k++)
    ask_and_give_back (k);
  verdict (traps >= KINDS, "calls were interrupted", "%d", (int) traps);
  empty ();
  apart ("a child", in_child, NULL);
  fill ();
  pthread_join (thread_start (make_others, NULL), NULL);
  empty ();
  malloc_trim (0);
  struct mallinfo2 info = mallinfo2 ();
  verdict (info.uordblks + info.hblkhd < 100000, "no block is lost",
           "%zu and %zu bytes in use", info.uordblks, info.hblkhd);
  verdict (failures == 0, "content", "see above");
}

int
main (int argc, char **argv)
{
  struct sigaction action
      = { .sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER };
  const char *what = argc > 1 ? argv[1] : "return";
  mode = strcmp (what, "leave") == 0   ? LEAVE
         : strcmp (what, "abort") == 0 ? ABORT : RETURN;
  signal (SIGABRT, on_abort);
  sigaction (SIGSYS, &action, NULL);
  block_free (block_new (100, &random_state));
  if (!install ())
    {
      say ("no seccomp filters here (%d)", errno);
      return 77;
    }
  if (mode == LEAVE)
    leave ();
  else
    interrupt ();
  return finish ();
}
#endif
