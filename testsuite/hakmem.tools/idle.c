/* Says that it runs, and waits for the end of its input; tells of SIGINT, and
   ends with status 9 on SIGUSR1.  With OWN_MALLOC it has a malloc of its own;
   linked as a library, it is that alone.  */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#ifdef OWN_MALLOC
static char space[1 << 24] __attribute__ ((aligned (16)));
static size_t used;

void *
malloc (size_t size)
{
  size_t at = __atomic_fetch_add (&used, (size + 15) / 16 * 16 + 16,
                                  __ATOMIC_RELAXED);
  if (size > sizeof space || at + size + 16 > sizeof space)
    return NULL;
  memcpy (space + at, &size, sizeof size);
  return space + at + 16;
}

void
free (void *p)
{
  (void) p;
}

void *
calloc (size_t n, size_t size)
{
  return n > sizeof space || size > sizeof space ? NULL : malloc (n * size);
}

void *
realloc (void *p, size_t size)
{
  size_t before = 0;
  void *q = malloc (size);

  if (p != NULL)
    memcpy (&before, (char *) p - 16, sizeof before);
  if (q != NULL && p != NULL)
    memcpy (q, p, before < size ? before : size);
  return q;
}
#endif

#ifndef LIBRARY
static void
caught (int number)
{
  if (number == SIGUSR1)
    _exit (9);
  if (write (STDOUT_FILENO, "int\n", 4) != 4)
    _exit (1);
}

int
main (void)
{
  struct sigaction act = { .sa_handler = caught };
  char byte;
  ssize_t n;

  sigaction (SIGUSR1, &act, NULL);
  sigaction (SIGINT, &act, NULL);
  if (write (STDOUT_FILENO, "up\n", 3) != 3)
    return 1;
  do
    n = read (STDIN_FILENO, &byte, 1);
  while (n > 0 || (n < 0 && errno == EINTR));
  return 0;
}
#endif
