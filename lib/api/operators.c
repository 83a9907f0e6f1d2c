/* C++'s replaceable allocation functions, as [new.delete] and libstdc++ have
   them, in C and without linking a C++ library.

     new(n)             malloc, handlers, bad_alloc      delete(p)      free
     new(n, align)      posix_memalign, the same         delete(p, al)  free
     new[]              new            the sized and nothrow deletes, and
     nothrow new        new, NULL      delete[]: the delete they stand for

   All calls go through the public names: whoever owns malloc owns these, and a
   program that replaces only new and delete is served by them under every
   other name too.  A wrong size handed to a sized delete is not complained
   about: no other library does, and programs live with it.

   Of the C++ library this file needs the current new-handler, and somebody to
   throw bad_alloc and to catch it (for nothrow new: catching is not possible
   in C, so libstdc++'s own nothrow new is called, which is "try new, catch").
   It is asked for them when memory is short, and only then.  An exception
   passes through the functions here: compiled with -fexceptions.  */
#include "api/api.h"

#include "base/atomic.h"
#include "os/out.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#ifdef HKM_TEST_NAMES
#define PUBLIC "hkm_test_"
#else
#define PUBLIC ""
#endif
#ifdef __LP64__
#define SIZE "m" /* size_t in a mangled name: unsigned long */
#else
#define SIZE "j" /* unsigned int */
#endif
#define NOTHROW "RKSt9nothrow_t"
#define ALIGN "St11align_val_t"
/* A C++ function under its mangled name.  Not inlined: clang would inline one
   in another, and the program's replacement would be passed by.  */
#define NAMED(name) __asm__ (PUBLIC name) HKM_EXPORT HKM_NOINLINE

typedef struct hkm_nothrow hkm_nothrow; /* std::nothrow_t, by reference */

void *new_plain (size_t size) NAMED ("_Znw" SIZE);
void *new_array (size_t size) NAMED ("_Zna" SIZE);
void *new_nothrow (size_t size, const hkm_nothrow *tag)
    NAMED ("_Znw" SIZE NOTHROW);
void *new_array_nothrow (size_t size, const hkm_nothrow *tag)
    NAMED ("_Zna" SIZE NOTHROW);
void *new_aligned (size_t size, size_t align) NAMED ("_Znw" SIZE ALIGN);
void *new_array_aligned (size_t size, size_t align) NAMED ("_Zna" SIZE ALIGN);
void *new_aligned_nothrow (size_t size, size_t align, const hkm_nothrow *tag)
    NAMED ("_Znw" SIZE ALIGN NOTHROW);
void *new_array_aligned_nothrow (size_t size, size_t align,
                                 const hkm_nothrow *tag)
    NAMED ("_Zna" SIZE ALIGN NOTHROW);

void delete_plain (void *p) NAMED ("_ZdlPv");
void delete_array (void *p) NAMED ("_ZdaPv");
void delete_nothrow (void *p, const hkm_nothrow *tag) NAMED ("_ZdlPv" NOTHROW);
void delete_array_nothrow (void *p, const hkm_nothrow *tag)
    NAMED ("_ZdaPv" NOTHROW);
void delete_sized (void *p, size_t size) NAMED ("_ZdlPv" SIZE);
void delete_array_sized (void *p, size_t size) NAMED ("_ZdaPv" SIZE);
void delete_aligned (void *p, size_t align) NAMED ("_ZdlPv" ALIGN);
void delete_array_aligned (void *p, size_t align) NAMED ("_ZdaPv" ALIGN);
void delete_aligned_nothrow (void *p, size_t align, const hkm_nothrow *tag)
    NAMED ("_ZdlPv" ALIGN NOTHROW);
void delete_array_aligned_nothrow (void *p, size_t align,
                                   const hkm_nothrow *tag)
    NAMED ("_ZdaPv" ALIGN NOTHROW);
void delete_sized_aligned (void *p, size_t size, size_t align)
    NAMED ("_ZdlPv" SIZE ALIGN);
void delete_array_sized_aligned (void *p, size_t size, size_t align)
    NAMED ("_ZdaPv" SIZE ALIGN);

/* Ours, whatever the public names mean in this process.  */
static void *own_new (size_t size)
    __attribute__ ((alias (PUBLIC "_Znw" SIZE)));
static void *own_new_array (size_t size)
    __attribute__ ((alias (PUBLIC "_Zna" SIZE)));
static void *own_new_aligned (size_t size, size_t align)
    __attribute__ ((alias (PUBLIC "_Znw" SIZE ALIGN)));
static void *own_new_array_aligned (size_t size, size_t align)
    __attribute__ ((alias (PUBLIC "_Zna" SIZE ALIGN)));

/* std::get_new_handler () and std::__throw_bad_alloc (), which libstdc++ and
   libc++ both export.  Weak: null where the program has no C++ library.  */
typedef void (*new_handler) (void);
extern new_handler cxx_get_new_handler (void)
    __asm__ ("_ZSt15get_new_handlerv") __attribute__ ((weak));
extern void cxx_throw_bad_alloc (void)
    __asm__ ("_ZSt17__throw_bad_allocv") __attribute__ ((weak));

/* NAME in the C++ library of this process, or NULL.  Also one that came later
   by dlopen, whose symbols a plain lookup does not see.  It is not closed
   again, so that what was found in it stays.  */
HKM_COLD static void *
find_in_cxx (const char *name)
{
  static const char *const names[]
      = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };
  static void *cached;
  void *library = hkm_load_relaxed (&cached);
  int saved = errno;
  void *found = NULL;

  if (library == NULL)
    {
      void *(*open) (const char *, int)
          = (void *(*) (const char *, int)) hkm_foreign_next ("dlopen");
      for (size_t i = 0; library == NULL && i < sizeof names / sizeof *names;
           i++)
        library = open (names[i], RTLD_LAZY | RTLD_NOLOAD);
    }
  if (library != NULL)
    {
      hkm_store_relaxed (&cached, library);
      found = dlsym (library, name);
    }
  errno = saved;
  return found;
}

HKM_COLD static new_handler
current_handler (void)
{
  new_handler (*get) (void) = cxx_get_new_handler;

  if (get == NULL)
    get = (new_handler (*) (void)) find_in_cxx ("_ZSt15get_new_handlerv");
  return get != NULL ? get () : NULL;
}

HKM_COLD __attribute__ ((noreturn)) static void
throw_bad_alloc (size_t size)
{
  void (*throw_it) (void) = cxx_throw_bad_alloc;

  if (throw_it == NULL)
    throw_it = (void (*) (void)) find_in_cxx ("_ZSt17__throw_bad_allocv");
  if (throw_it != NULL)
    throw_it ();
  hkm_out_line ("operator new: no memory for %zu bytes, and no C++ library to "
                "throw std::bad_alloc", size);
  abort ();
}

/* ALIGN 0: malloc's.  NULL: no memory.  */
static void *
try_once (size_t size, size_t align)
{
  void *p = NULL;

  if (size == 0)
    size = 1; /* another malloc may return NULL for 0 */
  if (align == 0)
    return HKM_API (malloc) (size);
  if (align < sizeof (void *))
    align = sizeof (void *);
  return HKM_API (posix_memalign) (&p, align, size) == 0 ? p : NULL;
}

/* The handler's turn until there is memory, there is no handler, or it throws
   (or ends the program).  */
HKM_COLD static void *
new_slow (size_t size, size_t align)
{
  void *p;

  do
    {
      new_handler handler = current_handler ();
      if (handler == NULL)
        throw_bad_alloc (size);
      handler ();
      p = try_once (size, align);
    }
  while (p == NULL);
  return p;
}

static bool
is_alignment (size_t align)
{
  return align != 0 && (align & (align - 1)) == 0;
}

void *
new_plain (size_t size)
{
  void *p = try_once (size, 0);
  return hkm_likely (p != NULL) ? p : new_slow (size, 0);
}

void *
new_aligned (size_t size, size_t align)
{
  if (hkm_unlikely (!is_alignment (align)))
    throw_bad_alloc (size); /* no handler could help */
  void *p = try_once (size, align);
  return hkm_likely (p != NULL) ? p : new_slow (size, align);
}

void *
new_array (size_t size)
{
  return new_plain (size);
}

void *
new_array_aligned (size_t size, size_t align)
{
  return new_aligned (size, align);
}

typedef void *new_function (size_t size);
typedef void *new_aligned_function (size_t size, size_t align);

/* True if the new that nothrow new stands for, and what that is built on, are
   ours.  The asm keeps the compiler from concluding what it can't know.  */
static bool
new_is_ours (bool array)
{
  new_function *plain = own_new, *arrays = own_new_array;
  __asm__ ("" : "+r" (plain), "+r" (arrays));
  return plain == new_plain && (!array || arrays == new_array);
}

static bool
new_aligned_is_ours (bool array)
{
  new_aligned_function *plain = own_new_aligned,
                       *arrays = own_new_array_aligned;
  __asm__ ("" : "+r" (plain), "+r" (arrays));
  return plain == new_aligned && (!array || arrays == new_array_aligned);
}

/* Nothrow new is new in a try block.  If new is ours and there is no handler,
   that comes to returning NULL; else the C++ library's nothrow new does it,
   which calls the public new.  Without a C++ library nobody can have made a
   handler, and new, if it is not ours, can't throw.  */
HKM_COLD static void *
new_nothrow_slow (size_t size, const hkm_nothrow *tag, bool array)
{
  bool ours = new_is_ours (array);
  void *(*cxx) (size_t, const hkm_nothrow *);

  if (ours && current_handler () == NULL)
    return NULL;
  cxx = (void *(*) (size_t, const hkm_nothrow *))
      find_in_cxx (array ? "_Zna" SIZE NOTHROW : "_Znw" SIZE NOTHROW);
  if (cxx != NULL)
    return cxx (size, tag);
  return ours ? NULL : array ? new_array (size) : new_plain (size);
}

HKM_COLD static void *
new_aligned_nothrow_slow (size_t size, size_t align, const hkm_nothrow *tag,
                          bool array)
{
  bool ours = new_aligned_is_ours (array);
  void *(*cxx) (size_t, size_t, const hkm_nothrow *);

  if (!is_alignment (align) || (ours && current_handler () == NULL))
    return NULL;
  cxx = (void *(*) (size_t, size_t, const hkm_nothrow *))
      find_in_cxx (array ? "_Zna" SIZE ALIGN NOTHROW
                         : "_Znw" SIZE ALIGN NOTHROW);
  if (cxx != NULL)
    return cxx (size, align, tag);
  return ours ? NULL
              : array ? new_array_aligned (size, align)
                      : new_aligned (size, align);
}

HKM_INLINE void *
nothrow (size_t size, const hkm_nothrow *tag, bool array)
{
  void *p = hkm_likely (new_is_ours (array)) ? try_once (size, 0) : NULL;
  return hkm_likely (p != NULL) ? p : new_nothrow_slow (size, tag, array);
}

HKM_INLINE void *
aligned_nothrow (size_t size, size_t align, const hkm_nothrow *tag, bool array)
{
  void *p = hkm_likely (new_aligned_is_ours (array) && is_alignment (align))
              ? try_once (size, align) : NULL;
  return hkm_likely (p != NULL)
           ? p : new_aligned_nothrow_slow (size, align, tag, array);
}

void *
new_nothrow (size_t size, const hkm_nothrow *tag)
{
  return nothrow (size, tag, false);
}

void *
new_array_nothrow (size_t size, const hkm_nothrow *tag)
{
  return nothrow (size, tag, true);
}

void *
new_aligned_nothrow (size_t size, size_t align, const hkm_nothrow *tag)
{
  return aligned_nothrow (size, align, tag, false);
}

void *
new_array_aligned_nothrow (size_t size, size_t align, const hkm_nothrow *tag)
{
  return aligned_nothrow (size, align, tag, true);
}

void
delete_plain (void *p)
{
  HKM_API (free) (p);
}

void
delete_aligned (void *p, size_t align)
{
  (void) align;
  HKM_API (free) (p);
}

/* The others stand for another delete, which the program may have replaced.  */

void
delete_array (void *p)
{
  delete_plain (p);
}

void
delete_nothrow (void *p, const hkm_nothrow *tag)
{
  (void) tag;
  delete_plain (p);
}

void
delete_array_nothrow (void *p, const hkm_nothrow *tag)
{
  (void) tag;
  delete_array (p);
}

void
delete_sized (void *p, size_t size)
{
  (void) size;
  delete_plain (p);
}

void
delete_array_sized (void *p, size_t size)
{
  (void) size;
  delete_array (p);
}

void
delete_array_aligned (void *p, size_t align)
{
  delete_aligned (p, align);
}

void
delete_aligned_nothrow (void *p, size_t align, const hkm_nothrow *tag)
{
  (void) tag;
  delete_aligned (p, align);
}

void
delete_array_aligned_nothrow (void *p, size_t align, const hkm_nothrow *tag)
{
  (void) tag;
  delete_array_aligned (p, align);
}

void
delete_sized_aligned (void *p, size_t size, size_t align)
{
  (void) size;
  delete_aligned (p, align);
}

void
delete_array_sized_aligned (void *p, size_t size, size_t align)
{
  (void) size;
  delete_array_aligned (p, align);
}
