/* Short-lived threads, one after the other: each frees the blocks the one
   before left, and allocates as many new ones, of 16 to 527 bytes.

     thread_churn [threads [blocks [seed]]]

   ops are threads.  All run on one processor: waking another one would take
   longer, and vary more, than all else here.  */
#include "work.h"

enum { THREADS, BLOCKS, SEED, BLOCKS_MOST = 4096 };

static struct work_arg args[] = {
  [THREADS] = { "threads", 10000, 1, WORK_MANY },
  [BLOCKS] = { "blocks", 64, 1, BLOCKS_MOST },
  [SEED] = { "seed", 1234567, 0, WORK_MANY },
};

static void *left[BLOCKS_MOST];

static void *
body (void *index)
{
  uint64_t random = work_seed (args[SEED].value, (long) index);
  for (long i = 0; i < args[BLOCKS].value; i++)
    work_replace (left + i,
                  16 + work_below (work_random (&random), 512));
  return NULL;
}

static void
stay_here (void)
{
  cpu_set_t here;
  CPU_ZERO (&here);
  CPU_SET ((unsigned) sched_getcpu (), &here);
  if (sched_setaffinity (0, sizeof here, &here))
    work_die ("sched_setaffinity: %s", strerror (errno));
}

int
main (int argc, char **argv)
{
  WORK_ARGUMENTS (argc, argv, args);
  stay_here ();
  work_start ();
  for (long i = 0; i < args[THREADS].value; i++)
    pthread_join (work_thread (body, (void *) i), NULL);
  for (long i = 0; i < args[BLOCKS].value; i++)
    work_drop (left[i]);
  work_stop ();
  work_report (args[THREADS].value, "");
  return 0;
}
