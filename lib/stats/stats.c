/* The counters' names.  */
#include "stats/stats.h"

static const struct
{
  const char *name, *unit, *help;
} rows[HKM_COUNTERS] = {
#define HKM_COUNTER(name, unit, help) { #name, unit, help },
#include "stats/counters.def"
#undef HKM_COUNTER
};

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
