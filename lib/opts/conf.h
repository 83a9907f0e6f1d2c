/* The file of options, hakmem.conf(5): those for all programs, then sections of
   those for some.

     NAME = VALUE         # of options.def, with or without HAKMEM_, in any case
     [PROGRAM]            the last part of its executable's path
     [/PATH/OF/PROGRAM]   all of it
     [BEGINNING*]         of either

   A line that is wrong is passed over, and with it what follows a wrong [...].
   Of lines for the same option the last counts; those of a section count more.

   Here is the reading of the text alone; opts.c finds the file.  Allocates
   nothing.  */
#ifndef HKM_OPTS_CONF_H
#define HKM_OPTS_CONF_H

#include "base/compiler.h"

/* Bytes of a file; one that is as long is refused.  Whole pages of any size.  */
#define HKM_CONF_MAX ((size_t) 64 << 10)
/* Bytes of a line.  */
enum { HKM_CONF_LINE = 4096 };

typedef struct hkm_conf
{
  const char *path; /* of the file, for messages */
  const char *text;
  size_t n;
  /* The path of what runs, and its last part, asked for when a section has to
     know; NULL: not yet.  */
  const char *program, *name;
  char *room; /* PATH_MAX bytes for either */
  bool secure; /* AT_SECURE: leave out what writes, prints or opens files */
} hkm_conf;

/* Set the options as CONF says.  Wrong lines are counted, as far as they concern
   this program.  */
unsigned hkm_conf_take (hkm_conf *conf);
/* Tell, in a line each on stderr, what is wrong, in all sections.  */
void hkm_conf_tell (hkm_conf *conf);

#endif
