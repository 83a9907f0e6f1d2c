/* malloc and free of one size, N times, with other blocks alive: the loop that
   bench/instr.sh counts instructions in.

     pair SIZE N [realloc]

   With realloc, blocks are got by realloc of NULL.  */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIVE = 600, OTHERS = 64 };

/* A function of its own, so that calls from here can be told from all others;
   noinline keeps the name.  The volatile pointer keeps the calls.  */
__attribute__ ((noinline)) void
pairs (size_t size, long n)
{
  for (; n > 0; n--)
    {
      void *volatile p = malloc (size);
      free (p);
    }
}

__attribute__ ((noinline)) void
pairs_by_realloc (size_t size, long n)
{
  for (; n > 0; n--)
    {
      void *volatile none = NULL;
      void *volatile p = realloc (none, size);
      free (p);
    }
}

int
main (int argc, char **argv)
{
  static void *alive[ALIVE], *others[OTHERS];
  bool by_realloc = argc == 4 && strcmp (argv[3], "realloc") == 0;
  if (argc != 3 && !by_realloc)
    {
      fprintf (stderr, "usage: pair SIZE N [realloc]\n");
      return 2;
    }
  size_t size = strtoul (argv[1], NULL, 0);
  long n = strtol (argv[2], NULL, 0);
  for (int i = 0; i < ALIVE; i++)
    alive[i] = malloc (size);
  for (int i = 0; i < OTHERS; i++)
    others[i] = malloc ((size_t) (i + 1) * 40);
  /* Holes, as a program has them; and both functions are bound by now.  */
  for (int i = 0; i < ALIVE; i += 7)
    {
      free (alive[i]);
      alive[i] = NULL;
    }
  (by_realloc ? pairs_by_realloc : pairs) (size, n);
  for (int i = 0; i < ALIVE; i++)
    free (alive[i]);
  for (int i = 0; i < OTHERS; i++)
    free (others[i]);
  return 0;
}
