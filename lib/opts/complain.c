/* See opts/complain.h.  */
#include "opts/complain.h"

#include "base/text.h"
#include "opts/show.h"
#include "os/out.h"

#include <string.h>

enum { SHOWN = 40 }; /* letters of a name or value that a line repeats */

/* N bytes of FROM into SHORT_TEXT, cut with "..." after SHOWN.  */
static HKM_COLD const char *
shorten (char short_text[SHOWN + 4], const char *from, size_t n)
{
  size_t keep = n < SHOWN ? n : SHOWN;

  memcpy (short_text, from, keep);
  memcpy (short_text + keep, "...", n > SHOWN ? 4 : 0);
  short_text[keep + (n > SHOWN ? 3 : 0)] = '\0';
  return short_text;
}

/* A sentence about ENTRY, with its place in front if that is a line.  */
static HKM_COLD void HKM_PRINTF (2, 3)
say (const hkm_opt_entry *entry, const char *format, ...)
{
  char text[400];
  hkm_out_store store = { text, sizeof text };
  hkm_out out;
  va_list args;

  hkm_out_init_store (&out, &store);
  va_start (args, format);
  hkm_out_vprintf (&out, format, args);
  va_end (args);
  hkm_out_flush (&out);
  if (entry->file == NULL)
    hkm_out_line ("%s", text);
  else
    hkm_out_line ("%s:%u: %s", entry->file, entry->line, text);
}

/* What names are written with there.  */
static const char *
prefix (const hkm_opt_entry *entry)
{
  return entry->file == NULL ? "HAKMEM_" : "";
}

HKM_COLD void
hkm_complain_name (const hkm_opt_entry *entry)
{
  char shown[SHOWN + 4], name[HKM_EDIT_MAX];
  size_t n = entry->name_size < sizeof name ? entry->name_size : sizeof name;
  unsigned best = UINT32_MAX;
  const char *nearest = "";

  for (size_t i = 0; i < n; i++)
    name[i] = hkm_upper (entry->name[i]);
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
  say (entry, "no %s %s%s, ignored; the nearest is %s%s",
       entry->file == NULL ? "variable" : "option", prefix (entry),
       shorten (shown, entry->name, entry->name_size), prefix (entry), nearest);
}

HKM_COLD void
hkm_complain_value (const hkm_opt_entry *entry, enum hkm_opt_id id,
                    enum hkm_parsed why)
{
  const struct hkm_opt_row *row = hkm_opts_row (id);
  char shown[SHOWN + 4], now[64], valid[128];
  hkm_out_store now_store = { now, sizeof now };
  hkm_out_store valid_store = { valid, sizeof valid };
  hkm_out out;

  hkm_out_init_store (&out, &now_store);
  if (entry->file == NULL)
    {
      hkm_out_printf (&out, "stays ");
      hkm_opts_show_setting (&out, row, id);
    }
  else /* it may be another program's */
    hkm_out_printf (&out, "ignored");
  hkm_out_flush (&out);
  hkm_out_init_store (&out, &valid_store);
  hkm_opts_show_valid (&out, row);
  hkm_out_flush (&out);
  say (entry, "%s%s=%s is %s, %s; valid: %s", prefix (entry), row->name,
       shorten (shown, entry->value, entry->value_size),
       row->type == HKM_OPT_TEXT ? "too long"
       : why == HKM_RANGE        ? "out of range"
                                 : "not understood",
       now, valid);
}

HKM_COLD void
hkm_complain_line (const hkm_opt_entry *entry, const char *why)
{
  say (entry, "%s, ignored", why);
}

HKM_COLD void
hkm_complain_rest (const char *file, unsigned count)
{
  if (count > HKM_COMPLAINTS_MAX)
    hkm_out_line ("and %u further wrong %s%s", count - HKM_COMPLAINTS_MAX,
                  file != NULL ? "lines in " : "HAKMEM_ variables",
                  file != NULL ? file : "");
}
