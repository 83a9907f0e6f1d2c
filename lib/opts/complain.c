/* What the owner of a wrong HAKMEM_ entry is told: see opts/complain.h.  */
#include "opts/complain.h"

#include "base/text.h"
#include "opts/show.h"
#include "os/out.h"

#include <string.h>

enum { SHOWN = 40 }; /* letters of a name or value that a line repeats */

void
hkm_complain_later (hkm_complaints *complaints, const char *entry, int id,
                    enum hkm_parsed why)
{
  unsigned k = complaints->count++;

  if (k >= HKM_COMPLAINTS_MAX)
    return;
  complaints->kept[k].entry = entry;
  complaints->kept[k].id = id;
  complaints->kept[k].why = why;
}

/* N bytes of FROM into SHORT_TEXT, cut with "..." after SHOWN.  */
static const char *
shorten (char short_text[SHOWN + 4], const char *from, size_t n)
{
  size_t keep = n < SHOWN ? n : SHOWN;

  memcpy (short_text, from, keep);
  memcpy (short_text + keep, "...", n > SHOWN ? 4 : 0);
  short_text[keep + (n > SHOWN ? 3 : 0)] = '\0';
  return short_text;
}

static void
complain_name (const char *name, size_t n)
{
  char shown[SHOWN + 4];
  unsigned best = UINT32_MAX;
  const char *nearest = "";

  for (int id = 0; id < HKM_OPT_COUNT; id++)
    {
      const char *known = hkm_opts_row (id)->name;
      unsigned distance
          = hkm_edit_distance (name, n, known, hkm_text_size (known));

      if (distance < best)
        {
          best = distance;
          nearest = known;
        }
    }
  hkm_out_line ("no variable HAKMEM_%s, ignored; the nearest is HAKMEM_%s",
                shorten (shown, name, n), nearest);
}

static void
complain_value (const struct hkm_opt_row *row, const char *given,
                enum hkm_parsed why)
{
  char shown[SHOWN + 4], def[64], valid[128];
  hkm_out_store def_store = { def, sizeof def };
  hkm_out_store valid_store = { valid, sizeof valid };
  hkm_out out;

  hkm_out_init_store (&out, &def_store);
  hkm_opts_show_default (&out, row);
  hkm_out_flush (&out);
  hkm_out_init_store (&out, &valid_store);
  hkm_opts_show_valid (&out, row);
  hkm_out_flush (&out);
  hkm_out_line ("HAKMEM_%s=%s is %s, stays %s; valid: %s", row->name,
                shorten (shown, given, hkm_text_size (given)),
                row->type == HKM_OPT_TEXT ? "too long"
                : why == HKM_RANGE        ? "out of range"
                                          : "not understood",
                def, valid);
}

void
hkm_complain (const hkm_complaints *complaints)
{
  unsigned n = complaints->count < HKM_COMPLAINTS_MAX ? complaints->count
                                                      : HKM_COMPLAINTS_MAX;

  for (unsigned k = 0; k < n; k++)
    {
      const char *name = complaints->kept[k].entry + sizeof "HAKMEM_" - 1;
      const char *equals = hkm_text_find (name, '=');
      int id = complaints->kept[k].id;

      if (id < 0)
        complain_name (name, (size_t) (equals - name));
      else
        complain_value (hkm_opts_row (id), equals + 1, complaints->kept[k].why);
    }
  if (complaints->count > n)
    hkm_out_line ("and %u further wrong HAKMEM_ variables",
                  complaints->count - n);
}
