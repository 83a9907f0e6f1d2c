/* The values behind the option table, and the one pass over the environment
   that sets them.  What a wrong entry is told is in opts/complain.c.  */
#include "opts/opts.h"

#include "base/size_class.h"
#include "base/text.h"
#include "opts/complain.h"
#include "opts/parse.h"
#include "os/arena.h"
#include "os/os.h"
#include "os/out.h"

#include <string.h>

#define PREFIX "HAKMEM_"
#define PREFIX_SIZE (sizeof PREFIX - 1)

#define HKM_OPTION(name_, type_, def_, min_, max_, unit_, choices_, layer_,   \
                   part_, help_)                                              \
  { .name = #name_, .type = HKM_OPT_##type_, .def = (def_), .min = (min_),    \
    .max = (max_), .def_text = #def_, .unit = unit_, .choices = choices_,     \
    .layer = layer_, .part = part_, .help = help_ },
static const struct hkm_opt_row rows[HKM_OPT_COUNT] = {
#include "opts/options.def"
};
#undef HKM_OPTION

/* A compiler only warns of a text too long for its array, or not at all if just
   the zero at its end is lost.  */
#define FITS(text_, member_)                                                  \
  (sizeof (text_) <= sizeof ((const struct hkm_opt_row *) 0)->member_)
#define HKM_OPTION(name_, type_, def_, min_, max_, unit_, choices_, layer_,   \
                   part_, help_)                                              \
  _Static_assert (FITS (#name_, name) && FITS (#def_, def_text)               \
                    && FITS (unit_, unit) && FITS (choices_, choices)         \
                    && FITS (layer_, layer) && FITS (part_, part)             \
                    && FITS (help_, help), "struct hkm_opt_row: " #name_);
#include "opts/options.def"
#undef HKM_OPTION

static uint64_t value[HKM_OPT_COUNT]; /* the numbers, once LOADED */
static bool loaded;

/* Lists and TEXT rows are few: their values stand aside.  */
#define IS_LIST(type) ((type) == HKM_OPT_LIST || (type) == HKM_OPT_RATIOS)
enum
{
#define HKM_OPTION(name, type, def, min, max, unit, choices, layer, part, help) \
  + IS_LIST (HKM_OPT_##type)
  LISTS = 0
#include "opts/options.def"
  ,
#undef HKM_OPTION
#define HKM_OPTION(name, type, def, min, max, unit, choices, layer, part, help) \
  + (HKM_OPT_##type == HKM_OPT_TEXT)
  TEXTS = 0
#include "opts/options.def"
#undef HKM_OPTION
};
static uint32_t list[LISTS][8]; /* zero until hkm_opts_load */
static const char *text[TEXTS];
enum { TEXT_MAX = 4096 }; /* bytes of one, its end included */

static uint32_t *
list_of (enum hkm_opt_id id)
{
  unsigned before = 0;

  HKM_CHECK (IS_LIST (rows[id].type));
  for (unsigned i = 0; i < (unsigned) id; i++)
    before += IS_LIST (rows[i].type);
  return list[before];
}

static const char **
text_of (enum hkm_opt_id id)
{
  unsigned before = 0;

  HKM_CHECK (rows[id].type == HKM_OPT_TEXT);
  for (unsigned i = 0; i < (unsigned) id; i++)
    before += rows[i].type == HKM_OPT_TEXT;
  return &text[before];
}

const struct hkm_opt_row *
hkm_opts_row (enum hkm_opt_id id)
{
  return &rows[id];
}

bool
hkm_opts_takes (enum hkm_opt_id id, uint64_t v)
{
  const struct hkm_opt_row *row = &rows[id];

  if (row->type == HKM_OPT_BLOCK)
    return v == 0 || (v <= row->max && hkm_size_may_be_dynamic ((size_t) v));
  return v >= row->min && v <= row->max;
}

uint64_t
hkm_opt (enum hkm_opt_id id)
{
  return loaded ? value[id] : rows[id].def; /* a fault may come first */
}

uint32_t
hkm_opt_list (enum hkm_opt_id id, unsigned k)
{
  return list_of (id)[k];
}

const char *
hkm_opt_text (enum hkm_opt_id id)
{
  return *text_of (id);
}

static int
find (const char *name, size_t n)
{
  for (int id = 0; id < HKM_OPT_COUNT; id++)
    if (hkm_text_size (rows[id].name) == n
        && hkm_bytes_are (rows[id].name, name, n))
      return id;
  return -1;
}

int
hkm_opts_find (const char *name)
{
  const char *rest = hkm_text_after (name, PREFIX);
  if (rest != NULL)
    name = rest;
  return find (name, hkm_text_size (name));
}

/* An empty TEXT is the same as none.  Others are copied: the program may change
   its environment later.  */
static enum hkm_parsed
set_text (enum hkm_opt_id id, const char *from, size_t n)
{
  char *copy;

  if (n == 0)
    return HKM_PARSED;
  if (n >= TEXT_MAX || (copy = hkm_arena_alloc (n + 1, 1)) == NULL)
    return HKM_RANGE;
  memcpy (copy, from, n);
  copy[n] = '\0';
  *text_of (id) = copy;
  return HKM_PARSED;
}

static enum hkm_parsed
set_block (enum hkm_opt_id id, const char *from, size_t n)
{
  uint64_t v = 0;
  enum hkm_parsed parsed
    = hkm_parse_number (from, n, true, 0, rows[id].max, &v);

  if (parsed != HKM_PARSED)
    return parsed;
  if (!hkm_opts_takes (id, v))
    return HKM_RANGE;
  for (unsigned i = 0; i < HKM_OPT_COUNT; i++)
    if (i != id && rows[i].type == HKM_OPT_BLOCK && v != 0 && value[i] == v)
      return HKM_RANGE;
  value[id] = v;
  return HKM_PARSED;
}

static enum hkm_parsed
set (enum hkm_opt_id id, const char *from, size_t n)
{
  const struct hkm_opt_row *row = &rows[id];

  switch ((enum hkm_opt_type) row->type)
    {
    case HKM_OPT_BOOL:
      return hkm_parse_bool (from, n, &value[id]);
    case HKM_OPT_UINT:
    case HKM_OPT_MASK:
      return hkm_parse_number (from, n, hkm_text_is (row->unit, "bytes"),
                               row->min, row->max, &value[id]);
    case HKM_OPT_RATIO:
      return hkm_parse_ratio (from, n, row->min, row->max, &value[id]);
    case HKM_OPT_ENUM:
      return hkm_parse_choice (from, n, row->choices, &value[id]);
    case HKM_OPT_LIST:
      return hkm_parse_list (from, n, row->min, row->max, list_of (id));
    case HKM_OPT_RATIOS:
      return hkm_parse_ratios (from, n, row->min, row->max, list_of (id));
    case HKM_OPT_BLOCK:
      return set_block (id, from, n);
    case HKM_OPT_TEXT:
      return set_text (id, from, n);
    }
  return HKM_MALFORMED;
}

/* One environment string.  SEEN has a byte per row: as with getenv, the first
   of two entries of one name counts.  */
static void
take (const char *entry, uint8_t *seen, hkm_complaints *complaints)
{
  const char *name = entry + PREFIX_SIZE;
  const char *equals = hkm_text_find (name, '=');
  int id;

  if (*equals == '\0')
    return;
  id = find (name, (size_t) (equals - name));
  if (id < 0)
    {
      if (hkm_text_after (name, "TEST_") == NULL)
        hkm_complain_later (complaints, entry, -1, HKM_MALFORMED);
      return;
    }
  if (seen[id]++)
    return;
  enum hkm_parsed parsed = set (id, equals + 1, hkm_text_size (equals + 1));
  if (parsed != HKM_PARSED)
    hkm_complain_later (complaints, entry, id, parsed);
}

/* The default of a LIST row stands in two columns, of a RATIOS row in one.  */
static void
set_list_default (enum hkm_opt_id id)
{
  const struct hkm_opt_row *row = &rows[id];
  size_t first = 0;
  size_t others = hkm_text_size (row->choices);
  char whole[sizeof row->def_text + sizeof row->choices];

  if (row->type == HKM_OPT_LIST)
    {
      first = hkm_text_size (row->def_text);
      memcpy (whole, row->def_text, first);
      if (others > 0)
        whole[first++] = ',';
    }
  memcpy (whole + first, row->choices, others);
  HKM_CHECK (set (id, whole, first + others) == HKM_PARSED);
}

static void
set_defaults (void)
{
  memset (text, 0, sizeof text);
  for (unsigned id = 0; id < HKM_OPT_COUNT; id++)
    {
      value[id] = rows[id].def;
      if (IS_LIST (rows[id].type))
        set_list_default (id);
    }
  loaded = true;
}

bool
hkm_opts_may_speak (void)
{
  return !hkm_os_secure ()
         && (value[HKM_OPT_VERBOSE] != 0 || hkm_out_is_terminal ());
}

void
hkm_opts_load (void)
{
  hkm_complaints complaints = { .count = 0 };
  uint8_t seen[HKM_OPT_COUNT] = { 0 };
  char **entry;

  set_defaults ();
  if (hkm_os_secure () || (entry = hkm_os_environ ()) == NULL)
    return;
  for (; *entry != NULL; entry++)
    if (hkm_text_after (*entry, PREFIX) != NULL)
      take (*entry, seen, &complaints);

  /* Only now is it known whether VERBOSE is set; and a process without a
     wrong entry never asks what its stderr is.  */
  if (complaints.count > 0 && hkm_opts_may_speak ())
    hkm_complain (&complaints);
}
