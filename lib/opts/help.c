/* HAKMEM_HELP's list, and how a row's values are spelled (opts/show.h).  */
#include "opts/opts.h"

#include "base/text.h"
#include "opts/parse.h"
#include "opts/show.h"
#include "os/out.h"

#include <unistd.h>

/* With as few places as say it.  */
static HKM_COLD void
show_ratio (hkm_out *out, unsigned hundredths)
{
  unsigned places = hundredths % 100;

  hkm_out_printf (out, "%u", hundredths / 100);
  if (places % 10 != 0)
    hkm_out_printf (out, ".%02u", places);
  else if (places != 0)
    hkm_out_printf (out, ".%u", places / 10);
}

static HKM_COLD void
show_number (hkm_out *out, const struct hkm_opt_row *row, uint64_t v)
{
  unsigned power = 0;

  if (row->type == HKM_OPT_MASK)
    {
      hkm_out_printf (out, "0x%llx", (unsigned long long) v);
      return;
    }
  if (row->type == HKM_OPT_RATIO || row->type == HKM_OPT_RATIOS)
    {
      show_ratio (out, (unsigned) v);
      return;
    }
  if (hkm_text_is (row->unit, "bytes"))
    while (power < 3 && v != 0 && v % 1024 == 0)
      {
        v /= 1024;
        power++;
      }
  hkm_out_printf (out, "%llu", (unsigned long long) v);
  if (power > 0)
    hkm_out_printf (out, "%c", "KMG"[power - 1]);
}

static HKM_COLD void
show_word (hkm_out *out, const struct hkm_opt_row *row, uint64_t index)
{
  size_t n = 0;
  const char *word = hkm_choice (row->choices, index, &n);

  for (size_t i = 0; i < n; i++)
    hkm_out_printf (out, "%c", word[i]);
}

HKM_COLD void
hkm_opts_show_default (hkm_out *out, const struct hkm_opt_row *row)
{
  switch ((enum hkm_opt_type) row->type)
    {
    case HKM_OPT_ENUM:
      show_word (out, row, row->def);
      break;
    case HKM_OPT_LIST:
      hkm_out_printf (out, *row->choices ? "%s,%s" : "%s", row->def_text,
                      row->choices);
      break;
    case HKM_OPT_RATIOS:
      hkm_out_printf (out, "%s", row->choices);
      break;
    case HKM_OPT_TEXT:
      hkm_out_printf (out, "unset");
      break;
    default:
      show_number (out, row, row->def);
    }
}

HKM_COLD void
hkm_opts_show_valid (hkm_out *out, const struct hkm_opt_row *row)
{
  size_t n;

  switch ((enum hkm_opt_type) row->type)
    {
    case HKM_OPT_BOOL:
      hkm_out_printf (out, "0 or 1");
      break;
    case HKM_OPT_ENUM:
      for (uint64_t i = 0; hkm_choice (row->choices, i, &n) != NULL; i++)
        {
          if (i > 0)
            hkm_out_printf (out, ", ");
          show_word (out, row, i);
        }
      break;
    case HKM_OPT_TEXT:
      hkm_out_printf (out, "a %s below 4 KiB", row->unit);
      break;
    case HKM_OPT_BLOCK:
      hkm_out_printf (out, "0, or a multiple of 16 in %llu..%llu that no class "
                      "has", (unsigned long long) row->min,
                      (unsigned long long) row->max);
      break;
    case HKM_OPT_UINT:
    case HKM_OPT_RATIO:
    case HKM_OPT_MASK:
    case HKM_OPT_LIST:
    case HKM_OPT_RATIOS:
      show_number (out, row, row->min);
      hkm_out_printf (out, "..");
      show_number (out, row, row->max);
      if (row->type != HKM_OPT_MASK)
        hkm_out_printf (out, " %s", row->unit);
      if (row->type == HKM_OPT_LIST)
        hkm_out_printf (out, ", 1 or 8");
      if (row->type == HKM_OPT_RATIOS)
        hkm_out_printf (out, ", 1 to %d", HKM_RATIOS_MAX);
      break;
    }
}

HKM_COLD void
hkm_opts_show_setting (hkm_out *out, const struct hkm_opt_row *row,
                       enum hkm_opt_id id)
{
  switch ((enum hkm_opt_type) row->type)
    {
    case HKM_OPT_LIST:
      for (unsigned k = 0; k < 8; k++)
        hkm_out_printf (out, k == 0 ? "%u" : ",%u", hkm_opt_list (id, k));
      break;
    case HKM_OPT_RATIOS:
      for (unsigned k = 0; k < 8 && hkm_opt_list (id, k) != 0; k++)
        {
          hkm_out_printf (out, k == 0 ? "" : ",");
          show_ratio (out, hkm_opt_list (id, k));
        }
      break;
    case HKM_OPT_TEXT:
      hkm_out_printf (out, "%s", hkm_opt_text (id) ? hkm_opt_text (id) : "unset");
      break;
    case HKM_OPT_ENUM:
      show_word (out, row, hkm_opt (id));
      break;
    default:
      show_number (out, row, hkm_opt (id));
    }
}

#ifndef HKM_PARTS /* a unit test, which no configure made */
#define HKM_PARTS ""
#endif

/* Whether the part that configure calls PART is in this build.  */
static bool
built (const char *part)
{
  static const char present[] = "  " HKM_PARTS;
  char word[32];
  hkm_out_store store = { word, sizeof word };
  hkm_out out;

  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, " %s ", part);
  hkm_out_flush (&out);
  for (const char *p = present; *p != '\0'; p++)
    if (hkm_text_after (p, word) != NULL)
      return true;
  return false;
}

/* TEXT in lines of at most 80 columns behind six blanks.  */
static HKM_COLD void
print_wrapped (hkm_out *out, const char *text)
{
  size_t column = 0;

  while (*text != '\0')
    {
      size_t n = (size_t) (hkm_text_find (text, ' ') - text);

      if (column > 0 && column + 1 + n > 80)
        {
          hkm_out_printf (out, "\n");
          column = 0;
        }
      hkm_out_printf (out, column == 0 ? "      " : " ");
      column += column == 0 ? 6 + n : 1 + n;
      for (; n > 0; n--)
        hkm_out_printf (out, "%c", *text++);
      while (*text == ' ')
        text++;
    }
  hkm_out_printf (out, "\n");
}

/* SHOW's words for ROW, into TEXT of SIZE bytes.  */
static const char *
shown (char *text, size_t size,
       void (*show) (hkm_out *, const struct hkm_opt_row *),
       const struct hkm_opt_row *row)
{
  hkm_out_store store = { text, size };
  hkm_out out;

  hkm_out_init_store (&out, &store);
  show (&out, row);
  hkm_out_flush (&out);
  return text;
}

/* NOW, and where it stands if not in the environment.  */
static HKM_COLD void
print_now (hkm_out *out, enum hkm_opt_id id, const char *now)
{
  unsigned line;

  enum hkm_opt_source by = hkm_opts_source (id, &line);
  hkm_out_printf (out, "      now %s", now);
  if (by == HKM_OPT_BY_PROFILE)
    hkm_out_printf (out, " by HAKMEM_PROFILE");
  else if (line > 0)
    hkm_out_printf (out, " by %s:%u", hkm_opts_file (), line);
  hkm_out_printf (out, "\n");
}

static HKM_COLD void
print_row (hkm_out *out, enum hkm_opt_id id)
{
  const struct hkm_opt_row *row = hkm_opts_row (id);
  char def[64], valid[64], now[256];
  hkm_out_store store = { now, sizeof now };
  hkm_out setting;

  shown (def, sizeof def, hkm_opts_show_default, row);
  shown (valid, sizeof valid, hkm_opts_show_valid, row);
  hkm_out_printf (out, "  HAKMEM_%-24s %-23s %s\n", row->name, def, valid);
  print_wrapped (out, row->help);

  hkm_out_init_store (&setting, &store);
  hkm_opts_show_setting (&setting, row, id);
  hkm_out_flush (&setting);
  if (!built (row->part))
    hkm_out_printf (out, "      without effect: configured with --disable-%s\n",
                    row->part);
  else if (!hkm_text_is (now, def))
    print_now (out, id, now);
}

HKM_COLD void
hkm_opts_help (void)
{
  hkm_out out;
  const char *layer = "";

  hkm_out_init_fd (&out, STDERR_FILENO);
  hkm_out_printf (&out,
                  "hakmem: the variables read when a process starts; see "
                  "hakmem-env(7).\nfile of options, see hakmem.conf(5): %s\n"
                  "  %-31s %-23s %s\n",
                  hkm_opts_file () != NULL ? hkm_opts_file () : "none",
                  "variable", "default", "valid");
  for (int id = 0; id < HKM_OPT_COUNT; id++)
    {
      const struct hkm_opt_row *row = hkm_opts_row (id);

      if (!hkm_text_is (row->layer, layer))
        hkm_out_printf (&out, "\n%s\n", row->layer);
      layer = row->layer;
      print_row (&out, id);
    }
  hkm_out_printf (&out,
                  "\nA switch also takes on, off, yes and no; a whole number may "
                  "be 0x...; bytes\ntake K, M or G.  A wrong value keeps the "
                  "default.\n");
  hkm_out_flush (&out);
}
