/* A fork child finds the heaps of its parent's other threads as they stood, and
   counts one anew when it is first needed.  By then slabs of it may be gone:
   here each had some blocks waiting for its owner already, so that the child
   frees the rest without a word to anybody, and gives the pages back to the
   OS.  Counting must not walk into those.  */
#include "../hakmem.concur/concur.h"

enum { BLOCKS = 40000, SIZE = 2000, CHILD_SECONDS = 30 };

static block *kept[BLOCKS];
static pthread_barrier_t ready;

/* Of every eight blocks, numbers FROM to TO.  */
static void
free_some (int from, int to)
{
  for (int i = 0; i < BLOCKS; i++)
    if (i % 8 >= from && i % 8 <= to)
      block_free (kept[i]);
}

/* An eighth of every slab's blocks is at home: as many as bring a full slab
   back to its heap's notice.  */
static void *
owner (void *unused UNUSED)
{
  uint64_t random = 1;
  for (int i = 0; i < BLOCKS; i++)
    kept[i] = block_new (SIZE, &random);
  free_some (0, 0);
  pthread_barrier_wait (&ready);
  pthread_barrier_wait (&ready); /* and sleeps */
  return NULL;
}

static void *
take_over (void *arg)
{
  uint64_t random = mix ((long) arg);
  block *set[400];
  for (int i = 0; i < 400; i++)
    set[i] = block_new (SIZE, &random);
  for (int i = 0; i < 400; i++)
    block_free (set[i]);
  return NULL;
}

static void
child_life (void)
{
  alarm (CHILD_SECONDS);
  free_some (4, 7);
  for (long i = 0; i < 3; i++)
    pthread_join (thread_start (take_over, (void *) i), NULL);
  malloc_trim (0);
  _exit (0);
}

int
main (void)
{
  pthread_barrier_init (&ready, NULL, 2);
  pthread_t id = thread_start (owner, NULL);
  pthread_barrier_wait (&ready);
  free_some (1, 3); /* these wait for the owner's next call */
  long broken = 0, last = 0;
  for (int n = 0; n < 5; n++)
    {
      int status = -1;
      pid_t child = fork ();
      if (child == 0)
        child_life ();
      while (waitpid (child, &status, 0) != child)
        ;
      broken += status != 0;
      last = status ? status : last;
    }
  verdict (broken == 0, "children", "%ld of 5 broke (status %#lx)", broken,
           last);
  pthread_barrier_wait (&ready);
  pthread_join (id, NULL);
  free_some (4, 7);
  return finish ();
}
