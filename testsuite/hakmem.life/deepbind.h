/* What the library that is opened with RTLD_DEEPBIND offers.  */
#include <stddef.h>

struct plugin
{
  void *(*make) (size_t size);
  char *(*copy) (const char *text);
  void *(*grow) (void *p, size_t size);
  void (*drop) (void *p);
  /* Opens libpluginb.so by its bare name, which only this library's RUNPATH
     leads to; returns its block, or NULL and the reason.  */
  void *(*inner) (const char **why);
};
