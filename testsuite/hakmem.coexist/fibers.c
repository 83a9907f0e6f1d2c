/* Fibers on stacks from malloc, each run by four threads in turn, with blocks that
   it keeps across every switch: what a thread's heap is must be asked anew after
   each, and blocks are freed by whoever runs the fiber then.  Also signal stacks
   from malloc, and threads with the smallest stack there may be.  */
#include "../hakmem.concur/concur.h"
#include <limits.h>
#include <signal.h>
#include <ucontext.h>

enum { THREADS = 4, FIBERS = 16, ROUNDS = 200, KEPT = 30, STACK = 32 << 10 };

static struct fiber
{
  ucontext_t context, *home;
  void *stack;
  uint64_t random;
  int rounds;
} fibers[FIBERS];
static pthread_barrier_t turn;

static void
life (int me)
{
  struct fiber *f = &fibers[me];
  block *kept[KEPT] = { NULL };
  for (f->rounds = 0; f->rounds < ROUNDS; f->rounds++)
    {
      for (int i = 0; i < KEPT; i++)
        {
          block_free (kept[i]);
          kept[i] = block_new (draw_size (&f->random, 16, i ? 3000 : 100000),
                               &f->random);
        }
      swapcontext (&f->context, f->home);
    }
  for (int i = 0; i < KEPT; i++)
    block_free (kept[i]);
  for (;;)
    swapcontext (&f->context, f->home);
}

/* In round R fiber F is thread (F + R) % THREADS's.  */
static void *
carrier (void *arg)
{
  long me = (long) arg;
  ucontext_t here;
  for (int round = 0; round <= ROUNDS; round++)
    {
      for (int f = 0; f < FIBERS; f++)
        if ((f + round) % THREADS == me)
          {
            fibers[f].home = &here;
            swapcontext (&here, &fibers[f].context);
          }
      pthread_barrier_wait (&turn);
    }
  return NULL;
}

static void
switch_threads (void)
{
  pthread_t thread[THREADS];
  pthread_barrier_init (&turn, NULL, THREADS);
  for (int i = 0; i < FIBERS; i++)
    {
      struct fiber *f = &fibers[i];
      getcontext (&f->context);
      f->random = mix (i);
      f->stack = malloc (STACK);
      f->context.uc_stack.ss_sp = f->stack;
      f->context.uc_stack.ss_size = STACK;
      makecontext (&f->context, (void (*) (void)) life, 1, i);
    }
  for (long i = 0; i < THREADS; i++)
    thread[i] = thread_start (carrier, (void *) i);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  int whole = 0;
  for (int i = 0; i < FIBERS; i++)
    {
      whole += fibers[i].rounds == ROUNDS;
      free (fibers[i].stack);
    }
  verdict (whole == FIBERS, "fibers that change threads", "%d of %d ended",
           whole, FIBERS);
}

static volatile sig_atomic_t handled;

static void
on_signal (int unused UNUSED)
{
  uint64_t random = 9;
  block_free (block_new (500, &random));
  block_free (block_new (60000, &random));
  handled++;
}

static void
signal_stack (void)
{
  size_t size = SIGSTKSZ;
  stack_t stack = { .ss_sp = malloc (size), .ss_size = size };
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
  sigaltstack (&stack, NULL);
  sigaction (SIGUSR1, &action, NULL);
  for (int i = 0; i < 100; i++)
    raise (SIGUSR1);
  stack_t none = { .ss_flags = SS_DISABLE };
  sigaltstack (&none, NULL);
  free (stack.ss_sp);
  verdict (handled == 100, "a signal stack of malloc's", "%d", (int) handled);
}

static void *
on_small_stack (void *arg)
{
  uint64_t random = mix ((long) arg);
  block *kept[100];
  for (int round = 0; round < 10; round++)
    {
      for (int i = 0; i < 100; i++)
        kept[i] = block_new (draw_size (&random, 16, 100000), &random);
      for (int i = 0; i < 100; i++)
        block_free (kept[i]);
    }
  return NULL;
}

static void
small_stacks (void)
{
  pthread_attr_t attributes;
  pthread_t thread[50];
  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, PTHREAD_STACK_MIN);
  for (long i = 0; i < 50; i++)
    if (pthread_create (&thread[i], &attributes, on_small_stack, (void *) i))
      die ("small stacks", "pthread_create");
  for (int i = 0; i < 50; i++)
    pthread_join (thread[i], NULL);
  verdict (true, "threads with the smallest stack", "content");
}

int
main (void)
{
  switch_threads ();
  signal_stack ();
  small_stacks ();
  return finish ();
}
