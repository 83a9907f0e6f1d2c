/* A library opened with RTLD_DEEPBIND finds libc's malloc before ours, unless
   the flag is stripped.  Blocks go both ways a thousand times.  The wrapper
   that strips it must not be mistaken for the caller: RUNPATH of the library
   that calls dlopen still counts, and so does the program's own.

   With "keep" the library does allocate from libc: its blocks, of every size
   and from every thread, must be taken back properly.  */
#include "../hakmem.concur/concur.h"
#include "deepbind.h"
#include <dlfcn.h>

static struct plugin *plugin;

static void
check_text (const char *p, const char *what)
{
  if (strcmp (p, what) != 0)
    die ("integrity", "%s became %.20s", what, p);
}

static void
both_ways (void)
{
  uint64_t random = 1;
  for (int i = 0; i < 1000; i++)
    {
      size_t size = draw_size (&random, 16, i % 50 ? 40000 : 5 << 20);
      block *b = block_write (plugin->make (size), size, i);
      block_free (b);
      plugin->drop (block_new (size, &random));
      char *text = plugin->copy ("from the library");
      text = realloc (text, 500);
      check_text (text, "from the library");
      text = plugin->grow (text, 50000);
      check_text (text, "from the library");
      plugin->drop (text);
      text = plugin->grow (strdup ("from the program"), 100);
      check_text (text, "from the program");
      free (text);
    }
  verdict (true, "both ways", "content");
}

static void *
from_library (void *unused UNUSED)
{
  uint64_t random = 2;
  for (int i = 0; i < 1000; i++)
    {
      size_t size = draw_size (&random, 16, i % 20 ? 5000 : 1 << 20);
      char *p = plugin->make (size);
      if (malloc_usable_size (p) < size)
        die ("usable size", "%zu of %zu bytes", malloc_usable_size (p), size);
      block_write (p, size, i);
      if (i % 3 == 0)
        {
          p = realloc (p, size + 1000);
          block_write (p, size + 1000, i);
        }
      block_free ((block *) p);
      char *text = realloc (plugin->copy ("a short text"), 100000);
      check_text (text, "a short text");
      free (text);
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  bool keep = argc > 1 && strcmp (argv[1], "keep") == 0;
  /* By bare name: only this program's RUNPATH leads there.  */
  void *handle = dlopen ("libplugina.so", RTLD_NOW | RTLD_DEEPBIND);
  verdict (handle != NULL, "the program's RUNPATH", "%s", dlerror ());
  if (handle == NULL)
    return finish ();
  plugin = dlsym (handle, "plugin");
  if (!keep)
    both_ways ();
  from_library (NULL);
  verdict (true, "blocks of the library", "content");
  pthread_join (thread_start (from_library, NULL), NULL);
  verdict (true, "blocks of the library in a thread", "content");
  const char *why = "";
  char *inner = plugin->inner (&why);
  verdict (inner != NULL && strcmp (inner, "inner") == 0,
           "the library's RUNPATH", "%s", why);
  free (inner);

  dlerror ();
  handle = dlopen ("libnosuchthing.so", RTLD_NOW | RTLD_DEEPBIND);
  verdict (handle == NULL && dlerror () != NULL, "dlerror",
           "no error for a library that isn't there");
  void *self = dlopen (NULL, RTLD_NOW);
  verdict (self != NULL && dlsym (self, "malloc") != NULL, "dlopen (NULL)",
           "no malloc in the program's scope");
  return finish ();
}
