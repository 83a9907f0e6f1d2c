/* Site rules as a file.  One rule a line, blank lines, and comments from # on:

     FILE+0xOFFSET HINT[,HINT...]

   FILE is the last part of the path that /proc/self/maps shows, or - for the
   program's own file; OFFSET is counted from where it begins, as backtrace()
   prints it.  HINT is cache, no-cache, thp or exact.  A line that is wrong is
   passed over.

   A file that the library wrote is also whole or nothing.  It has two lines
   more in front and one at the end:

     hakmem-sites FORMAT
     program NAME                     whose offsets these are
     checksum FNV-1a                  of all bytes before this line, 64 bits

   The functions keep errno and allocate nothing.  */
#ifndef HKM_LEARN_SITE_FILE_H
#define HKM_LEARN_SITE_FILE_H

#include "base/hint.h"
#include "os/object.h"

enum { HKM_SITE_RULES = 512 }; /* at most */

typedef struct hkm_site_rule
{
  uint64_t offset;
  uint32_t hints;
  char file[HKM_OBJECT_NAME];
} hkm_site_rule;

typedef struct hkm_site_rules
{
  uint32_t count;
  hkm_site_rule rule[HKM_SITE_RULES];
} hkm_site_rules;

/* Read PATH into RULES, which is empty.  What is wrong is said in a line each if
   stderr is a terminal or HAKMEM_VERBOSE is set, but never under AT_SECURE; then
   only files below /etc count that root alone can write.  */
void hkm_site_file_load (const char *path, hkm_site_rules *rules);
/* Write RULES to PATH in one step.  0 or an errno value; EPERM under
   AT_SECURE.  */
int hkm_site_file_save (const char *path, const hkm_site_rules *rules);
/* A further rule, unless there is one for that place already or no room.  */
void hkm_site_rules_add (hkm_site_rules *rules, const hkm_site_rule *rule);
/* The hints for OBJECT; 0: it has no rule.  */
unsigned hkm_site_rules_find (const hkm_site_rules *rules,
                              const hkm_os_object *object);

#endif
