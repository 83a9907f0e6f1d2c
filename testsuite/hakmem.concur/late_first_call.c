/* Threads whose first call of the allocator comes from a destructor of
   thread-specific data, in the first round of them or in the second.  Their
   heaps used to stay behind, because the allocator's own destructor waited for
   more rounds than were left: one heap for every such thread, 20,001 and 129 MB
   after 20,000.  A later thread must find them.

   The allocator's key is made first here, so its destructor has had its turn in
   the round of the first call, and has one less.  */
#include "concur.h"

/* A sanitizer's own record of a thread goes in the last round, in which a heap
   of the second is left.  */
enum { ROUNDS = SANITIZED ? 1 : 2, SLACK_KIB = 1024 };

typedef struct kind
{
  const char *name;
  int round;  /* of the first call */
  bool frees; /* first */
} kind;

static const kind kinds[] = {
  { "free in the first round", 1, true },
  { "malloc in the first round", 1, false },
  { "free in the second round", 2, true },
  { "malloc in the second round", 2, false },
};

typedef struct errand /* of one thread; on main's stack */
{
  int rounds; /* to come, with the one of the first call */
  bool frees;
  uint64_t random;
  block *given, *made;
} errand;

static pthread_key_t key;
static long threads, calls;

static void
destructor (void *arg)
{
  errand *e = arg;
  if (--e->rounds > 0)
    {
      pthread_setspecific (key, e);
      return;
    }
  if (e->frees)
    block_free (e->given);
  e->made = block_new (draw_size (&e->random, 16, 2048), &e->random);
  if (!e->frees)
    block_free (e->given);
  calls++; /* one thread at a time; pthread_join orders them */
}

static void *
thread (void *arg)
{
  pthread_setspecific (key, arg);
  return NULL;
}

static void
batch (const kind *k, long n)
{
  uint64_t random = 17;
  for (long i = 0; i < n; i++)
    {
      errand e = { .rounds = k->round, .frees = k->frees, .random = random };
      e.given = block_new (draw_size (&random, 16, 2048), &random);
      pthread_join (thread_start (thread, &e), NULL);
      block_free (e.made);
    }
}

static void
run (const void *arg)
{
  const kind *k = arg;
  const char *unknown = resident_unknown ();
  pthread_key_create (&key, destructor);
  batch (k, threads / 4);
  malloc_trim (0); /* what is kept for reuse is no growth */
  long early = resident_kib ();
  batch (k, threads - threads / 4);
  malloc_trim (0);
  long late = resident_kib ();
  char name[64];
  snprintf (name, sizeof name, "%s: memory", k->name);
  verdict (calls == threads, k->name, "%ld destructors called, not %ld", calls,
           threads);
  if (unknown)
    say ("skip %s: %s", name, unknown);
  else
    verdict (late <= early + SLACK_KIB, name,
             "grew from %ld to %ld KiB over %ld threads", early, late,
             threads - threads / 4);
}

int
main (int argc, char **argv)
{
  threads = param (argc, argv, "threads", SANITIZED ? 400 : 4000);
  free (malloc (1)); /* the allocator makes its key, before ours */
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].round <= ROUNDS)
      apart (kinds[i].name, run, &kinds[i]);
  return finish ();
}
