/* Names of files that tell processes and programs apart.  Never allocates,
   keeps errno; any thread.  */
#ifndef HKM_OS_PATH_H
#define HKM_OS_PATH_H

#include "base/compiler.h"

/* The path of the file that the process executes, without what the kernel adds
   when that file was removed, into PATH of SIZE bytes.  Returns 0 or an errno
   value (no /proc, say).  */
int hkm_os_path_program (char *path, size_t size);
/* The last part of that path, from PATH of SIZE bytes, at less cost: /proc makes
   four objects of a process that asks it for the first time.  Goes by what exec
   was told (os.h), if the program's first argument says that it was no script;
   NULL if it can't be known so.  */
const char *hkm_os_path_program_name (char *path, size_t size);
/* What follows the last slash of PATH.  */
const char *hkm_os_path_name (const char *path);
/* PATTERN into PATH of SIZE bytes: %p becomes the process id, %n the name of the
   file that the process executes (without its directories, and without what the
   kernel adds when that file was removed), %% one per cent sign; any other % is
   itself.  Returns 0 or an errno value: ENAMETOOLONG, or why %n is not known
   (no /proc, say); PATH is then of no use.  */
int hkm_os_path_expand (char *path, size_t size, const char *pattern);
/* At the start, if PATTERN is to be expanded at the end: a process that filters
   its system calls by then (sshd's child before the login) would die of asking
   /proc for %n.  Once, by one thread.  */
void hkm_os_path_keep_program (const char *pattern);

#endif
