/* A second preload that hooks what libc calls on an allocator's way, and whose
   hooks allocate, once each.  mmap, open and getenv are in hakmem.life's.  */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "own_syscall.h"

/* volatile: <stdlib.h> says that malloc does not come back here.  */
static __thread volatile int depth;

static void
allocate (void)
{
  if (depth > 0)
    return;
  depth++;
  free (malloc (100));
  free (malloc (100000));
  free (malloc (3 << 20));
  depth--;
}

#define HOOK __attribute__ ((visibility ("default")))
#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

HOOK int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
                void *(*start) (void *), void *arg)
{
  allocate ();
  return NEXT (pthread_create) (thread, attributes, start, arg);
}

HOOK int
pthread_key_create (pthread_key_t *key, void (*destructor) (void *))
{
  allocate ();
  return NEXT (pthread_key_create) (key, destructor);
}

HOOK int
pthread_setspecific (pthread_key_t key, const void *value)
{
  allocate ();
  return NEXT (pthread_setspecific) (key, value);
}

HOOK int
clock_gettime (clockid_t clock, struct timespec *time)
{
  allocate ();
  return NEXT (clock_gettime) (clock, time);
}

HOOK void *
sbrk (intptr_t change)
{
  allocate ();
  return NEXT (sbrk) (change);
}

HOOK unsigned long
getauxval (unsigned long type)
{
  allocate ();
  return ((unsigned long (*) (unsigned long)) dlsym (RTLD_NEXT,
                                                     "getauxval")) (type);
}

static long
own_syscall (long number, long x[6])
{
  allocate ();
  return next_syscall (number, x);
}
