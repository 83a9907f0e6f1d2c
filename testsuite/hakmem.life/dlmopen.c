/* A library in a namespace of its own brings its own libc and allocates from
   that; the loader's memory for it still comes from us.  Nothing is mixed: what
   that side made, it frees.  */
#include "../hakmem.concur/concur.h"
#include "deepbind.h"
#include <dlfcn.h>

int
main (int argc, char **argv)
{
  uint64_t random = 1;
  if (argc < 2)
    return 2;
  void *handle = dlmopen (LM_ID_NEWLM, argv[1], RTLD_NOW | RTLD_LOCAL);
  verdict (handle != NULL, "dlmopen", "%s", dlerror ());
  if (handle == NULL)
    return finish ();
  struct plugin *plugin = dlsym (handle, "plugin");
  for (int i = 0; i < 1000; i++)
    {
      size_t size = draw_size (&random, 16, 300000);
      block *theirs = block_write (plugin->make (size), size, i);
      block *ours = block_new (size, &random);
      block_check (theirs);
      block_free (ours);
      plugin->drop (plugin->grow (theirs, size + 100));
    }
  verdict (true, "blocks of both sides", "content");
  verdict (dlclose (handle) == 0, "dlclose", "%s", dlerror ());
  return finish ();
}
