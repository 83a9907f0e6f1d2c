/* libplugina.so (and, with -DINNER, libpluginb.so): see deepbind.h.  */
#define _GNU_SOURCE
#include "deepbind.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#ifdef INNER
__attribute__ ((visibility ("default"))) void *
inner_make (void)
{
  char *p = malloc (100);
  strcpy (p, "inner");
  return p;
}
#else
static void *
open_inner (const char **why)
{
  void *handle = dlopen ("libpluginb.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (handle == NULL)
    {
      *why = dlerror ();
      return NULL;
    }
  void *(*make) (void) = (void *(*) (void)) dlsym (handle, "inner_make");
  return make ();
}

__attribute__ ((visibility ("default"))) struct plugin plugin
    = { malloc, strdup, realloc, free, open_inner };
#endif
