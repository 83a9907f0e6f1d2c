/* Blocks that libc allocates for the program come from us (getline, strdup and
   so on); blocks of libc's own allocator, got by its internal name, must find
   their way back to it.  */
#include "../hakmem.concur/concur.h"
#include <dirent.h>
#include <search.h>
#include <wchar.h>

extern void *__libc_malloc (size_t);
extern void *__libc_calloc (size_t, size_t);
extern void *__libc_memalign (size_t, size_t);
extern void __libc_free (void *);

/* True if P lies in the [heap] area, the only place where this thread's small
   blocks of libc can be.  */
static bool
in_brk_heap (const void *p)
{
  unsigned long from = 0, to = 0;
  char line[256];
  FILE *maps = fopen ("/proc/self/maps", "r");
  bool found = false;
  while (maps && !found && fgets (line, sizeof line, maps))
    found = strstr (line, "[heap]")
            && sscanf (line, "%lx-%lx", &from, &to) == 2
            && (unsigned long) p >= from && (unsigned long) p < to;
  if (maps)
    fclose (maps);
  return found;
}

static void
through_libc (void)
{
  char *line = NULL, *text, *path;
  size_t room = 0, n;
  FILE *f = fopen ("/proc/self/status", "r");
  long lines = 0;
  while (getline (&line, &room, f) > 0)
    lines++;
  fclose (f);
  bool ours = !in_brk_heap (line);
  free (line);
  verdict (lines > 10 && ours, "getline", "%ld lines; in libc's heap: %d",
           lines, !ours);

  f = open_memstream (&text, &n);
  for (int i = 0; i < 20000; i++)
    fprintf (f, "%d\n", i);
  fclose (f);
  ours = !in_brk_heap (text);
  text = realloc (text, n + 1);
  verdict (ours && n == 108890 && strcmp (text + n - 6, "19999\n") == 0,
           "open_memstream", "%zu bytes", n);
  free (text);

  bool good = asprintf (&text, "%s %d", "number", 12345) == 12
              && strcmp (text, "number 12345") == 0 && !in_brk_heap (text);
  free (text);
  verdict (good, "asprintf", "wrong text or heap");

  text = strdup ("a duplicate");
  path = getcwd (NULL, 0);
  char *real = realpath ("/proc/self/exe", NULL);
  wchar_t *wide = wcsdup (L"wide");
  good = text && path && real && wide && !in_brk_heap (text)
         && !in_brk_heap (path) && !in_brk_heap (real) && !in_brk_heap (wide);
  free (text), free (path), free (real), free (wide);
  verdict (good, "strdup, getcwd, realpath, wcsdup", "libc's heap");

  struct dirent **list;
  int found = scandir ("/", &list, NULL, alphasort);
  for (int i = 0; i < found; i++)
    free (list[i]);
  if (found >= 0)
    free (list);
  verdict (found > 2, "scandir", "%d names", found);
}

static void
of_libc (void)
{
  uint64_t random = 1;
  void *first = __libc_malloc (100);
  verdict (in_brk_heap (first), "libc's own heap", "is not where it was");
  free (first);
  for (int i = 0; i < 3000; i++)
    {
      size_t size = draw_size (&random, 16, 60000);
      void *p = i % 3 == 0   ? __libc_malloc (size)
                : i % 3 == 1 ? __libc_calloc (1, size)
                             : __libc_memalign (64, size);
      size_t usable = malloc_usable_size (p);
      if (usable < size)
        die ("usable size", "%zu of %zu bytes", usable, size);
      block_write (p, size, i);
      if (i % 2 == 0)
        {
          char head[16];
          memcpy (head, p, 16);
          p = realloc (p, size * 2);
          if (memcmp (head, p, 16) != 0)
            die ("integrity", "realloc of libc's block lost its content");
          block_write (p, size * 2, i);
        }
      block_free (p);
      if (i % 5 == 0)
        __libc_free (__libc_malloc (size));
    }
  verdict (true, "blocks of libc", "content");
}

int
main (void)
{
  through_libc ();
  of_libc ();
  return finish ();
}
