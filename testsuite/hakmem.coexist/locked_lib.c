/* A preload whose syscall () starts it at its first call, under a lock that is not
   for one thread twice, and asks for memory there: as torsocks does it.  So an
   allocator that comes back by syscall () waits for itself.  */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>

#include "own_syscall.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int started;

static void
start (void)
{
  pthread_mutex_lock (&lock);
  if (!started)
    {
      started = 1;
      free (malloc (100));
      free (malloc (100000));
      free (malloc (3 << 20));
    }
  pthread_mutex_unlock (&lock);
}

__attribute__ ((constructor)) static void
begin (void)
{
  start ();
}

static long
own_syscall (long number, long x[6])
{
  start ();
  return next_syscall (number, x);
}
