/* death CASE: one wrong free, realloc or sized free, and nothing else wrong.
   Prints "address P" before it does it.  death CASE go-on: for a library told
   not to abort; the heap must be as good as before.  death list: the cases,
   each with the entry point that the message must name.  */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>

static void (*sized) (void *, size_t);
static void (*aligned_sized) (void *, size_t, size_t);

/* gcc is not to know what is freed.  */
static void *
hidden (void *p)
{
  __asm__ volatile ("" : "+r" (p));
  return p;
}

static void *
bad (const void *p) /* P is about to be misused */
{
  printf ("address %p\n", p);
  fflush (stdout);
  return hidden ((void *) p);
}

/* ------------------------------------------------- kinds of block, by name */
typedef struct kind
{
  const char *name;
  size_t size, align;
} kind;

static const kind kinds[] = {
  { "small", 32, 0 },         { "least", 1, 0 },
  { "c7", 1500, 0 },          { "mid", 5000, 0 },
  { "mid32k", 32768, 0 },     { "large", 100000, 0 },
  { "large2m", 2097152, 0 },  { "big", 5000000, 0 },
  { "aligned64", 48, 64 },    { "aligned4k", 100, 4096 },
  { "aligned64k", 70000, 65536 }, { "aligned4m", 3000, 4194304 }
};

static const kind *what;

static char *
get (void)
{
  char *p = what->align ? aligned_alloc (what->align, what->size)
                        : malloc (what->size);
  if (!p)
    exit (3);
  p[0] = 1;
  return p;
}

/* ----------------------------------------------------------- other threads
   Both exist from the start: a thread that is made between two frees has
   blocks made for it, and might rightly get the one that is freed twice.  */
static struct agent
{
  pthread_t thread;
  sem_t go, done;
  void *(*run) (void *);
  void *arg;
} agents[2];

static void *
agent_main (void *agent)
{
  struct agent *me = agent;
  for (;;)
    {
      while (sem_wait (&me->go))
        continue;
      if (!me->run)
        return NULL;
      me->run (me->arg);
      sem_post (&me->done);
    }
}

static void
start_threads (void)
{
  for (int i = 0; i < 2; i++)
    if (sem_init (&agents[i].go, 0, 0) || sem_init (&agents[i].done, 0, 0)
        || pthread_create (&agents[i].thread, NULL, agent_main, &agents[i]))
      exit (3);
}

/* RUN (ARG) in thread I, to its end.  */
static void
in_thread (int i, void *(*run) (void *), void *arg)
{
  agents[i].run = run;
  agents[i].arg = arg;
  sem_post (&agents[i].go);
  while (sem_wait (&agents[i].done))
    continue;
}

static void
end_thread (int i)
{
  agents[i].run = NULL;
  sem_post (&agents[i].go);
  pthread_join (agents[i].thread, NULL);
}

#include "faults.h"
#include "wild.h"

/* ------------------------------------------------------------------- table */
typedef struct trouble
{
  const char *name, *who;
  void (*run) (void);
  const char *kinds; /* of kinds[], or "" if it needs no block */
} trouble;

#define ANY                                                                   \
  "small least c7 mid mid32k large large2m big aligned64 aligned4k "          \
  "aligned64k aligned4m"
/* A kind whose blocks are longer than 16 bytes.  */
#define INSIDE "small c7 mid mid32k large large2m big aligned64 aligned4k"

#define ROW(name, who, kinds) { #name, who, name, kinds }
static const trouble troubles[] = {
  ROW (double_free, "free", ANY),
  ROW (double_free_others_between, "free", ANY),
  ROW (double_free_after_trim, "free", ANY),
  ROW (double_free_by_thread, "free", ANY),
  ROW (double_free_after_thread, "free", ANY),
  ROW (double_free_in_thread, "free", ANY),
  ROW (double_free_of_orphan, "free", ANY),
  ROW (double_free_two_threads, "free", ANY),
  ROW (interior_16, "free", INSIDE),
  ROW (interior_half, "free", "c7 mid mid32k large large2m big aligned64k"),
  ROW (interior_granule, "free", "large large2m big aligned64k"),
  ROW (misaligned, "free", ANY),
  ROW (misaligned_8, "free", ANY),
  ROW (interior_by_thread, "free", INSIDE),
  ROW (never_carved, "free", "small least c7"),
  ROW (realloc_freed, "realloc", ANY),
  ROW (realloc_freed_to_zero, "realloc", ANY),
  ROW (realloc_interior, "realloc", INSIDE),
  ROW (realloc_misaligned, "realloc", ANY),
  ROW (sized_double, "free_sized", "small c7 mid large big"),
  ROW (sized_interior, "free_sized", "small c7 mid large big"),
  ROW (sized_too_much, "free_sized", "small c7 mid large big"),
  ROW (aligned_sized_double, "free_aligned_sized",
       "aligned64 aligned4k aligned64k aligned4m"),
  ROW (aligned_sized_too_much, "free_aligned_sized",
       "aligned64 aligned4k aligned64k"),
  ROW (stack, "free", ""),
  ROW (stack_of_thread, "free", ""),
  ROW (data, "free", ""),
  ROW (bss, "free", ""),
  ROW (literal, "free", ""),
  ROW (code, "free", ""),
  ROW (foreign_mapping, "free", ""),
  ROW (unmapped, "free", ""),
  ROW (realloc_stack, "realloc", ""),
  ROW (realloc_unmapped, "realloc", ""),
  ROW (sized_stack, "free_sized", ""),
  ROW (low_1, "free", ""),
  ROW (low_16, "free", ""),
  ROW (low_page, "free", ""),
  ROW (low_64k, "free", ""),
  ROW (low_4g, "free", ""),
  ROW (high_user, "free", ""),
  ROW (high_47, "free", ""),
  ROW (high_48_less_16, "free", ""),
  ROW (high_48, "free", ""),
  ROW (high_63, "free", ""),
  ROW (high_kernel, "free", ""),
  ROW (high_last_16, "free", ""),
  ROW (high_last, "free", ""),
};

/* Ten thousand blocks of every layer, all distinct and whole.  */
TEST (heap_still_good)
{
  enum { N = 10000 };
  static void *p[N];
  static size_t size[N];
  uint64_t rng = rng_seed (3);
  for (int round = 0; round < 3; round++)
    {
      for (int i = 0; i < N; i++)
        {
          uint64_t r = rng_next (&rng);
          size[i] = i % 500 == 0 ? r % 3000000
                    : i % 20 == 0 ? r % 40000
                    : i % 3 == 0 ? what->size % 8000
                                 : r % 2100;
          p[i] = malloc (size[i]);
          if (!CHECK (p[i]))
            return;
          block_fill (p[i], size[i], (uint64_t) i);
        }
      for (int i = 0; i < N; i++)
        CHECK (block_good (p[i], size[i], (uint64_t) i));
      for (int i = 0; i < N; i++)
        free (p[(i * 7919) % N]);
    }
}

static void
list (void)
{
  for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
    {
      if (!*troubles[i].kinds)
        printf ("%s - %s\n", troubles[i].name, troubles[i].who);
      for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        {
          char word[32], all[256];
          snprintf (word, sizeof word, " %s ", kinds[k].name);
          snprintf (all, sizeof all, " %s ", troubles[i].kinds);
          if (strstr (all, word))
            printf ("%s %s %s\n", troubles[i].name, kinds[k].name,
                    troubles[i].who);
        }
    }
}

int
main (int argc, char **argv)
{
  /* No block for stdio: it might get the very one that is freed twice.  */
  static char buffer[4096];
  setvbuf (stdout, buffer, _IOFBF, sizeof buffer);
  if (argc < 3)
    return list (), 0;
  sized = (void (*) (void *, size_t)) dlsym (RTLD_DEFAULT, "free_sized");
  aligned_sized = (void (*) (void *, size_t, size_t)) dlsym (
      RTLD_DEFAULT, "free_aligned_sized");
  what = &kinds[0];
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
    if (strcmp (argv[2], kinds[k].name) == 0)
      what = &kinds[k];
  for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
    if (strcmp (argv[1], troubles[i].name) == 0)
      {
        start_threads ();
        /* Others of the kind live on both sides.  */
        void *before = get ();
        troubles[i].run ();
        void *after = get ();
        free (before);
        free (after);
        if (argc < 4)
          return puts ("nobody minded"), 0;
        RUN (heap_still_good);
        return check_done ();
      }
  return 2;
}
