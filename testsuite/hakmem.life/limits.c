/* Out of memory is NULL and ENOMEM, for every size, and nothing else: blocks
   made before stay whole, frees work, and with the limit raised again so does
   everything.  Also: no success and no free touches errno.

     limits as | data    RLIMIT_AS, RLIMIT_DATA
     limits MIB          HAKMEM_LIMIT is that many MiB: held exactly, and used
                         up before a request is refused  */
#include "../hakmem.concur/concur.h"
#include <sys/resource.h>

enum { BLOCKS = 20000, SPARE = 12 << 20 };

static block **set;
static int resource = RLIMIT_AS;
static size_t our_limit, at_start; /* the first: HAKMEM_LIMIT, or 0 */

/* Bytes of address space; for RLIMIT_DATA, of private writable memory.  */
static size_t
address_space (void)
{
  char text[128];
  int fd = open ("/proc/self/statm", O_RDONLY);
  ssize_t n = read (fd, text, sizeof text - 1);
  close (fd);
  text[n > 0 ? n : 0] = 0;
  char *at = text;
  for (int field = resource == RLIMIT_DATA ? 5 : 0; field > 0; field--)
    at = strchr (at, ' ') + 1;
  return strtoul (at, NULL, 10) * sysconf (_SC_PAGESIZE);
}

static bool
limit (size_t bytes)
{
  struct rlimit l;
  if (our_limit != 0)
    return true;
  getrlimit (resource, &l);
  l.rlim_cur = bytes == 0 ? l.rlim_max : bytes;
  return setrlimit (resource, &l) == 0;
}

/* Blocks of SIZE bytes until there are none; then all are freed.  */
static void
exhaust (size_t size)
{
  char name[64];
  block *chain = NULL, *b;
  long n = 0;
  bool quiet = true;
  snprintf (name, sizeof name, "blocks of %zu bytes", size);
  errno = 0;
  while ((b = malloc (size)) != NULL)
    {
      quiet &= errno == 0;
      memset (b, 0x5a, size);
      *(block **) b = chain;
      chain = b;
      n++;
    }
  int error = errno;
  if (our_limit != 0)
    {
      size_t most = address_space () - at_start, slack = size + (3 << 20);
      if (most > our_limit || most + slack < our_limit)
        die (name, "%zu bytes mapped when there is no more", most);
    }
  errno = 77;
  void *q = calloc (1, size);
  int calloc_error = q ? 0 : errno;
  free (q);
  if (chain != NULL && size < 1 << 22)
    {
      q = realloc (chain, (size_t) 1 << 30);
      if (q != NULL || errno != ENOMEM)
        die (name, "realloc beyond the limit gave %p, errno %d", q, errno);
    }
  errno = 78;
  while (chain != NULL)
    {
      b = *(block **) chain;
      if (size >= 64 && ((char *) chain)[size - 1] != 0x5a)
        die (name, "content lost");
      free (chain);
      chain = b;
    }
  verdict (error == ENOMEM && (calloc_error == ENOMEM || calloc_error == 0)
               && quiet && errno == 78,
           name, "%ld made; errno %d, calloc's %d, after frees %d, kept %d", n,
           error, calloc_error, errno, quiet);
}

static void *
exhaust_in_thread (void *unused UNUSED)
{
  exhaust (400);
  return NULL;
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "as";
  if (strcmp (what, "data") == 0)
    resource = RLIMIT_DATA;
  else if (strcmp (what, "as") != 0)
    our_limit = strtoul (what, NULL, 10) << 20;
  at_start = address_space ();
  static const size_t sizes[]
      = { 16, 100, 1024, 2000, 10000, 32768, 50000, 700000, 2 << 20, 5 << 20 };
  uint64_t random = 1;
  set = table_new (BLOCKS * sizeof *set);
  for (int i = 0; i < BLOCKS; i++)
    set[i] = block_new (draw_size (&random, 16, 8192), &random);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
      if (!limit (address_space () + SPARE))
        die ("limit", "setrlimit: %d", errno);
      exhaust (sizes[i]);
      for (int k = 0; k < BLOCKS; k++)
        block_check (set[k]);
    }
  limit (address_space () + (24 << 20));
  if (our_limit == 0) /* a stack is none of HAKMEM_LIMIT's business */
    pthread_join (thread_start (exhaust_in_thread, NULL), NULL);
  for (int i = 0; i < BLOCKS; i += 2)
    {
      block_free (set[i]);
      set[i] = NULL;
    }
  for (int i = 0; i < BLOCKS; i += 2)
    set[i] = block_new (draw_size (&random, 16, 2048), &random);
  verdict (true, "freed memory serves again", "memory");
  limit (0);
  for (int i = 0; i < BLOCKS; i++)
    {
      block_free (set[i]);
      set[i] = block_new (draw_size (&random, 16, our_limit ? 8192 : 16384),
                          &random);
    }
  for (int i = 0; i < BLOCKS; i++)
    block_free (set[i]);
  verdict (true, "after the limit", "content");
  return finish ();
}
