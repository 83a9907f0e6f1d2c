/* An audit library (LD_AUDIT): the loader calls it in its own namespace, while it
   loads and binds the program and us, and each callback allocates.  */
#define _GNU_SOURCE
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
work (void)
{
  char *p = malloc (1000);
  memset (p, 1, 1000);
  p = realloc (p, 200000);
  char *text = strdup ("text");
  if (p == NULL || text == NULL)
    _exit (99);
  free (text);
  free (p);
}

unsigned int
la_version (unsigned int version)
{
  work ();
  return version < LAV_CURRENT ? version : LAV_CURRENT;
}

unsigned int
la_objopen (struct link_map *map, Lmid_t ns, uintptr_t *cookie)
{
  (void) map, (void) ns, (void) cookie;
  work ();
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

char *
la_objsearch (const char *name, uintptr_t *cookie, unsigned int flag)
{
  (void) cookie, (void) flag;
  work ();
  return (char *) name;
}

void
la_activity (uintptr_t *cookie, unsigned int flag)
{
  (void) cookie, (void) flag;
  work ();
}

void
la_preinit (uintptr_t *cookie)
{
  (void) cookie;
  work ();
}

unsigned int
la_objclose (uintptr_t *cookie)
{
  (void) cookie;
  work ();
  return 0;
}

#if __SIZEOF_POINTER__ == 8
uintptr_t
la_symbind64 (Elf64_Sym *symbol, unsigned int index, uintptr_t *from,
              uintptr_t *to, unsigned int *flags, const char *name)
#else
uintptr_t
la_symbind32 (Elf32_Sym *symbol, unsigned int index, uintptr_t *from,
              uintptr_t *to, unsigned int *flags, const char *name)
#endif
{
  (void) index, (void) from, (void) to, (void) flags, (void) name;
  work ();
  return symbol->st_value;
}
