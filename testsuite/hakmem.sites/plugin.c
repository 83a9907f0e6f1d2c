/* A file to be opened and closed: it asks for a block from one place of its
   own.  */
#include <stddef.h>

void *
plugin_make (void *(*ask) (size_t), size_t size)
{
  void *p = ask (size);
  __asm__ volatile ("" : : "r" (p) : "memory"); /* no tail call */
  return p;
}
