/* Blocks that are not ours: libc's own allocator, and the question who owns
   malloc in this process.

   libc's blocks reach us from code that does not see our symbols: objects
   opened with RTLD_DEEPBIND, or in a namespace of dlmopen; and a process that
   opted out has no others.  __libc_malloc and its kin are libc's own, whatever
   is preloaded.  Where the public names belong to a sanitizer
   (HKM_TEST_NAMES), so do those, and nothing here is ever reached.  */
#include "api/api.h"

#include "base/atomic.h"
#include "base/size_class.h"
#include "map/map.h"
#include "os/os.h"

#include <dlfcn.h>
#include <errno.h>

/* Who owns malloc, once known.  LIBC: another object, and what it hands out is
   libc's: a malloc that only counts, say.  */
enum { OWNER_UNKNOWN, OWNER_US, OWNER_FOREIGN, OWNER_LIBC };
static uint32_t owner;
size_t hkm_aligned_max;

/* A process that opted out gets libc's blocks from our malloc, which look as
   foreign as another owner's: so hkm_libc_malloc says that it was reached.
   The asking thread puts its name here (the address of its errno: no thread
   has another's, and we have no TLS to spend); hkm_libc_malloc, called by that
   very thread, sets bit 0.  */
static uintptr_t asker;

static uintptr_t
thread_name (void)
{
  return (uintptr_t) &errno;
}

#ifndef HKM_TEST_NAMES

/* On aarch64 and others these are as old as the port, on x86-64 GLIBC_2.2.5. */
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *p, size_t size);
void *__libc_memalign (size_t align, size_t size);
void __libc_free (void *p);

void *
hkm_libc_malloc (size_t size)
{
  uintptr_t name = thread_name ();

  if (hkm_unlikely (hkm_load_relaxed (&asker) == name))
    hkm_cas_acquire (&asker, &name, name | 1);
  return hkm_next.malloc != NULL ? hkm_next.malloc (size)
                                 : __libc_malloc (size);
}

void *
hkm_libc_calloc (size_t n, size_t size)
{
  return hkm_next.calloc != NULL ? hkm_next.calloc (n, size)
                                 : __libc_calloc (n, size);
}

void *
hkm_libc_realloc (void *p, size_t size)
{
  return hkm_next.realloc != NULL ? hkm_next.realloc (p, size)
                                  : __libc_realloc (p, size);
}

void *
hkm_libc_memalign (size_t align, size_t size)
{
  return hkm_next.memalign != NULL ? hkm_next.memalign (align, size)
                                   : __libc_memalign (align, size);
}

void
hkm_libc_free (void *p)
{
  int saved = errno; /* before glibc 2.33, free might change it */

  if (hkm_next.free != NULL)
    hkm_next.free (p);
  else
    __libc_free (p);
  errno = saved;
}

/* malloc_usable_size has no __libc_ name.  If what comes after us is libc's and
   malloc is a third object's, which brings none, the answer is 0: nothing can
   be promised.  */
size_t
hkm_libc_usable_size (void *p)
{
  static size_t (*cached) (void *);
  static bool cached_is_libc;
  size_t (*next) (void *) = hkm_load_acquire (&cached);

  if (next == NULL)
    {
      Dl_info theirs, libc;
      int (*object_of) (const void *, Dl_info *)
          = (int (*) (const void *, Dl_info *)) hkm_foreign_next ("dladdr");
      next = (size_t (*) (void *)) hkm_foreign_next ("malloc_usable_size");
      if (next == NULL)
        return 0;
      hkm_store_relaxed (&cached_is_libc,
                         object_of ((void *) next, &theirs) != 0
                           && object_of ((void *) __libc_free, &libc) != 0
                           && theirs.dli_fbase == libc.dli_fbase);
      hkm_store_release (&cached, next);
    }
  if (hkm_load_relaxed (&cached_is_libc) && hkm_foreign_owns_malloc ()
      && !hkm_foreign_owner_is_libc ())
    return 0;
  return next (p);
}

bool
hkm_foreign_is_libc (const void *p)
{
  return hkm_opted_out || hkm_dlopen_own_libc () || hkm_spare_used ()
         || hkm_os_in_brk (p);
}

#else /* HKM_TEST_NAMES */

#define UNREACHABLE "libc's allocator does not exist in this build"

void *
hkm_libc_malloc (size_t size)
{
  (void) size;
  hkm_assert_failed (UNREACHABLE, __FILE__, __LINE__);
}

void *
hkm_libc_calloc (size_t n, size_t size)
{
  (void) n, (void) size;
  hkm_assert_failed (UNREACHABLE, __FILE__, __LINE__);
}

void *
hkm_libc_realloc (void *p, size_t size)
{
  (void) p, (void) size;
  hkm_assert_failed (UNREACHABLE, __FILE__, __LINE__);
}

void *
hkm_libc_memalign (size_t align, size_t size)
{
  (void) align, (void) size;
  hkm_assert_failed (UNREACHABLE, __FILE__, __LINE__);
}

void
hkm_libc_free (void *p)
{
  (void) p;
  hkm_assert_failed (UNREACHABLE, __FILE__, __LINE__);
}

size_t
hkm_libc_usable_size (void *p)
{
  (void) p;
  hkm_assert_failed (UNREACHABLE, __FILE__, __LINE__);
}

bool
hkm_foreign_is_libc (const void *p)
{
  (void) p;
  return false;
}

#endif /* HKM_TEST_NAMES */

/* Not a tail call at any level: RTLD_NEXT means "after the object that
   contains the return address".  */
HKM_COLD void *
hkm_foreign_next (const char *name)
{
  int saved = errno;
  void *found = dlsym (RTLD_NEXT, name);

  errno = saved;
  return found;
}

#ifndef HKM_TEST_NAMES
/* True if what was at ADDRESS, a block of one byte got from a foreign malloc and
   freed there just now, went back to libc: then libc, which takes the block
   freed last first, has it again.  */
static bool
went_to_libc (uintptr_t address)
{
  void *again = __libc_malloc (1);
  bool same = (uintptr_t) again == address;
  hkm_libc_free (again);
  return same;
}
#else
static bool
went_to_libc (uintptr_t address)
{
  (void) address;
  return false;
}
#endif

/* Take a block from the public malloc and see whose it is.  UNKNOWN: no memory,
   or another thread asked meanwhile and took the asker's place.  */
static uint32_t
ask_once (bool *no_memory)
{
  uintptr_t name = thread_name ();
  uint32_t answer = OWNER_FOREIGN;

  hkm_store_release (&asker, name);
  void *p = HKM_API (malloc) (1);
  uintptr_t reached = hkm_load_acquire (&asker);
  *no_memory = p == NULL;
  if (hkm_map_find (p) != NULL || reached == (name | 1))
    answer = OWNER_US;
  else if (p == NULL || (hkm_opted_out && reached != name))
    answer = OWNER_UNKNOWN;
  uintptr_t address = (uintptr_t) p;
  HKM_API (free) (p);
  if (answer == OWNER_FOREIGN && went_to_libc (address))
    answer = OWNER_LIBC;
  return answer;
}

/* Comparing addresses of functions would not do: &malloc may be a stub in the
   program.  No lock and no waiting: a fork child may find the question half
   asked by a thread that it does not have.  Of two threads that ask at once
   the later one finishes; the other asks again or finds the answer.  */
HKM_COLD static uint32_t
ask_owner (void)
{
  int saved = errno;
  uint32_t answer;
  bool no_memory;

  while ((answer = ask_once (&no_memory)) == OWNER_UNKNOWN && !no_memory)
    if ((answer = hkm_load_relaxed (&owner)) != OWNER_UNKNOWN)
      break;
  if (answer != OWNER_UNKNOWN)
    hkm_store_relaxed (&owner, answer);
  if (answer == OWNER_US)
    hkm_store_relaxed (&hkm_aligned_max, HKM_MID_MAX);
  errno = saved;
  return answer;
}

bool
hkm_foreign_owns_malloc (void)
{
  uint32_t known = hkm_load_relaxed (&owner);

  if (hkm_unlikely (known == OWNER_UNKNOWN))
    known = ask_owner ();
  return known >= OWNER_FOREIGN;
}

bool
hkm_foreign_owner_is_libc (void)
{
  return hkm_load_relaxed (&owner) == OWNER_LIBC;
}
