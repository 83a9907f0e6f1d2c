/* Blocks of a larger class for a class that has no slab yet: good for all that
   the class's own are good for, and never more than half a page of them.  */
#include "outside.h"

extern void free_sized (void *p, size_t size) __attribute__ ((weak));

/* Of several classes and groups.  */
static const size_t sizes[] = { 40, 136, 200, 264, 330, 400, 520, 600, 700,
                                800, 1030, 1300, 1700 };
enum { SIZES = sizeof sizes / sizeof *sizes, MANY = 200, MOST = 2048 };

static bool
all_are (const unsigned char *p, size_t n, unsigned char c)
{
  for (size_t i = 0; i < n; i++)
    if (p[i] != c)
      return false;
  return true;
}

/* MANY blocks of SIZE, all in use at once.  */
static void
try_size (size_t size, unsigned char c)
{
  static unsigned char *p[MANY];
  size_t own = malloc_usable_size (p[MANY - 1] = malloc (size)), lent = 0;
  free (p[MANY - 1]);
  for (int i = 0; i < MANY; i++)
    {
      p[i] = i % 2 != 0 ? malloc (size) : calloc (1, size);
      if (!CHECK (p[i] != NULL && ((uintptr_t) p[i] & 15) == 0))
        return;
      size_t usable = malloc_usable_size (p[i]);
      CHECKF (usable >= size && usable <= 2 * size,
              "%zu bytes in a block of %zu", size, usable);
      CHECKF (i % 2 != 0 || all_are (p[i], size, 0), "calloc (1, %zu)", size);
      memset (p[i], c, usable);
      own = usable < own ? usable : own;
    }
  for (int i = 0; i < MANY; i++)
    {
      size_t usable = malloc_usable_size (p[i]);
      CHECKF (all_are (p[i], usable, c), "%zu bytes changed", size);
      lent += usable > own ? usable : 0;
      /* Half of it is used, so realloc leaves it where it is.  */
      CHECK (realloc (p[i], size) == p[i]);
      if (free_sized != NULL)
        free_sized (p[i], size);
      else
        free (p[i]);
    }
  CHECKF (lent <= MOST, "%zu bytes lent to blocks of %zu", lent, own);
}

TEST (half_a_page_at_most)
{
  for (int i = 0; i < SIZES; i++)
    try_size (sizes[i], (unsigned char) (i + 1));
}

/* In a thread whose heap is new.  */
static void *
in_a_new_heap (void *result)
{
  size_t *usable = result;
  unsigned char *p = malloc (1000);
  usable[0] = malloc_usable_size (p);
  memset (p, 255, usable[0]);
  free (p);
  p = calloc (1, 600); /* the same block, cleared */
  CHECK (all_are (p, 600, 0));
  void *q = malloc (760), *a = memalign (128, 130);
  CHECK (((uintptr_t) a & 127) == 0);
  usable[1] = malloc_usable_size (p);
  usable[2] = malloc_usable_size (q);
  free (p);
  free (q);
  free (a);
  return NULL;
}

TEST (first_blocks_share_a_slab)
{
  size_t usable[3];
  uint64_t before = counts () ? number ("REFILL_LENT") : 0;
  pthread_t thread;
  CHECK (pthread_create (&thread, NULL, in_a_new_heap, usable) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECKF (usable[1] == usable[0] && usable[2] == usable[0],
          "1000, 600, 760 bytes in blocks of %zu, %zu, %zu", usable[0],
          usable[1], usable[2]);
  /* Here 600 bytes have had their share.  */
  void *p = malloc (600);
  bool own = malloc_usable_size (p) < usable[1];
  free (p);
  if (own && counts ())
    CHECK (number ("REFILL_LENT") >= before + 2);
}

int
main (void)
{
  find_stats ();
  RUN (half_a_page_at_most);
  RUN (first_blocks_share_a_slab);
  return check_done ();
}
