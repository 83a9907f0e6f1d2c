/* Whether this process's blocks come from libhakmem, by what the library itself
   counts as live: see helper.h.  A name in a table or a file in the map would
   show that it was loaded, not that it serves.  */
#define _GNU_SOURCE
#include "helper.h"

#include <dlfcn.h>
#include <hakmem/hakmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By name: this program is not linked with the library.  */
static __typeof__ (hakmem_version) *version;
static __typeof__ (hakmem_ctl) *control;

/* Of each layer of the allocator.  For the last there may be no memory.  */
static const size_t sizes[] = { 1, 40, 600, 2000, 9000, 200000, 5000000 };
enum { SIZES = sizeof sizes / sizeof *sizes };

static uint64_t
number (const char *name)
{
  uint64_t value = 0;
  size_t length = sizeof value;

  if (control (name, &value, &length, NULL, 0) != 0)
    return 0;
  return value;
}

/* Bytes of blocks that the library counts more while one of SIZE is out.  */
static uint64_t
counted (size_t size)
{
  uint64_t before = number ("stats.live_bytes");
  char *volatile p = malloc (size);
  uint64_t after;

  if (p == NULL)
    return size == sizes[SIZES - 1] ? size : 0;
  memset (p, 1, size);
  after = number ("stats.live_bytes");
  free (p);
  return after > before ? after - before : 0;
}

/* No destructor is to run: one of the library's may write a report or a policy
   over what the program asked about is to write.  */
static _Noreturn void
leave (int status)
{
  fflush (stdout);
  _exit (status);
}

int
helper_blocks (void)
{
  Dl_info where;

  version = (__typeof__ (version)) dlsym (RTLD_DEFAULT, "hakmem_version");
  control = (__typeof__ (control)) dlsym (RTLD_DEFAULT, "hakmem_ctl");
  if (version == NULL || control == NULL)
    {
      puts ("libhakmem is not in the process");
      leave (1);
    }
  for (unsigned i = 0; i < SIZES; i++)
    if (counted (sizes[i]) < sizes[i])
      {
        puts (number ("opt.DISABLE") != 0
                ? "libhakmem is in the process, but turned off by its options"
                : "libhakmem is in the process, but blocks are another"
                  " allocator's");
        leave (1);
      }
  if (dladdr ((void *) version, &where) == 0)
    {
      puts ("no file has the code of libhakmem");
      leave (1);
    }
  printf ("%s %s\n", version (), where.dli_fname);
  leave (0);
}
