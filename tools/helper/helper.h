/* hakmem-helper: what hakmem-run and hakmem-preload can't do in shell.  Each
   verb is a file of its own, named after it.  A verb says why not on standard
   output, one line each, and returns the exit status: 0, or 1 if something is
   wrong (run: what it ran returned).  Standard error is left to what ld.so and
   the library say.  */
#ifndef HAKMEM_HELPER_H
#define HAKMEM_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* blocks: are this process's blocks libhakmem's?  Prints its version and the
   path it was loaded from.  */
int helper_blocks (void);
/* library PATH: may PATH be preloaded into every program?  Prints its path
   without links.  2: it is fit, but for programs of another word size or
   kind.  */
int helper_library (const char *path);
/* program NAME: will a preload reach the program that execvp takes for it?  */
int helper_program (const char *name);
/* processes ROOT SINCE VERBOSE: which running processes use the library and
   which don't; ROOT/etc/ld.so.preload names it since SINCE (seconds of the
   epoch, 0: it does not).  */
int helper_processes (const char *root, long long since, bool verbose);
/* run FORM PRELOAD PROGRAM ARGUMENT...: run PROGRAM with LD_PRELOAD=PRELOAD
   ("": as it is), print the library's report of it in FORM (summary or text),
   and end as it did; or, if FORM is none, turn into PROGRAM.  The status is
   PROGRAM's, or 125, 126, 127 as env's.  */
int helper_run (const char *form, const char *preload, char **argv);

/* True if a process that runs PROGRAM (its path in the root ROOT, "" or without
   a slash at its end) was told to leave its blocks to libc: by DISABLE and CONF,
   its variables HAKMEM_DISABLE and HAKMEM_CONF or NULL, or by the file of
   options as it is now.  SECURE: it was started with others' privileges.  */
bool is_opted_out (const char *root, const char *program, bool secure,
                   const char *disable, const char *conf);

/* What of an ELF file matters here.  */
struct elf_facts
{
  bool is_elf;
  bool native;       /* class, byte order and machine are this program's; if not,
                        nothing but BITS is known */
  bool cut;          /* the file ends before its segments or headers do */
  bool shared;       /* an object for ld.so: ET_DYN */
  bool has_malloc;   /* defines malloc for all */
  unsigned bits;     /* 32 or 64 */
  char interp[64];   /* "" for static programs and libraries */
  char soname[64];
  char needed[512];  /* names with blanks between */
};
/* 0, or errno.  */
int elf_read (const char *path, struct elf_facts *facts);

/* What follows the last slash.  */
const char *base_name (const char *path);
/* True if a file of that path is libhakmem, whatever its version.  */
bool is_hakmem (const char *path);

#endif
