/* What the tests share that look inside: the library's own headers, its entry
   points under test names, and threads that do one thing at a time when they
   are told to, so that an interleaving is written down as a sequence.  */
#ifndef RULES_INSIDE_H
#define RULES_INSIDE_H

#include "base/atomic.h"
#include "base/lock.h"
#include "map/map.h"
#include "opts/opts.h"
#include "os/os.h"
#include "policy/policy.h"
#include "superslab/pool.h"
#include "superslab/retain.h"
#include "superslab/superslab.h"
#include "tiny/heap_impl.h"
#include "tiny/registry.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "../include/names.h"

#define UNUSED __attribute__ ((unused))

static UNUSED hkm_slab *
slab_of (const void *p)
{
  return hkm_map_find (p);
}

static UNUSED hkm_heap *
owner_of (const hkm_slab *slab)
{
  return hkm_slab_owner (slab);
}

static UNUSED uint32_t
remote_count (const hkm_slab *slab)
{
  return hkm_x_count (hkm_load_acquire (&slab->xword));
}

/* True if SLAB is not in use by a heap any more.  */
static UNUSED bool
given_up (const hkm_slab *slab)
{
  return hkm_load_acquire (&slab->owner) == NULL;
}

/* Take home what others freed, as this thread's next cold call would.  */
static UNUSED void
collect_mine (void)
{
  hkm_heap *heap = hkm_heap_mine ();
  hkm_lock_take (&heap->lock);
  hkm_heap_collect_locked (heap);
  hkm_heap_walk_locked (heap);
  hkm_heap_unlock (heap);
}

/* The policy in force, to be changed and published.  */
static UNUSED hkm_policy
policy_now (void)
{
  hkm_policy p = { 0 };
  hkm_policy_refresh (&p);
  return p;
}

/* ---- threads that wait for orders ---- */

typedef struct actor
{
  pthread_t thread;
  sem_t go, done;
  void (*job) (void *);
  void *arg;
  hkm_heap *heap; /* its heap, after its first job */
} actor;

static UNUSED void *
actor_life (void *arg)
{
  actor *a = arg;
  for (;;)
    {
      while (sem_wait (&a->go) != 0)
        ;
      if (a->job == NULL)
        return NULL;
      a->job (a->arg);
      a->heap = hkm_heap_mine ();
      sem_post (&a->done);
    }
}

static UNUSED void
actor_start (actor *a)
{
  memset (a, 0, sizeof *a);
  sem_init (&a->go, 0, 0);
  sem_init (&a->done, 0, 0);
  if (pthread_create (&a->thread, NULL, actor_life, a) != 0)
    abort ();
}

static UNUSED void
actor_begin (actor *a, void (*job) (void *), void *arg)
{
  a->job = job;
  a->arg = arg;
  sem_post (&a->go);
}

static UNUSED void
actor_wait (actor *a)
{
  while (sem_wait (&a->done) != 0)
    ;
}

/* A does JOB (ARG) now, while this thread waits.  */
static UNUSED void
act (actor *a, void (*job) (void *), void *arg)
{
  actor_begin (a, job, arg);
  actor_wait (a);
}

/* A ends: its heap is parked when this returns.  */
static UNUSED void
actor_end (actor *a)
{
  a->job = NULL;
  sem_post (&a->go);
  pthread_join (a->thread, NULL);
}

/* ---- jobs ---- */

typedef struct batch
{
  void **p;
  size_t n, size;
} batch;

static UNUSED void
job_malloc (void *arg)
{
  batch *b = arg;
  for (size_t i = 0; i < b->n; i++)
    {
      b->p[i] = malloc (b->size);
      if (b->p[i] == NULL)
        abort ();
    }
}

static UNUSED void
job_free (void *arg)
{
  batch *b = arg;
  for (size_t i = 0; i < b->n; i++)
    free (b->p[i]);
}

static UNUSED void
job_free_one (void *p)
{
  free (p);
}

static UNUSED void
job_collect (void *unused UNUSED)
{
  collect_mine ();
}

#endif
