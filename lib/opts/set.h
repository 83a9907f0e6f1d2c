/* Setting options by name and text, for who reads them somewhere: opts.c the
   environment, conf.c the file.  Before hkm_opts_load is done, one thread.  */
#ifndef HKM_OPTS_SET_H
#define HKM_OPTS_SET_H

#include "opts/opts.h"
#include "opts/parse.h"

/* One setting as it was found.  The texts need not end in zero.  */
typedef struct hkm_opt_entry
{
  const char *file; /* NULL: in the environment */
  unsigned line;
  const char *name; /* without HAKMEM_ */
  size_t name_size;
  const char *value;
  size_t value_size;
} hkm_opt_entry;

/* The row called so, in capitals, or -1.  */
int hkm_opts_find_exactly (const char *name, size_t n);
/* Give row ID the entry's value, unless a source that counts more did so before;
   or (BY is HKM_OPT_BY_TABLE) say whether that could be, and change nothing.  */
enum hkm_parsed hkm_opts_set (enum hkm_opt_id id, const hkm_opt_entry *entry,
                              enum hkm_opt_source by);

#endif
