/* The policy as a file: text that people can read and this library alone
   writes.  The lines, in this order:

     hakmem-policy FORMAT
     library VERSION
     class-steps STEPS classes COUNT
     NAME = VALUE                     for each knob; NAME is its variable's
     class K size S route R superslabs D cap N batch N remote N    for each
     keep class K slabs N             empty slabs and free runs kept, of classes
     keep runs K blocks N             of which it isn't as CAP_MID and so on say
     earned N MiB                     of idle memory, by what was purged in vain
     checksum FNV-1a                  of all bytes before this line, 64 bits

   A file that is damaged, cut short, newer than this library, out of range or
   made for other classes or routes is refused as a whole.  */
#ifndef HKM_POLICY_FILE_H
#define HKM_POLICY_FILE_H

#include "base/compiler.h"

struct hkm_policy;

/* Load what HAKMEM_POLICY_FILE names, save to what HAKMEM_POLICY_SAVE names, if
   they are set (policy/start_end.c).  What goes wrong is said in one line where
   somebody can read it; the policy in force stays.  Called once, by init when
   hkm_policy_init is done, who gets the bytes of idle memory that the file says
   were earned, and at exit, when SETTLED says what to save, beside EARNED bytes: it
   gets a policy of generation 0.  */
size_t hkm_policy_at_start (void);
void hkm_policy_at_exit (void (*settled) (struct hkm_policy *policy),
                         size_t earned);

/* Both return 0 or an errno value, keep errno, allocate nothing, and may be
   called by any thread once hkm_policy_init is done.  */

/* Write POLICY and EARNED to PATH in one step (hkm_os_file_replace).  EPERM under
   AT_SECURE.  */
int hkm_policy_file_save (const char *path, struct hkm_policy *policy,
                          size_t earned);
/* Publish what PATH says, and tell what was earned by it; 0: nothing.  EBADMSG: no
   policy file, or not whole; ENOTSUP: of a newer library, or for other classes or
   routes; ERANGE: a value is.  Then one line names file, line and reason if stderr
   is a terminal or HAKMEM_VERBOSE is set, but never under AT_SECURE.  */
int hkm_policy_file_load (const char *path, size_t *earned);

#endif
