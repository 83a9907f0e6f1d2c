/* What the tests share that see the library from outside: its counters.  */
#ifndef RULES_OUTSIDE_H
#define RULES_OUTSIDE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "blocks.h"
#include "check.h"
#include "hakmem/hakmem.h"

#define UNUSED __attribute__ ((unused))
enum { KIB = 1024, MIB = 1 << 20 };

static __typeof__ (hakmem_stats_get) *stats_get;

/* The state or counter NAME.  */
static UNUSED uint64_t
number (const char *name)
{
  uint64_t value = 0;
  int error = stats_get (name, &value);
  CHECKF (error == 0, "%s: error %d", name, error);
  return value;
}

/* False in a build that counts nothing (--disable-stats).  */
static UNUSED bool
counts (void)
{
  uint64_t value;
  return stats_get ("REFILL", &value) == 0;
}

static UNUSED void
find_stats (void)
{
  stats_get = (__typeof__ (stats_get)) dlsym (RTLD_DEFAULT,
                                              "hakmem_stats_get");
  if (stats_get == NULL)
    {
      puts ("not ok symbols: no hakmem_stats_get");
      exit (1);
    }
}

/* What rules.exp says of the build.  */
#define NEED_LRU()                                                            \
  do                                                                          \
    if (!RULES_LRU)                                                           \
      SKIP ("built without the list of empty superslabs");                    \
  while (0)

/* For what takes blocks of more than 1 MiB, too.  */
#define NEED_BIGCACHE()                                                       \
  do                                                                          \
    if (!RULES_BIGCACHE)                                                      \
      SKIP ("built without the BigCache");                                    \
  while (0)

#endif
