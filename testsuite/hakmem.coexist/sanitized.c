/* For programs built with a sanitizer as a shared library: it must go on seeing
   every block.  Without an argument blocks go from thread to thread, properly:
   nothing to report.  `use', `leak', `race': the mistake it is there to find.  */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 100, STEPS = 20000, THREADS = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *place[PLACES];
static int shared;

static void *
hand_over (void *arg)
{
  unsigned r = (unsigned) (size_t) arg;
  for (int i = 0; i < STEPS; i++)
    {
      r = r * 1103515245 + 12345;
      char *mine = malloc (64 + r % 50), *theirs;
      memset (mine, i, 64);
      pthread_mutex_lock (&lock);
      theirs = place[(r >> 16) % PLACES];
      place[(r >> 16) % PLACES] = mine;
      pthread_mutex_unlock (&lock);
      if (theirs != NULL)
        theirs[0]++; /* ours alone now */
      free (theirs);
    }
  return NULL;
}

static void *
count (void *unused)
{
  (void) unused;
  for (int i = 0; i < STEPS; i++)
    shared++;
  return NULL;
}

static void
in_threads (void *(*work) (void *) )
{
  pthread_t thread[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    pthread_create (&thread[i], NULL, work, (void *) i);
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
}

__attribute__ ((noinline)) static void
lose (size_t size)
{
  char *volatile p = malloc (size);
  memset (p, 1, size);
  p = NULL;
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  char *volatile p = strdup ("text");
  char *volatile q = realloc (calloc (10, 10), 5000);
  void *aligned = NULL;
  if (posix_memalign (&aligned, 4096, 100) != 0)
    return 2;
  free (aligned);
  free (q);
  free (p);
  if (strcmp (what, "use") == 0)
    printf ("%c\n", p[0]);
  else if (strcmp (what, "leak") == 0)
    for (int i = 0; i < 100; i++)
      lose (5000);
  else if (strcmp (what, "race") == 0)
    in_threads (count);
  else
    {
      in_threads (hand_over);
      for (int i = 0; i < PLACES; i++)
        free (place[i]);
    }
  puts ("end");
  return 0;
}
