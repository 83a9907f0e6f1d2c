/* Which file is mapped where an address lies, as the kernel says.

   Not as the dynamic linker says: dl_iterate_phdr and dladdr take its locks,
   under which it runs callbacks of the program that take the program's locks,
   which may be held by whoever asks us for memory; and its list of objects
   can't be walked without them.  /proc/self/maps is read under no lock but the
   kernel's, for the length of each read.  It takes some microseconds for every
   ten mappings, so what is found is to be kept.  */
#ifndef HKM_OS_OBJECT_H
#define HKM_OS_OBJECT_H

#include "base/compiler.h"

enum { HKM_OBJECT_NAME = 48 }; /* its zero included */

typedef struct hkm_os_object
{
  char name[HKM_OBJECT_NAME]; /* the last part of its path */
  bool program;               /* it is the program's own file */
  uintptr_t offset;           /* of the address, from where the file begins */
} hkm_os_object;

/* False: nothing, no file, or one whose name is too long or has blanks in it is
   mapped at ADDR, or /proc can't be read.  Opens a file; allocates nothing,
   keeps errno, any thread.  */
bool hkm_os_object_at (uintptr_t addr, hkm_os_object *object);
/* The same of the program.  */
bool hkm_os_object_program (hkm_os_object *object);

#endif
