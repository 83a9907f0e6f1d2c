/* What a locked process and a core dump need: with all memory locked, so that the
   kernel gives nothing back when asked, blocks are what they should be; and no
   mapping of ours is left out of dumps.

     kept [MLOCK_KIB]   RLIMIT_MEMLOCK for the first part, as another user  */
#include "../hakmem.concur/concur.h"
#include <malloc.h>
#include <sys/resource.h>

enum { SLOTS = 300, STEPS = 30000 };
static block *slot[SLOTS];

static void
churn (void)
{
  uint64_t random = 12;
  for (int i = 0; i < STEPS; i++)
    {
      block **at = &slot[below (&random, SLOTS)];
      size_t size = draw_size (&random, 16, i % 100 ? 4000 : 60000);
      block_free (*at);
      *at = malloc (size);
      if (*at == NULL)
        die ("locked", "no %zu bytes (%d)", size, errno);
      block_write (*at, size, i);
    }
}

/* Mappings that dumps leave out (VmFlags: dd) and that may be written, but for
   the loader's and the kernel's.  */
static int
left_out (void)
{
  char line[512];
  bool writable = false;
  int n = 0;
  FILE *f = fopen ("/proc/self/smaps", "r");
  while (f != NULL && fgets (line, sizeof line, f))
    {
      char rights[8];
      if (sscanf (line, "%*lx-%*lx %7s", rights) == 1)
        writable = rights[1] == 'w';
      else if (strncmp (line, "VmFlags:", 8) == 0)
        n += writable && strstr (line, " dd") != NULL;
    }
  if (f != NULL)
    fclose (f);
  return n;
}

static void
lock (const void *kib)
{
  size_t bytes = strtoul (kib, NULL, 10) << 10;
  struct rlimit l = { bytes, bytes };
  if (setrlimit (RLIMIT_MEMLOCK, &l) != 0)
    die ("locked", "setrlimit: %d", errno);
  if (getuid () == 0 && (setgid (65534) != 0 || setuid (65534) != 0))
    die ("locked", "setuid: %d", errno);
  if (mlockall (MCL_CURRENT | MCL_FUTURE) != 0)
    die ("locked", "mlockall: %d", errno);
  churn ();
  for (int i = 0; i < SLOTS; i++)
    {
      block_free (slot[i]);
      slot[i] = NULL;
    }
  malloc_trim (0);
  churn ();
}

int
main (int argc, char **argv)
{
  apart ("locked memory", lock, argc > 1 ? argv[1] : "8192");
  verdict (failures == 0, "locked memory", "see above");
  churn ();
  int out = left_out ();
  verdict (out == 0, "core dumps have all blocks", "%d mappings", out);
  return finish ();
}
