/* A server whose threads hand their data on: blocks of 8 to 500 bytes are
   replaced at random in a table, and after some rounds the thread passes the
   table to a new thread and ends.

     larson [threads [generations [rounds [slots [seed]]]]]

   threads are those alive at a time; each has `generations` - 1 successors,
   and each does `rounds` replacements.  */
#include "work.h"

enum { THREADS, GENERATIONS, ROUNDS, SLOTS, SEED, GENERATIONS_MOST = 1024 };

static struct work_arg args[] = {
  [THREADS] = { "threads", 2, 1, WORK_THREADS },
  [GENERATIONS] = { "generations", 50, 1, GENERATIONS_MOST },
  [ROUNDS] = { "rounds", 350000, 1, WORK_MANY },
  [SLOTS] = { "slots", 1000, 1, WORK_MANY },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

/* A table's owners, one after the other.  */
static struct line
{
  void **slot;
  uint64_t random;
  long generation;
  pthread_t thread[GENERATIONS_MOST];
} lines[WORK_THREADS];

static void *
body (void *argument)
{
  struct line *line = argument;
  uint64_t random = line->random;
  for (long i = args[ROUNDS].value; i > 0; i--)
    {
      uint64_t bits = work_random (&random);
      work_replace (line->slot + work_below (bits,
                                             (size_t) args[SLOTS].value),
                    8 + work_below (bits << 32, 493));
    }
  line->random = random;
  long next = ++line->generation;
  if (next < args[GENERATIONS].value)
    line->thread[next] = work_thread (body, line);
  return NULL;
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  long threads = args[THREADS].value, generations = args[GENERATIONS].value;
  work_start ();
  for (long i = 0; i < threads; i++)
    {
      lines[i].slot = work_slots (args[SLOTS].value);
      lines[i].random = work_seed (args[SEED].value, i);
      lines[i].thread[0] = work_thread (body, lines + i);
    }
  for (long i = 0; i < threads; i++)
    {
      for (long k = 0; k < generations; k++)
        pthread_join (lines[i].thread[k], NULL);
      work_slots_free (lines[i].slot, args[SLOTS].value);
    }
  work_stop ();
  work_report (threads * generations * args[ROUNDS].value, "");
  return 0;
}
