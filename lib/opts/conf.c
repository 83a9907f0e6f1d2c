/* See conf.h.  A line is a pointer to its beginning and one behind its end, with
   the blanks around it taken off.  */
#include "opts/conf.h"

#include "base/text.h"
#include "opts/complain.h"
#include "opts/set.h"
#include "os/os.h"
#include "os/path.h"

#include <limits.h>

/* The text being read.  */
typedef struct reading
{
  hkm_conf *conf;
  bool tell;
  enum hkm_opt_source by; /* HKM_OPT_BY_TABLE: lines are not for this program */
  unsigned faults;
  hkm_opt_entry entry; /* of the line */
} reading;

typedef struct span
{
  const char *at, *end;
} span;

static bool
is_blank (char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

static HKM_COLD span
trim (span s)
{
  while (s.at < s.end && is_blank (*s.at))
    s.at++;
  while (s.at < s.end && is_blank (s.end[-1]))
    s.end--;
  return s;
}

/* Without a comment: from # at the beginning, or behind a blank, on.  */
static span
uncomment (span s)
{
  for (const char *c = s.at; c < s.end; c++)
    if (*c == '#' && (c == s.at || is_blank (c[-1])))
      s.end = c;
  return s;
}

/* ---- sections ---- */

/* What runs.  Where the kernel does not say, who started the program does; an
   empty name is nobody's.  */
static HKM_COLD const char *
program_of (hkm_conf *conf)
{
  if (conf->program == NULL
      && hkm_os_path_program (conf->room, PATH_MAX) == 0)
    conf->program = conf->room;
  if (conf->program == NULL && !conf->secure)
    conf->program = hkm_os_exec_path ();
  if (conf->program == NULL)
    conf->program = "";
  conf->name = hkm_os_path_name (conf->program); /* the other may be gone */
  return conf->program;
}

static HKM_COLD const char *
name_of (hkm_conf *conf)
{
  if (conf->name == NULL && conf->program == NULL && !conf->secure)
    conf->name = hkm_os_path_program_name (conf->room, PATH_MAX);
  if (conf->name == NULL)
    program_of (conf);
  return conf->name;
}

/* True if PATTERN, all of it or up to a * at its end, is NAME; nothing is
   nobody's.  */
static bool
matches (span pattern, const char *name)
{
  bool open = pattern.end[-1] == '*';

  if (*name == '\0')
    return false;
  for (pattern.end -= open; pattern.at < pattern.end; pattern.at++, name++)
    if (*name == '\0' || *pattern.at != *name)
      return false;
  return open || *name == '\0';
}

/* The whole path is asked for only where its last part is right.  */
static bool
is_ours (hkm_conf *conf, span pattern)
{
  span last = pattern;
  for (const char *c = pattern.at; c < pattern.end; c++)
    if (*c == '/')
      last.at = c + 1;
  bool path = last.at > pattern.at;
  if (path && (last.at == last.end || last.end[-1] == '*'))
    return matches (pattern, program_of (conf));
  return matches (last, name_of (conf))
         && (!path || matches (pattern, program_of (conf)));
}

/* [PATTERN]; NULL, or what is wrong with it.  */
static const char *
take_section (reading *r, span line)
{
  r->by = HKM_OPT_BY_TABLE;
  if (line.end[-1] != ']')
    return "a section's line does not end with ]";
  span pattern = trim ((span) { line.at + 1, line.end - 1 });
  if (pattern.at == pattern.end)
    return "a section without a program";
  for (const char *c = pattern.at; c < pattern.end; c++)
    if (*c == '[' || *c == ']' || (*c == '*' && c + 1 < pattern.end))
      return "a section's program has * before its end, or [ or ]";
    else if (*c == '/' && *pattern.at != '/')
      return "a section's program is neither a name nor a path from / on";
  if (is_ours (r->conf, pattern))
    r->by = HKM_OPT_BY_SECTION;
  return NULL;
}

/* ---- options ---- */

/* Who asks for these asks for one process.  */
static bool
is_for_files (enum hkm_opt_id id)
{
  return id != HKM_OPT_CONF && id != HKM_OPT_HELP;
}

/* A privileged program opens no file, prints nothing, and is not weaker than
   others, whatever the file says for all.  */
static bool
is_for_secure (enum hkm_opt_id id)
{
  return hkm_opts_row (id)->type != HKM_OPT_TEXT && id != HKM_OPT_VERBOSE
         && id != HKM_OPT_STATS && id != HKM_OPT_FAIL_FAST
         && id != HKM_OPT_SITE_LEARN;
}

/* NAME in capitals and without HAKMEM_; the row called so, or -1.  */
static HKM_COLD int
find_option (reading *r, span name)
{
  static const char prefix[] = "HAKMEM_";
  char capitals[sizeof prefix + sizeof ((struct hkm_opt_row *) 0)->name];
  size_t n = (size_t) (name.end - name.at), skip = 0;

  for (size_t i = 0; i < n && i < sizeof capitals; i++)
    capitals[i] = hkm_upper (name.at[i]);
  if (n > sizeof prefix && hkm_bytes_are (capitals, prefix, sizeof prefix - 1))
    skip = sizeof prefix - 1;
  r->entry.name = name.at + skip;
  r->entry.name_size = n - skip;
  return n < sizeof capitals ? hkm_opts_find_exactly (capitals + skip, n - skip)
                             : -1;
}

static HKM_COLD const char *
take_option (reading *r, span line)
{
  const char *equals = line.at;
  while (equals < line.end && *equals != '=')
    equals++;
  span name = trim ((span) { line.at, equals });
  if (equals == line.end || name.at == name.end)
    return "neither NAME = VALUE nor [PROGRAM]";
  span value = trim ((span) { equals + 1, line.end });
  r->entry.value = value.at;
  r->entry.value_size = (size_t) (value.end - value.at);
  int found = find_option (r, name);
  enum hkm_opt_id id = (enum hkm_opt_id) found;
  if (found >= 0 && !is_for_files (id))
    return "an option of the environment alone";
  if (found >= 0 && r->conf->secure && !is_for_secure (id))
    return NULL;
  enum hkm_parsed parsed
    = found < 0 ? HKM_MALFORMED
                : hkm_opts_set (id, &r->entry, r->tell ? HKM_OPT_BY_TABLE : r->by);
  if (parsed == HKM_PARSED || r->faults++ >= HKM_COMPLAINTS_MAX || !r->tell)
    return NULL;
  if (found < 0)
    hkm_complain_name (&r->entry);
  else
    hkm_complain_value (&r->entry, id, parsed);
  return NULL;
}

/* ---- lines ---- */

static const char *
take_line (reading *r, span line)
{
  bool is_long = line.end - line.at > HKM_CONF_LINE;

  line = trim (uncomment (trim (line)));
  if (line.at == line.end)
    return NULL;
  bool section = *line.at == '[';
  if (section)
    r->by = HKM_OPT_BY_TABLE; /* unless all is well */
  else if (r->by == HKM_OPT_BY_TABLE && !r->tell)
    return NULL;
  if (is_long)
    return "a line too long";
  for (const char *c = line.at; c < line.end; c++)
    if ((unsigned char) *c < ' ' && !is_blank (*c))
      return "no text";
  return section ? take_section (r, line) : take_option (r, line);
}

static HKM_COLD unsigned
take_lines (hkm_conf *conf, bool tell)
{
  const char *at = conf->text, *end = at + conf->n;
  reading r = { .conf = conf, .tell = tell, .by = HKM_OPT_BY_FILE,
                .entry = { .file = conf->path } };

  hkm_text_take (&at, end, "\xef\xbb\xbf"); /* some editors' first letter */
  while (at < end)
    {
      span line = { at, at };
      while (line.end < end && *line.end != '\n')
        line.end++;
      r.entry.line++;
      const char *why = take_line (&r, line);
      if (why != NULL && r.faults++ < HKM_COMPLAINTS_MAX && tell)
        hkm_complain_line (&r.entry, why);
      at = line.end + (line.end < end);
    }
  return r.faults;
}

unsigned
hkm_conf_take (hkm_conf *conf)
{
  return take_lines (conf, false);
}

void
hkm_conf_tell (hkm_conf *conf)
{
  hkm_complain_rest (conf->path, take_lines (conf, true));
}
