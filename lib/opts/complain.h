/* Messages about wrong HAKMEM_ entries: collected while the environment is
   read, printed when it is known that somebody wants them.  */
#ifndef HKM_OPTS_COMPLAIN_H
#define HKM_OPTS_COMPLAIN_H

#include "opts/opts.h"
#include "opts/parse.h"

/* More wrong entries than this are only counted.  */
enum { HKM_COMPLAINTS_MAX = 16 };

typedef struct hkm_complaints
{
  unsigned count; /* of all, kept or not */
  struct
  {
    const char *entry; /* "HAKMEM_NAME=value", in the environment block */
    int id;            /* enum hkm_opt_id, or -1 for an unknown name */
    enum hkm_parsed why;
  } kept[HKM_COMPLAINTS_MAX];
} hkm_complaints;

void hkm_complain_later (hkm_complaints *complaints, const char *entry, int id,
                         enum hkm_parsed why);
/* One line each on stderr, naming the nearest valid thing.  */
void hkm_complain (const hkm_complaints *complaints);

#endif
