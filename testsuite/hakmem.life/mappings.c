/* Random large sizes, 32 KiB to 8 MiB, allocated, resized and freed: the process
   never has more than 2,000 mappings (the kernel's limit is 65,530), because
   purging splits none and what is freed is cached.

     mappings [operations]   10,000,000 take some minutes  */
#include "../hakmem.concur/concur.h"

enum { SLOTS = 256, MOST = 2000, LOOK_EVERY = 5000 };

static long
mappings (void)
{
  static char text[65536];
  long lines = 0;
  int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  for (ssize_t n; (n = read (fd, text, sizeof text)) > 0;)
    for (ssize_t i = 0; i < n; i++)
      lines += text[i] == '\n';
  close (fd);
  return lines;
}

int
main (int argc, char **argv)
{
  static char *slot[SLOTS];
  long operations = argc > 1 ? strtol (argv[1], NULL, 10) : 300000, most = 0;
  uint64_t random = 5;
  for (long i = 0; i < operations; i++)
    {
      char **at = &slot[below (&random, SLOTS)];
      size_t size = draw_size (&random, 32 << 10, 8 << 20);
      if (*at != NULL && below (&random, 4) == 0)
        *at = realloc (*at, size);
      else
        {
          free (*at);
          *at = malloc (size);
        }
      if (*at == NULL)
        die ("mappings", "no %zu bytes", size);
      **at = 1;
      if (i % LOOK_EVERY == 0)
        {
          long now = mappings ();
          most = now > most ? now : most;
        }
    }
  printf ("mappings: at most %ld in %ld operations\n", most, operations);
  verdict (most > 0 && most < MOST, "mappings", "%ld mappings", most);
  for (int i = 0; i < SLOTS; i++)
    free (slot[i]);
  return finish ();
}
