/* The counters' names.  */
#include "stats/stats.h"

/* Arrays, not pointers, which would cost every process relocations.  */
struct row
{
  char name[24], unit[12], help[80];
};

static const struct row rows[HKM_COUNTERS] = {
#define HKM_COUNTER(name_, unit_, help_) { #name_, unit_, help_ },
#include "stats/counters.def"
#undef HKM_COUNTER
};

#define FITS(text_, member_)                                                  \
  (sizeof (text_) <= sizeof ((const struct row *) 0)->member_)
#define HKM_COUNTER(name_, unit_, help_)                                      \
  _Static_assert (FITS (#name_, name) && FITS (unit_, unit)                   \
                    && FITS (help_, help), "struct row: " #name_);
#include "stats/counters.def"
#undef HKM_COUNTER

const char *
hkm_counter_name (enum hkm_counter which)
{
  return rows[which].name;
}

const char *
hkm_counter_unit (enum hkm_counter which)
{
  return rows[which].unit;
}

const char *
hkm_counter_help (enum hkm_counter which)
{
  return rows[which].help;
}
