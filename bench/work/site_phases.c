/* A server that reloads now and then: a table that stays; for most of the time
   requests that each want one big buffer for a moment; and once in a while a
   reload, which fills some blocks of another place and frees them.  What the
   reload leaves is wanted by nobody until the next one.

     site_phases [cycles [rest [live [load [block [request [seed]]]]]]]

   cycles    reloads
   rest      milliseconds of requests after each
   live      MiB of the table, in blocks of 64 KiB to 1 MiB
   load      MiB of a reload, in blocks of 64 KiB up to
   block     KiB at most
   request   MiB of a request's buffer at most, from a half; all written

   ops are requests; seconds, those they took.  Also printed: rest_kib, the
   anonymous memory while requests run, on average over time.

   If the environment has SITE_RULES_SAVE and the library is libhakmem, what it
   learned of the three places goes to that file at the end.  */
#include "work.h"

enum { CYCLES, REST, LIVE, LOAD, BLOCK, REQUEST, SEED, LEAST = 65536 };

static struct work_arg args[] = {
  [CYCLES] = { "cycles", 6, 1, 1 << 20 },
  [REST] = { "rest", 700, 1, 1 << 20 },
  [LIVE] = { "live", 64, 0, 1 << 20 },
  [LOAD] = { "load", 48, 0, 1 << 20 },
  [BLOCK] = { "block", 1024, 64, 1 << 20 },
  [REQUEST] = { "request", 4, 1, 1 << 10 },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* Each from a call of its own, that is why.  */
#define PLACE(name)                                                           \
  static __attribute__ ((noinline)) char *name (size_t size)                  \
  {                                                                           \
    char *block = malloc (size);                                              \
    if (!block)                                                               \
      work_die ("malloc (%zu) fails", size);                                  \
    for (size_t at = 0; at + sizeof (size_t) <= size; at += 4096)             \
      *(volatile size_t *) (void *) (block + at) = at;                        \
    work_stamp (block, size);                                                 \
    return block;                                                             \
  }
PLACE (table_block)
PLACE (reload_block)
PLACE (request_buffer)

/* Blocks of LEAST..MOST bytes from PLACE into SLOT, BYTES in all; how many.  */
static long
fill (void **slot, size_t bytes, size_t most, uint64_t random,
      char *(*place) (size_t))
{
  long count = 0;
  for (size_t sum = 0, size; sum < bytes; sum += size)
    {
      size = LEAST + work_below (work_random (&random), most - LEAST + 1);
      slot[count++] = place (size);
    }
  return count;
}

static double held; /* KiB times seconds */
static double watched;

/* Requests for MS milliseconds; how many.  */
static long
serve (double ms, uint64_t random)
{
  enum { EVERY = 16 };
  size_t most = (size_t) args[REQUEST].value << 20;
  double from = work_now (), last = from, now = from;
  long count = 0;
  while (now < from + ms / 1000)
    {
      work_start ();
      for (int i = 0; i < EVERY; i++)
        work_drop (request_buffer (most / 2
                                   + work_below (work_random (&random),
                                                 most / 2)));
      work_stop ();
      count += EVERY;
      now = work_now ();
      held += (double) work_rss_kib () * (now - last);
      watched += now - last;
      last = now;
    }
  return count;
}

extern int hakmem_ctl (const char *, void *, size_t *, const void *, size_t)
    __attribute__ ((weak));

static void
save_rules (const char *path)
{
  if (path && hakmem_ctl
      && hakmem_ctl ("sites.save", NULL, NULL, path, strlen (path) + 1) != 0)
    work_die ("the rules are not saved");
}

int
main (int argc, char **argv)
{
  char more[64];
  WORK_ARGUMENTS (argc, argv, args);
  size_t live = (size_t) args[LIVE].value << 20;
  size_t load = (size_t) args[LOAD].value << 20;
  long slots = (long) ((live + load) / LEAST) + 2, ops = 0;
  void **slot = work_slots (slots);
  uint64_t seed = work_seed (args[SEED].value, 0);
  long table = fill (slot, live, 1 << 20, seed, table_block);
  for (long i = 0; i < args[CYCLES].value; i++)
    {
      long end = table + fill (slot + table, load,
                               (size_t) args[BLOCK].value << 10,
                               work_seed (args[SEED].value, i + 1),
                               reload_block);
      for (long k = table; k < end; k++)
        {
          work_drop (slot[k]);
          slot[k] = NULL;
        }
      ops += serve ((double) args[REST].value,
                    work_seed (args[SEED].value, -1 - i));
    }
  save_rules (getenv ("SITE_RULES_SAVE"));
  work_slots_free (slot, slots);
  snprintf (more, sizeof more, "rest_kib=%ld",
            watched > 0 ? (long) (held / watched) : 0);
  work_report (ops, more);
  return 0;
}
