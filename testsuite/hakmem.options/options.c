/* options get NAME...: what hakmem_ctl says of each opt.NAME, one per line.
   options source NAME...: who set them.  options file: conf.file.
   options owner: "ours" or "libc", whoever serves malloc here.
   options idle: MiB kept when 64 MiB of small blocks are freed.
   options after-free: a write into a freed block that is the last one left of
   its kind in its slab's list, and then "lived".
   options work: some of everything, for a report to tell of.  */
#define _GNU_SOURCE
#include "blocks.h"
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int (*ctl) (const char *, void *, size_t *, const void *, size_t);
static int (*stats_get) (const char *, uint64_t *);

static void
get (const char *name)
{
  char full[128];
  union { uint64_t number; uint32_t list[8]; const char *text; } v;
  size_t length = 0;
  memset (&v, 0, sizeof v);
  snprintf (full, sizeof full, "opt.%s", name);
  int error = ctl (full, NULL, &length, NULL, 0);
  if (!error)
    error = length <= sizeof v ? ctl (full, &v, &length, NULL, 0) : -1;
  if (error)
    printf ("%s error %d\n", name, error);
  else if (length == sizeof v.list)
    {
      printf ("%s ", name);
      for (int i = 0; i < 8; i++)
        printf ("%s%u", i ? "," : "", v.list[i]);
      puts ("");
    }
  /* Text and numbers have one length on 64 bits: told apart by name.  */
  else if (strstr (name, "_FILE") || strstr (name, "_RULES")
           || strcmp (name, "POLICY_SAVE") == 0 || strcmp (name, "CONF") == 0)
    printf ("%s %s\n", name, v.text ? v.text : "unset");
  else
    printf ("%s %llu\n", name, (unsigned long long) v.number);
}

/* A text that hakmem_ctl calls PREFIX NAME.  */
static void
get_text (const char *prefix, const char *name)
{
  char full[128];
  const char *text = NULL;
  size_t length = sizeof text;
  snprintf (full, sizeof full, "%s%s", prefix, name);
  int error = ctl (full, &text, &length, NULL, 0);
  if (error)
    printf ("%s error %d\n", full, error);
  else
    printf ("%s %s\n", name, text ? text : "unset");
}

static void *
work (void *arg)
{
  static const size_t sizes[] = { 1, 30, 200, 1024, 2000, 5000, 30000, 100000,
                                  1000000, 5000000 };
  uint64_t rng = rng_seed ((uint64_t) (uintptr_t) arg);
  void *p[64] = { 0 };
  for (int i = 0; i < 20000; i++)
    {
      uint64_t r = rng_next (&rng);
      free (p[r % 64]);
      p[r % 64] = malloc (sizes[r / 64 % (r & 4096 ? 5 : 10)]);
      if (!p[r % 64])
        abort ();
      *(char *) p[r % 64] = 1;
    }
  for (int i = 0; i < 64; i++)
    free (p[i]);
  return NULL;
}

static void
owner (void)
{
  uint64_t before = 0, after = 0;
  static void *p[200];
  if (stats_get ("live_bytes", &before))
    exit (3);
  for (int i = 0; i < 200; i++)
    p[i] = malloc (50000);
  if (stats_get ("live_bytes", &after))
    exit (3);
  for (int i = 0; i < 200; i++)
    free (p[i]);
  puts (after >= before + 200 * 50000 ? "ours" : "libc");
}

static void **
many_blocks (size_t n, size_t size)
{
  static void *p[65536];
  for (size_t i = 0; i < n; i++)
    if ((p[i] = malloc (size)) == NULL)
      exit (3);
    else
      memset (p[i], 1, size);
  return p;
}

static void
idle (void)
{
  uint64_t bytes = 0;
  void **p = many_blocks (65536, 1024);
  for (size_t i = 0; i < 65536; i++)
    free (p[i]);
  if (stats_get ("idle_bytes", &bytes))
    exit (3);
  printf ("%llu\n", (unsigned long long) (bytes >> 20));
}

static void
after_free (void)
{
  void **p = many_blocks (20000, 64);
  char *first = p[10000];
  free (first);
  memset (first, 0x41, 16);
  for (size_t i = 0; i < 20000; i++)
    if (p[i] != first)
      free (p[i]);
  many_blocks (20000, 192);
  puts ("lived");
}

/* Work in phases until ten changes were decided on, or for 40 seconds.  */
static void
learn (void)
{
  for (int i = 0; i < 4000; i++)
    {
      uint64_t trials = 0;
      size_t length = sizeof trials;
      if (ctl ("learn.trials", &trials, &length, NULL, 0))
        exit (77);
      if (trials > 10)
        break;
      struct timespec start, now;
      clock_gettime (CLOCK_MONOTONIC, &start);
      do
        {
          work (NULL);
          clock_gettime (CLOCK_MONOTONIC, &now);
        }
      while (now.tv_sec == start.tv_sec && now.tv_nsec - start.tv_nsec < 10000000);
    }
}

int
main (int argc, char **argv)
{
  ctl = (int (*) (const char *, void *, size_t *, const void *, size_t)) dlsym (
      RTLD_DEFAULT, "hakmem_ctl");
  stats_get = (int (*) (const char *, uint64_t *)) dlsym (RTLD_DEFAULT,
                                                          "hakmem_stats_get");
  if (!ctl || !stats_get || argc < 2)
    return 2;
  if (strcmp (argv[1], "get") == 0)
    for (int i = 2; i < argc; i++)
      get (argv[i]);
  else if (strcmp (argv[1], "source") == 0)
    for (int i = 2; i < argc; i++)
      get_text ("source.", argv[i]);
  else if (strcmp (argv[1], "file") == 0)
    get_text ("", "conf.file");
  else if (strcmp (argv[1], "idle") == 0)
    idle ();
  else if (strcmp (argv[1], "after-free") == 0)
    after_free ();
  else if (strcmp (argv[1], "owner") == 0)
    owner ();
  else if (strcmp (argv[1], "learn") == 0)
    learn ();
  else
    {
      pthread_t thread[3];
      for (long i = 0; i < 3; i++)
        if (pthread_create (&thread[i], NULL, work, (void *) i))
          return 3;
      for (int i = 0; i < 3; i++)
        pthread_join (thread[i], NULL);
      work (NULL);
      puts ("worked");
    }
  return fflush (stdout) != 0;
}
