/* 40 MiB in blocks of one size after the other, all written and all freed again, so
   that what is kept of one size is in the way of the next.  A cgroup that lets a
   process have 64 MiB kills it for a page more; nothing is ever refused.

     crowded [threads]   each round in a thread of its own  */
#include "../hakmem.concur/concur.h"

enum { LIVE = 40 << 20, ROUNDS = 3 };

static void *
round_of (void *unused UNUSED)
{
  static const size_t sizes[]
      = { 64, 3 << 20, 1000, 300000, 5000, 6 << 20, 40000, 32 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
      block *chain = NULL, *next;
      for (size_t n = 0; n < LIVE; n += sizes[i])
        {
          block *b = malloc (sizes[i]);
          if (b == NULL)
            die ("memory", "no %zu bytes", sizes[i]);
          memset (b, (int) i, sizes[i]);
          *(block **) b = chain;
          chain = b;
        }
      for (; chain != NULL; chain = next)
        {
          next = *(block **) chain;
          free (chain);
        }
    }
  return NULL;
}

int
main (int argc, char **argv UNUSED)
{
  for (int i = 0; i < ROUNDS; i++)
    if (argc > 1)
      pthread_join (thread_start (round_of, NULL), NULL);
    else
      round_of (NULL);
  verdict (true, "within the limit", "it was killed");
  return finish ();
}
