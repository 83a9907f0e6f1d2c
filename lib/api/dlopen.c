/* What dlopen and dlmopen are given before libc's own get it.  The exported
   functions are jumps (api/dlopen_jump.S); they call these first, with the
   mode they were called with, and then go where these say.

   RTLD_DEEPBIND makes an object prefer its own dependencies' symbols, libc's
   malloc among them, over the program's.  Two mallocs that hand each other
   blocks end in a crash, so the flag is removed (HAKMEM_DEEPBIND=keep leaves
   it).  A namespace of dlmopen has a libc of its own by definition; there the
   blocks that come back are known to be possibly libc's.  */
#include "api/dlopen.h"
#include "api/api.h"

#include "base/atomic.h"
#include "learn/site.h"
#include "opts/opts.h"

#include <dlfcn.h>
#include <stddef.h>

#ifdef HKM_DLOPEN_JUMP

enum { DEEPBIND_STRIP, DEEPBIND_KEEP }; /* the row's choices, in order */

static bool namespaces; /* dlmopen made one, or tried to */
static void *real_dlopen, *real_dlmopen;

/* Where to jump if the process has no dlopen (an old libc without libdl):
   nothing can be opened.  Serves both, which return pointers.  */
static void *
nothing_opened (void)
{
  return NULL;
}

/* Two threads may look the same thing up; they find the same.  */
static void *
real (void **cached, const char *name)
{
  void *found = hkm_load_relaxed (cached);

  if (found == NULL)
    {
      found = hkm_foreign_next (name);
      if (found == NULL)
        found = (void *) nothing_opened;
      hkm_store_relaxed (cached, found);
    }
  return found;
}

static void
strip (int *mode)
{
#ifdef RTLD_DEEPBIND
  /* With libc's malloc for all, there is nothing to protect.  */
  if ((*mode & RTLD_DEEPBIND) != 0 && !hkm_init ()
      && hkm_opt (HKM_OPT_DEEPBIND) == DEEPBIND_STRIP)
    *mode &= ~RTLD_DEEPBIND;
#else
  (void) mode;
#endif
}

void *
hkm_dlopen_prepare (int *mode)
{
  strip (mode);
  hkm_site_forget ();
  return real (&real_dlopen, "dlopen");
}

void *
hkm_dlmopen_prepare (long nsid, int *mode)
{
  strip (mode);
  hkm_site_forget ();
  if (nsid != LM_ID_BASE)
    hkm_store_relaxed (&namespaces, true);
  return real (&real_dlmopen, "dlmopen");
}

bool
hkm_dlopen_own_libc (void)
{
  return hkm_load_relaxed (&namespaces)
         || hkm_opt (HKM_OPT_DEEPBIND) == DEEPBIND_KEEP;
}

#else /* no jump for this machine: whatever is opened is opened by libc */

bool
hkm_dlopen_own_libc (void)
{
  return true;
}

#endif
