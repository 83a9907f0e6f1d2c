/* After mstress: threads build trees of objects, give whole trees away through
   a shared table, and free what they find there, parents and children made by
   different threads.  Each round has new threads; what a round leaves lives on
   into the next.  */
#include "concur.h"

enum { SHARED = 1000, CHILDREN = 4, KEEP = 200 };

typedef struct object
{
  struct object *child[CHILDREN];
  block *payload;
  unsigned children;
} object;

static object *shared[SHARED];
static long steps;

static object *
object_swap (object **place, object *o)
{
  return __atomic_exchange_n (place, o, __ATOMIC_ACQ_REL);
}

static void
object_free (object *o)
{
  if (o == NULL)
    return;
  for (unsigned i = 0; i < o->children; i++)
    object_free (o->child[i]);
  block_free (o->payload);
  free (o);
}

static object *
object_new (uint64_t *random)
{
  object *o = calloc (1, sizeof *o);
  unsigned luck = below (random, 1000);
  size_t high = luck == 0 ? 1 << 20 : luck < 20 ? 1 << 16 : 1 << 10;
  if (o == NULL)
    die ("memory", "no object");
  must_be_zero ((char *) o, sizeof *o);
  o->payload = block_new (draw_size (random, 16, high), random);
  return o;
}

static void *
live (void *arg)
{
  uint64_t random = mix ((long) arg);
  object *kept[KEEP] = { NULL };
  for (long i = 0; i < steps; i++)
    {
      object *o = object_new (&random);
      unsigned children = below (&random, CHILDREN + 1);
      for (unsigned k = 0; k < children; k++) /* adopt others' trees, pruned */
        {
          object *found
              = object_swap (&shared[below (&random, SHARED)], NULL);
          if (found != NULL && found->children != 0 && below (&random, 2) == 0)
            {
              object_free (found);
              found = NULL;
            }
          if (found != NULL)
            o->child[o->children++] = found;
        }
      object **place = &kept[below (&random, KEEP)];
      object_free (*place);
      *place = below (&random, 3) != 0
                   ? object_swap (&shared[below (&random, SHARED)], o)
                   : o;
    }
  for (int i = 0; i < KEEP; i++)
    if (i % 2 == 0)
      object_free (kept[i]);
    else /* the rest outlives this thread */
      object_free (object_swap (&shared[below (&random, SHARED)], kept[i]));
  return NULL;
}

int
main (int argc, char **argv)
{
  long threads = param (argc, argv, "threads", 6);
  long rounds = param (argc, argv, "rounds", SANITIZED ? 3 : 20);
  long seed = param (argc, argv, "seed", 1);
  pthread_t thread[64];
  steps = param (argc, argv, "steps", SANITIZED ? 1500 : 10000);
  if (threads > 64)
    die ("parameters", "at most 64 threads");
  for (long r = 0; r < rounds; r++)
    {
      for (long i = 0; i < threads; i++)
        thread[i] = thread_start (live, (void *) (seed + r * threads + i));
      for (long i = 0; i < threads; i++)
        pthread_join (thread[i], NULL);
    }
  long left = 0;
  for (int i = 0; i < SHARED; i++)
    {
      object *o = object_swap (&shared[i], NULL);
      left += o != NULL;
      object_free (o);
    }
  verdict (left > SHARED / 8, "mstress", "only %ld objects lived on", left);
  return finish ();
}
