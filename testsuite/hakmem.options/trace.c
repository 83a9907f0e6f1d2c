/* Makes every event that the traces tell of: see trace.exp.  */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = 100000, MID = 200, RUNS = 20 };

static void *block[SMALL];

static int
fill_and_empty (size_t size, int n)
{
  for (int i = 0; i < n; i++)
    if ((block[i] = malloc (size)) == NULL)
      return 0;
  for (int i = 0; i < n; i++)
    free (block[i]);
  return 1;
}

int
main (void)
{
  /* Twice: what the first round empties, the second finds.  */
  for (int round = 0; round < 2; round++)
    if (!fill_and_empty (64, SMALL) || !fill_and_empty (8000, MID)
        || !fill_and_empty (200000, RUNS))
      return 1;
  malloc_trim (0);
  puts ("worked");
  return 0;
}
