/* The values behind the option table, and who sets them: the file, whose text
   opts/conf.c reads, and the environment.  What a wrong entry is told is in
   opts/complain.c.  */
#include "opts/opts.h"

#include "base/size_class.h"
#include "base/text.h"
#include "opts/complain.h"
#include "opts/conf.h"
#include "opts/parse.h"
#include "opts/set.h"
#include "os/arena.h"
#include "os/file.h"
#include "os/os.h"
#include "os/out.h"

#include <errno.h>
#include <string.h>

/* configure says it; tests of single units have no configuration.  */
#ifndef HKM_CONF_FILE
#define HKM_CONF_FILE "/etc/hakmem.conf"
#endif
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

/* PROFILE's choices, in order, and what they set.  */
enum { BALANCED, SPEED, MEMORY, SAFE };
static const struct
{
  uint8_t profile, id;
  uint32_t value;
} settings[] = {
#define HKM_SETTING(profile, name, value) { profile, HKM_OPT_##name, value },
#include "opts/profiles.def"
#undef HKM_SETTING
};

static uint64_t value[HKM_OPT_COUNT]; /* the numbers, once LOADED */
static uint8_t source[HKM_OPT_COUNT]; /* enum hkm_opt_source */
static uint16_t line[HKM_OPT_COUNT]; /* of the file; one has no more */
_Static_assert (HKM_CONF_MAX <= UINT16_MAX + 1, "lines are counted in 16 bits");
static const char *file_read; /* the file of options */
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

static uint8_t place[HKM_OPT_COUNT]; /* of a row among its like there */

static uint32_t *
list_of (enum hkm_opt_id id)
{
  HKM_CHECK (IS_LIST (rows[id].type));
  return list[place[id]];
}

static const char **
text_of (enum hkm_opt_id id)
{
  HKM_CHECK (rows[id].type == HKM_OPT_TEXT);
  return &text[place[id]];
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

enum hkm_opt_source
hkm_opts_source (enum hkm_opt_id id, unsigned *in_line)
{
  *in_line = line[id];
  return (enum hkm_opt_source) source[id];
}

const char *
hkm_opts_file (void)
{
  return file_read;
}

int
hkm_opts_find_exactly (const char *name, size_t n)
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
  return hkm_opts_find_exactly (name, hkm_text_size (name));
}

/* A value as it was read, before it is a row's.  */
typedef union reading
{
  uint64_t number;
  uint32_t list[8];
} reading;

static enum hkm_parsed
read_block (enum hkm_opt_id id, const char *from, size_t n, uint64_t *v)
{
  enum hkm_parsed parsed
    = hkm_parse_number (from, n, true, 0, rows[id].max, v);

  if (parsed != HKM_PARSED)
    return parsed;
  if (!hkm_opts_takes (id, *v))
    return HKM_RANGE;
  for (unsigned i = 0; i < HKM_OPT_COUNT; i++)
    if (i != id && rows[i].type == HKM_OPT_BLOCK && *v != 0 && value[i] == *v)
      return HKM_RANGE;
  return HKM_PARSED;
}

/* Of a TEXT only whether it fits.  */
static HKM_COLD enum hkm_parsed
read_value (enum hkm_opt_id id, const char *from, size_t n, reading *v)
{
  const struct hkm_opt_row *row = &rows[id];

  switch ((enum hkm_opt_type) row->type)
    {
    case HKM_OPT_BOOL:
      return hkm_parse_bool (from, n, &v->number);
    case HKM_OPT_UINT:
    case HKM_OPT_MASK:
      return hkm_parse_number (from, n, hkm_text_is (row->unit, "bytes"),
                               row->min, row->max, &v->number);
    case HKM_OPT_RATIO:
      return hkm_parse_ratio (from, n, row->min, row->max, &v->number);
    case HKM_OPT_ENUM:
      return hkm_parse_choice (from, n, row->choices, &v->number);
    case HKM_OPT_LIST:
      return hkm_parse_list (from, n, row->min, row->max, v->list);
    case HKM_OPT_RATIOS:
      return hkm_parse_ratios (from, n, row->min, row->max, v->list);
    case HKM_OPT_BLOCK:
      return read_block (id, from, n, &v->number);
    case HKM_OPT_TEXT:
      return n < TEXT_MAX ? HKM_PARSED : HKM_RANGE;
    }
  return HKM_MALFORMED;
}

/* An empty TEXT is the same as none.  Others are copied: the program may change
   its environment later, and the file's text goes.  */
static bool
store_text (enum hkm_opt_id id, const char *from, size_t n)
{
  char *copy = NULL;

  if (n > 0)
    {
      copy = hkm_arena_alloc (n + 1, 1); /* ends in zero */
      if (copy == NULL)
        return false;
      memcpy (copy, from, n);
    }
  *text_of (id) = copy;
  return true;
}

static HKM_COLD bool
store (enum hkm_opt_id id, const char *from, size_t n, const reading *v)
{
  if (rows[id].type == HKM_OPT_TEXT)
    return store_text (id, from, n);
  if (IS_LIST (rows[id].type))
    memcpy (list_of (id), v->list, sizeof v->list);
  else
    value[id] = v->number;
  return true;
}

enum hkm_parsed
hkm_opts_set (enum hkm_opt_id id, const hkm_opt_entry *entry,
              enum hkm_opt_source by)
{
  reading v;
  enum hkm_parsed parsed
    = read_value (id, entry->value, entry->value_size, &v);

  if (parsed != HKM_PARSED || by == HKM_OPT_BY_TABLE || by < source[id])
    return parsed;
  if (!store (id, entry->value, entry->value_size, &v))
    return HKM_RANGE;
  source[id] = (uint8_t) by;
  line[id] = (uint16_t) entry->line;
  return HKM_PARSED;
}

/* Set the options that the environment has or, if TELL, tell what is wrong with
   it; how many entries are wrong.  As with getenv, the first of two entries of
   one name counts.  */
static HKM_COLD unsigned
take_environment (bool tell)
{
  uint8_t seen[HKM_OPT_COUNT] = { 0 };
  unsigned faults = 0;
  char **at = hkm_os_environ ();

  for (; at != NULL && *at != NULL; at++)
    {
      const char *name = hkm_text_after (*at, PREFIX);
      if (name == NULL)
        continue;
      const char *equals = hkm_text_find (name, '=');
      hkm_opt_entry entry = { .name = name, .name_size = (size_t) (equals - name),
                              .value = equals + 1 };
      if (*equals == '\0')
        continue;
      entry.value_size = hkm_text_size (entry.value);
      int id = hkm_opts_find_exactly (name, entry.name_size);
      if (id >= 0 ? seen[id]++ != 0 : hkm_text_after (name, "TEST_") != NULL)
        continue;
      enum hkm_parsed parsed
        = id < 0 ? HKM_MALFORMED
                 : hkm_opts_set ((enum hkm_opt_id) id, &entry,
                                 tell ? HKM_OPT_BY_TABLE : HKM_OPT_BY_ENVIRONMENT);
      if (parsed == HKM_PARSED || faults++ >= HKM_COMPLAINTS_MAX || !tell)
        continue;
      if (id < 0)
        hkm_complain_name (&entry);
      else
        hkm_complain_value (&entry, (enum hkm_opt_id) id, parsed);
    }
  return faults;
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
  reading v;
  HKM_CHECK (read_value (id, whole, first + others, &v) == HKM_PARSED);
  store (id, whole, first + others, &v);
}

static HKM_COLD void
set_defaults (void)
{
  uint8_t lists = 0, texts = 0;

  memset (text, 0, sizeof text);
  memset (source, 0, sizeof source);
  memset (line, 0, sizeof line);
  file_read = NULL;
  for (unsigned id = 0; id < HKM_OPT_COUNT; id++)
    {
      value[id] = rows[id].def;
      if (rows[id].type == HKM_OPT_TEXT)
        place[id] = texts++;
      if (IS_LIST (rows[id].type))
        {
          place[id] = lists++;
          set_list_default (id);
        }
    }
  loaded = true;
}

bool
hkm_opts_may_speak (void)
{
  return !hkm_os_secure ()
         && (value[HKM_OPT_VERBOSE] != 0 || hkm_out_is_terminal ());
}

/* What nobody else has set is the profile's.  */
static HKM_COLD void
take_profile (void)
{
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (settings[i].profile == value[HKM_OPT_PROFILE]
        && source[settings[i].id] == HKM_OPT_BY_TABLE)
      {
        value[settings[i].id] = settings[i].value;
        source[settings[i].id] = HKM_OPT_BY_PROFILE;
      }
}

/* True if the file is one that HAKMEM_CONF names: somebody's own.  */
static bool
is_named (void)
{
  return source[HKM_OPT_CONF] == HKM_OPT_BY_ENVIRONMENT;
}

/* Whether to say what is wrong with the file of options.  With the machine's each
   command at a terminal would repeat it to who can't change it.  */
static bool
may_speak_of_file (void)
{
  return is_named () ? hkm_opts_may_speak ()
                     : value[HKM_OPT_VERBOSE] != 0 && !hkm_os_secure ();
}

/* The file's text into CONF and memory of its own, which is mapped only if there
   is a file.  False: no file, or none that may be read.  */
static HKM_COLD bool
open_file (hkm_conf *conf)
{
  size_t page = hkm_os_page_size (), size;
  char *whole = NULL;
  int fd, error;

  *conf = (hkm_conf) { .path = HKM_CONF_FILE, .secure = hkm_os_secure () };
  if (is_named ())
    conf->path = hkm_opt_text (HKM_OPT_CONF);
  if (conf->path == NULL || hkm_text_is (conf->path, "none"))
    return false;
  error = hkm_os_file_open (conf->path, conf->secure, &fd, &size);
  if (error == 0)
    {
      /* What grows meanwhile is cut: its length saves asking for its end.  */
      if (size == 0 || size > HKM_CONF_MAX)
        size = HKM_CONF_MAX;
      whole = hkm_os_map (HKM_CONF_MAX + page, page);
      /* Without memory for it, only to close it.  */
      error = hkm_os_file_take (fd, whole, whole != NULL ? size : 0,
                                &conf->n);
      if (whole == NULL)
        error = ENOMEM;
      else if (error == 0 && conf->n == HKM_CONF_MAX)
        error = EFBIG;
    }
  if (error == 0)
    {
      conf->text = whole;
      conf->room = whole + HKM_CONF_MAX;
      file_read = conf->path;
      return true;
    }
  if (whole != NULL)
    hkm_os_unmap (whole, HKM_CONF_MAX + page);
  if ((is_named () || error != ENOENT) && may_speak_of_file ())
    hkm_out_line (error == EFBIG ? "%s is too long, not read"
                                 : "%s can't be read (errno %d)",
                  conf->path, error);
  return false;
}

HKM_COLD void
hkm_opts_load (void)
{
  hkm_conf conf;
  unsigned faults = 0;

  set_defaults ();
  if (!hkm_os_secure ())
    faults = take_environment (false);
  bool open = open_file (&conf);
  unsigned wrong = open ? hkm_conf_take (&conf) : 0;
  take_profile ();
  if (open)
    {
      if (value[HKM_OPT_VERBOSE] || (is_named () && wrong > 0))
        if (may_speak_of_file ())
          hkm_conf_tell (&conf);
      hkm_os_unmap ((char *) conf.text, HKM_CONF_MAX + hkm_os_page_size ());
    }
  /* Only now is it known whether VERBOSE is set; and a process without a
     wrong entry never asks what its stderr is.  */
  if (faults > 0 && hkm_opts_may_speak ())
    hkm_complain_rest (NULL, take_environment (true));
}
