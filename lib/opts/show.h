/* A row's default and range as a reader writes them.  */
#ifndef HKM_OPTS_SHOW_H
#define HKM_OPTS_SHOW_H

#include "opts/opts.h"
#include "os/out.h"

/* "256", "64M", "0xff", "strip", "1.4", "64,64,32,...", "1.4,1.6",
   "unset".  */
void hkm_opts_show_default (hkm_out *out, const struct hkm_opt_row *row);
/* The same of what is in force.  */
void hkm_opts_show_setting (hkm_out *out, const struct hkm_opt_row *row,
                            enum hkm_opt_id id);
/* "2..4096 blocks", "0..64G bytes", "1..2 times", "off, exit", "0 or 1",
   "a path below 4 KiB" (all TEXT rows share that).  */
void hkm_opts_show_valid (hkm_out *out, const struct hkm_opt_row *row);

#endif
