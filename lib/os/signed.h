/* Text files that people may read and this library alone writes: their last line
   is a checksum of all before it.  */
#ifndef HKM_OS_SIGNED_H
#define HKM_OS_SIGNED_H

#include "os/out.h"

/* The last line: this, 16 digits, and its end.  */
#define HKM_SIGNED_WORD "checksum "
enum { HKM_SIGNED_LINE = sizeof HKM_SIGNED_WORD - 1 + 16 + 1 };
/* Far more than such a file takes; whole pages of any size.  */
#define HKM_SIGNED_MAX ((size_t) 64 << 10)

/* Make PATH, in one step (hkm_os_file_replace), a file of what PRINT writes of
   WHAT, less than HKM_SIGNED_MAX, and its last line.  0 or an errno value; EPERM
   under AT_SECURE.  */
int hkm_signed_save (const char *path,
                     void (*print) (hkm_out *out, void *what), void *what);
/* True if the last line of TEXT, of N bytes, is that of all before it.  */
bool hkm_signed_is_whole (const char *text, size_t n);

#endif
