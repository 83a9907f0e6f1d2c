/* Small files, whole: read into a buffer, replaced in one step.  By raw system
   call, without allocation; errno is kept.  Any thread.  Knows nothing of what
   is in them.  */
#ifndef HKM_OS_FILE_H
#define HKM_OS_FILE_H

#include "base/compiler.h"

/* Open PATH to be read whole by hkm_os_file_take: a regular file (of what a link
   leads to), so that opening it waits for nobody; if OWNED, root's, and one that
   nobody else may write.  *SIZE is how long it says it is, 0 if that is not
   known.  Returns 0 or an errno value: EPERM if it isn't such a file.  */
int hkm_os_file_open (const char *path, bool owned, int *fd, size_t *size);
/* Read FD to its end into TEXT of SIZE bytes and close it; *N is what was stored,
   SIZE if the file may go on beyond.  Returns 0 or an errno value.  */
int hkm_os_file_take (int fd, char *text, size_t size, size_t *n);
/* Read PATH into TEXT of SIZE bytes; *N is what was stored, SIZE if the file
   may go on beyond.  Does not wait for a file that is a pipe or terminal.
   Returns 0 or an errno value.  */
int hkm_os_file_read (const char *path, char *text, size_t size, size_t *n);
/* The same; under AT_SECURE only of a file below /etc that is root's and that
   nobody else may write, else EPERM.  */
int hkm_os_file_read_trusted (const char *path, char *text, size_t size,
                              size_t *n);
/* Make PATH a file of the N bytes of TEXT, mode 0644 less the umask.  Whoever
   opens PATH meanwhile, or after a crash, finds the old file or the new one,
   never part of one.  A symbolic link is replaced, not followed;
   a device, a pipe or a socket, or a link to one, is left alone: EEXIST.
   Returns 0 or an errno value; then PATH is as it was.  */
int hkm_os_file_replace (const char *path, const char *text, size_t n);

#endif
