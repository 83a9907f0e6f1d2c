/* fork in a signal handler that interrupts malloc and free of a process of one
   thread, as timers and child reapers do.  The interrupted call holds its
   heap's lock then: a fork handler that waits for it waits for ever.  The child
   only exits; the parent goes on and checks what it has.  */
#include "../hakmem.concur/concur.h"
#include <signal.h>
#include <sys/time.h>

enum { FORKS = 1500, BLOCKS = 20000, PERIOD_US = 300 };

static volatile sig_atomic_t forks, broken;

static void
on_alarm (int unused UNUSED)
{
  int saved = errno, status = -1;
  pid_t child = fork ();
  if (child == 0)
    _exit (0);
  if (child > 0 && waitpid (child, &status, 0) == child && status == 0)
    forks++;
  else
    broken++;
  errno = saved;
}

int
main (void)
{
  static block *blocks[BLOCKS];
  uint64_t random = 11;
  struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
  struct itimerval timer = { { 0, PERIOD_US }, { 0, PERIOD_US } };
  sigaction (SIGALRM, &action, NULL);
  setitimer (ITIMER_REAL, &timer, NULL);
  while (forks < FORKS && broken == 0)
    {
      uint64_t i = below (&random, BLOCKS);
      block_free (blocks[i]);
      blocks[i] = block_new (
          draw_size (&random, 16, i % 40 == 0 ? 100000 : 8000), &random);
    }
  timer = (struct itimerval){ { 0, 0 }, { 0, 0 } };
  setitimer (ITIMER_REAL, &timer, NULL);
  verdict (broken == 0, "children", "%d of %d failed", (int) broken,
           (int) (forks + broken));
  for (int i = 0; i < BLOCKS; i++)
    block_free (blocks[i]);
  return finish ();
}
