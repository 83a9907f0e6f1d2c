/* What an allocator says of itself: mallinfo, mallinfo2, malloc_info,
   malloc_stats, mallopt; and malloc_trim, which gives memory back.
   report xml: malloc_info alone, on stdout; report stats: malloc_stats;
   report freed: what returns without being asked for, in a fresh process, as
   memory that was purged and soon wanted again may be kept the next time.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum { MANY = 300000 };
static void *many[MANY];

static size_t
in_use (void)
{
  struct mallinfo2 info = mallinfo2 ();
  return info.uordblks + info.hblkhd;
}

static void
fill_many (size_t n, size_t size)
{
  for (size_t i = 0; i < n; i++)
    {
      many[i] = malloc (size);
      memset (many[i], 1, size);
    }
}

static void
free_many (size_t n)
{
  for (size_t i = 0; i < n; i++)
    free (many[i]);
}

/* N blocks that SIZE bytes were asked for are seen as what they hold, within a
   tenth.  (The last one's word is taken: the first may be lent by a larger
   class.)  */
static void
expect_in_use (size_t n, size_t size)
{
  size_t before = in_use ();
  fill_many (n, size);
  size_t during = in_use ();
  size_t live = n * malloc_usable_size (many[n - 1]);
  CHECKF (during >= before + live - live / 10
              && during <= before + live + live / 4 + 4000000,
          "%zu in use, then %zu with %zu more", before, during, live);
  free_many (n);
  size_t after = in_use ();
  CHECKF (after <= before + live / 10 + 4000000,
          "%zu in use, then %zu when all is freed", before, after);
}

TEST (mallinfo2_tiny) { expect_in_use (200000, 160); }
TEST (mallinfo2_mid) { expect_in_use (4000, 10000); }
TEST (mallinfo2_large) { expect_in_use (200, 300000); }
TEST (mallinfo2_big) { expect_in_use (10, 8000000); }

TEST (mallinfo2_consistent)
{
  struct mallinfo2 info = mallinfo2 ();
  CHECKF (info.arena >= info.uordblks, "arena %zu, in use %zu", info.arena,
          info.uordblks);
  CHECK (info.fordblks <= info.arena + info.hblkhd);
}

TEST (mallinfo_agrees)
{
  struct mallinfo2 wide = mallinfo2 ();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  struct mallinfo info = mallinfo ();
#pragma GCC diagnostic pop
  CHECK (info.arena >= 0 && info.uordblks >= 0 && info.hblkhd >= 0);
  CHECKF ((size_t) info.uordblks <= wide.uordblks + 65536
              && (size_t) info.uordblks + 65536 >= wide.uordblks,
          "in use: %d by mallinfo, %zu by mallinfo2", info.uordblks,
          wide.uordblks);
}

TEST (malloc_info_options)
{
  FILE *f = fopen ("/dev/null", "w");
  if (!CHECK (f))
    return;
  CHECK (malloc_info (1, f) == EINVAL);
  CHECK (malloc_info (0, f) == 0);
  fclose (f);
}

TEST (mallopt_answers)
{
  /* Nothing here may break; an unknown parameter is refused.  */
  CHECK (mallopt (-12345, 1) == 0);
  for (int parameter = -8; parameter <= 1; parameter++)
    {
      int answer = mallopt (parameter, 128 * 1024);
      CHECKF (answer == 0 || answer == 1, "mallopt (%d) gave %d", parameter,
              answer);
    }
  void *p = malloc (1000);
  CHECK (p);
  free (p);
}

static void
expect_trim (size_t n, size_t size)
{
  malloc_trim (0);
  size_t before = resident_bytes ();
  fill_many (n, size);
  size_t during = resident_bytes ();
  CHECKF (during > before + n * size / 2, "resident %zu, then %zu with %zu",
          before, during, n * size);
  free_many (n);
  malloc_trim (0);
  size_t after = resident_bytes ();
  CHECKF (after < before + 4000000, "resident %zu, %zu, after malloc_trim %zu",
          before, during, after);
}

TEST (trim_tiny) { expect_trim (MANY, 200); }
TEST (trim_group_c7) { expect_trim (40000, 1500); }
TEST (trim_mid) { expect_trim (8000, 9000); }
TEST (trim_large) { expect_trim (100, 600000); }
TEST (trim_big) { expect_trim (12, 5000000); }

TEST (trim_answers)
{
  fill_many (100000, 100);
  free_many (100000);
  int first = malloc_trim (0);
  CHECK (first == 0 || first == 1);
  /* Nothing is left to give.  */
  CHECK (malloc_trim (0) == 0);
}

/* Without a call of malloc_trim all but the retention budget returns.  */
TEST (freed_memory_returns)
{
  size_t before = resident_bytes ();
  fill_many (MANY, 900); /* 270 MB */
  free_many (MANY);
  size_t after = resident_bytes ();
  CHECKF (after < before + (8 << 20) + (4 << 20), /* many[] is touched too */
          "resident %zu -> %zu", before, after);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "freed") == 0)
    {
      RUN (freed_memory_returns);
      return check_done ();
    }
  if (argc > 1)
    {
      static void *keep[50];
      for (size_t i = 0; i < 50; i++)
        keep[i] = malloc (i * i * i * 40);
      int status = 0;
      if (strcmp (argv[1], "xml") == 0)
        status = malloc_info (0, stdout);
      else
        malloc_stats ();
      for (size_t i = 0; i < 50; i++)
        free (keep[i]);
      return status || fflush (stdout);
    }
  RUN (mallinfo2_tiny);
  RUN (mallinfo2_mid);
  RUN (mallinfo2_large);
  RUN (mallinfo2_big);
  RUN (mallinfo2_consistent);
  RUN (mallinfo_agrees);
  RUN (malloc_info_options);
  RUN (mallopt_answers);
  RUN (trim_tiny);
  RUN (trim_group_c7);
  RUN (trim_mid);
  RUN (trim_large);
  RUN (trim_big);
  RUN (trim_answers);
  return check_done ();
}
