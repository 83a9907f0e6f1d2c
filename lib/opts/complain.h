/* What the owner of a wrong entry is told: one line on stderr, which names the
   nearest valid thing.  The caller knows that somebody wants it.  */
#ifndef HKM_OPTS_COMPLAIN_H
#define HKM_OPTS_COMPLAIN_H

#include "opts/set.h"

/* More wrong entries of one place than this are only counted.  */
enum { HKM_COMPLAINTS_MAX = 16 };

/* No row has the entry's name.  */
void hkm_complain_name (const hkm_opt_entry *entry);
/* Row ID does not take the entry's value.  */
void hkm_complain_value (const hkm_opt_entry *entry, enum hkm_opt_id id,
                         enum hkm_parsed why);
/* A line of a file is wrong for another reason.  */
void hkm_complain_line (const hkm_opt_entry *entry, const char *why);
/* What COUNT wrong entries leave to say at last; FILE is NULL for the
   environment's.  */
void hkm_complain_rest (const char *file, unsigned count);

#endif
