/* What is resident when nothing is in use any more, in a process that does
   nothing from then on: at most 8 MiB, however much there was, of small and mid
   blocks, in whatever order they go.  */
#include "outside.h"

enum { MOST = 200000 };
static void *slot[MOST];

/* Resident anonymous memory in KiB, counted page by page; 0: not known.  */
static long
anonymous_kib (void)
{
  static char text[4096]; /* no buffer of stdio's: that is a block, too */
  int fd = open ("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t n = read (fd, text, sizeof text - 1);
  close (fd);
  text[n > 0 ? n : 0] = '\0';
  const char *at = strstr (text, "\nAnonymous:");
  return at != NULL ? strtol (at + strlen ("\nAnonymous:"), NULL, 10) : 0;
}

/* Half of the bytes small, half mid, all written; returns how many blocks.  */
static int
grow (size_t bytes, uint64_t *rng)
{
  size_t small = 0, mid = 0;
  int n = 0;
  for (; n < MOST && small + mid < bytes; n++)
    {
      uint64_t r = rng_next (rng);
      bool is_small = small <= mid;
      size_t size = is_small ? 16 + r % 2000 : 2016 + r % (32 * KIB - 2015);
      *(is_small ? &small : &mid) += size;
      slot[n] = malloc (size);
      if (!CHECK (slot[n] != NULL))
        return n;
      memset (slot[n], 1, size);
    }
  return n;
}

/* All is freed, by ORDER: 0 from the first, 1 from the last, 2 nine tenths at
   random and then the rest.  */
static void
rest (size_t bytes, unsigned order)
{
  uint64_t rng = rng_seed (order + 1);
  memset (slot, 0, sizeof slot); /* its pages are there from the beginning */
  long before = anonymous_kib ();
  if (before == 0)
    SKIP ("no /proc/self/smaps_rollup");
  int n = grow (bytes, &rng);
  long full = anonymous_kib ();
  if (order == 2)
    for (int i = 0; i < n; i++)
      if (rng_next (&rng) % 10 != 0)
        {
          free (slot[i]);
          slot[i] = NULL;
        }
  for (int i = 0; i < n; i++)
    free (slot[order == 1 ? n - 1 - i : i]);
  long left = anonymous_kib () - before;
  printf ("rest: of %ld KiB %ld stay\n", full - before, left);
  CHECKF (full - before > (long) (bytes / KIB), "only %ld KiB were resident",
          full - before);
  CHECKF (left <= 8 * KIB, "%ld KiB stay of %ld", left, full - before);
}

TEST (first_to_last) { rest (128 * MIB, 0); }
TEST (last_to_first) { rest (128 * MIB, 1); }
TEST (most_at_random) { rest (128 * MIB, 2); }

/* In a process of its own each: what one test leaves would be there already when
   the next begins.  */
int
main (int argc, char **argv)
{
  const char *only = argc > 1 ? argv[1] : "";
  if (strcmp (only, "first_to_last") == 0)
    RUN (first_to_last);
  else if (strcmp (only, "last_to_first") == 0)
    RUN (last_to_first);
  else
    RUN (most_at_random);
  return check_done ();
}
