/* See site_file.h.  */
#include "learn/site_file.h"
#include "base/text.h"
#include "opts/opts.h"
#include "os/file.h"
#include "os/os.h"
#include "os/out.h"

#include <errno.h>

/* Of the file, not of the library.  */
enum { FORMAT = 1 };
/* HKM_SITE_RULES of the longest lines fit; whole pages of any size.  */
#define FILE_MAX ((size_t) 64 << 10)
#define MAGIC "hakmem-sites "
#define PROGRAM "program "
#define CHECKSUM "checksum "
enum { CHECKSUM_LINE = sizeof CHECKSUM - 1 + 16 + 1, COMPLAINTS = 16 };

/* Arrays, not pointers, which would cost every process relocations.  In the
   order of their bits.  */
static const char words[][12] = { "cache", "no-cache", "thp", "exact" };

/* ---- rules ---- */

void
hkm_site_rules_add (hkm_site_rules *rules, const hkm_site_rule *rule)
{
  for (uint32_t i = 0; i < rules->count; i++)
    if (rules->rule[i].offset == rule->offset
        && hkm_text_is (rules->rule[i].file, rule->file))
      return;
  if (rules->count < HKM_SITE_RULES)
    rules->rule[rules->count++] = *rule;
}

unsigned
hkm_site_rules_find (const hkm_site_rules *rules, const hkm_os_object *object)
{
  for (uint32_t i = 0; i < rules->count; i++)
    {
      const hkm_site_rule *rule = &rules->rule[i];
      if (rule->offset == object->offset
          && (hkm_text_is (rule->file, object->name)
              || (object->program && hkm_text_is (rule->file, "-"))))
        return rule->hints;
    }
  return 0;
}

/* ---- saving ---- */

static void
format_checksum (char line[CHECKSUM_LINE + 1], const char *text, size_t n)
{
  hkm_out_store store = { line, CHECKSUM_LINE + 1 };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, CHECKSUM "%016llx\n",
                  (unsigned long long) hkm_text_sum (text, n));
  hkm_out_flush (&out);
}

static void
print_rule (hkm_out *out, const hkm_site_rule *rule)
{
  char between = ' ';
  hkm_out_printf (out, "%s+0x%llx", rule->file,
                  (unsigned long long) rule->offset);
  for (unsigned w = 0; w < sizeof words / sizeof *words; w++)
    if (rule->hints >> w & 1)
      {
        hkm_out_printf (out, "%c%s", between, words[w]);
        between = ',';
      }
  hkm_out_printf (out, "\n");
}

int
hkm_site_file_save (const char *path, const hkm_site_rules *rules)
{
  hkm_os_object program;
  char last[CHECKSUM_LINE + 1];

  if (hkm_os_secure ())
    return EPERM;
  if (!hkm_os_object_program (&program))
    return ENOTSUP;
  char *text = hkm_os_map (FILE_MAX, hkm_os_page_size ());
  if (text == NULL)
    return ENOMEM;
  hkm_out_store store = { text, FILE_MAX };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, MAGIC "%d\n" PROGRAM "%s\n", FORMAT, program.name);
  for (uint32_t i = 0; i < rules->count; i++)
    print_rule (&out, &rules->rule[i]);
  hkm_out_flush (&out);
  format_checksum (last, text, (size_t) (store.at - text));
  hkm_out_printf (&out, "%s", last);
  hkm_out_flush (&out);
  HKM_CHECK (store.left > 1); /* nothing was cut */
  int error = hkm_os_file_replace (path, text, (size_t) (store.at - text));
  hkm_os_unmap (text, FILE_MAX);
  return error;
}

/* ---- loading ---- */

typedef struct reading
{
  const char *path, *at, *end; /* of the line */
  unsigned line, faults;
  bool silent;
} reading;

/* Pass over TEXT; false: something else stands there.  */
static bool
take_text (reading *r, const char *text)
{
  size_t n = hkm_text_size (text);
  if ((size_t) (r->end - r->at) < n || !hkm_bytes_are (r->at, text, n))
    return false;
  r->at += n;
  return true;
}

static bool
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

static void
skip_blanks (reading *r)
{
  while (r->at < r->end && is_blank (*r->at))
    r->at++;
}

static void
complain (reading *r, const char *why)
{
  if (r->faults++ < COMPLAINTS && !r->silent)
    hkm_out_line ("site rules %s: line %u %s, ignored", r->path, r->line, why);
}

static bool
take_offset (reading *r, uint64_t *offset)
{
  const char *start = r->at;
  for (*offset = 0; r->at < r->end && r->at - start <= 16; r->at++)
    {
      char c = hkm_lower (*r->at);
      unsigned digit = c >= '0' && c <= '9'   ? (unsigned) (c - '0')
                       : c >= 'a' && c <= 'f' ? (unsigned) (c - 'a') + 10
                                              : 16;
      if (digit == 16)
        break;
      *offset = *offset << 4 | digit;
    }
  return r->at > start && r->at - start <= 16;
}

/* FILE+0xOFFSET and a blank; a file's name may have a + in it.  */
static const char *
take_place (reading *r, hkm_site_rule *rule)
{
  const char *plus = NULL, *start = r->at, *end = r->at;
  while (end < r->end && !is_blank (*end))
    end++;
  for (const char *at = start; at + 3 <= end; at++)
    if (hkm_bytes_are (at, "+0x", 3))
      plus = at;
  if (plus == NULL || plus == start)
    return "has no FILE+0xOFFSET";
  if ((size_t) (plus - start) >= HKM_OBJECT_NAME)
    return "names a file too long";
  for (const char *at = start; at < plus; at++)
    {
      if (*at == '/')
        return "names a path, not a file";
      rule->file[at - start] = *at;
    }
  rule->file[plus - start] = '\0';
  r->at = plus + 3;
  if (!take_offset (r, &rule->offset) || r->at != end)
    return "has an offset that is no number";
  return NULL;
}

static const char *
take_hints (reading *r, hkm_site_rule *rule)
{
  rule->hints = 0;
  do
    {
      unsigned w = 0, found = 0;
      size_t n = 0;
      while (r->at + n < r->end && r->at[n] != ',' && !is_blank (r->at[n]))
        n++;
      for (; w < sizeof words / sizeof *words; w++)
        if (hkm_text_size (words[w]) == n && hkm_bytes_are (r->at, words[w], n))
          found = 1u << w;
      if (found == 0)
        return "has a hint that is none of cache, no-cache, thp, exact";
      rule->hints |= found;
      r->at += n;
    }
  while (take_text (r, ","));
  if ((rule->hints & HKM_HINT_CACHE) != 0
      && (rule->hints & HKM_HINT_NO_CACHE) != 0)
    return "says both cache and no-cache";
  skip_blanks (r);
  return r->at == r->end ? NULL : "goes on after the hints";
}

/* NULL, or what is wrong with the line.  */
static const char *
take_line (reading *r, hkm_site_rules *rules)
{
  hkm_site_rule rule = { .hints = 0 };
  for (const char *at = r->at; at < r->end; at++)
    if (*at == '#')
      r->end = at;
  skip_blanks (r);
  if (r->at == r->end)
    return NULL;
  const char *why = take_place (r, &rule);
  if (why != NULL)
    return why;
  skip_blanks (r);
  why = take_hints (r, &rule);
  if (why != NULL)
    return why;
  if (rules->count == HKM_SITE_RULES)
    return "is one rule too many";
  hkm_site_rules_add (rules, &rule);
  return NULL;
}

/* The head of a file that the library wrote; NULL: go on after it.  */
static const char *
take_head (reading *r, const char *text, size_t n)
{
  hkm_os_object program;
  char want[CHECKSUM_LINE + 1], head[sizeof MAGIC + 16];
  hkm_out_store store = { head, sizeof head };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, MAGIC "%d\n", FORMAT);
  hkm_out_flush (&out);
  if (!take_text (r, head))
    return "is not the first of a file of this library's format";
  format_checksum (want, text, n > CHECKSUM_LINE ? n - CHECKSUM_LINE : 0);
  if (n <= CHECKSUM_LINE
      || !hkm_bytes_are (text + n - CHECKSUM_LINE, want, CHECKSUM_LINE))
    return "begins a file that was changed or cut short";
  r->end -= CHECKSUM_LINE;
  r->line = 2;
  if (!take_text (r, PROGRAM) || !hkm_os_object_program (&program)
      || !take_text (r, program.name) || !take_text (r, "\n"))
    return "says that the file is another program's";
  r->line = 3;
  return NULL;
}

/* True if the library wrote the file, by its first words or, should they have
   been changed, its last line.  */
static bool
is_written (const char *text, size_t n)
{
  return hkm_bytes_are (text, MAGIC, sizeof MAGIC - 1)
         || (n > CHECKSUM_LINE
             && hkm_bytes_are (text + n - CHECKSUM_LINE, CHECKSUM,
                               sizeof CHECKSUM - 1));
}

/* Read the lines up to the end of R.  If STRICT the first fault ends it.  */
static const char *
take_lines (reading *r, bool strict, hkm_site_rules *rules)
{
  const char *end = r->end;
  for (; r->at < end; r->line++)
    {
      const char *next = r->at;
      while (next < end && *next != '\n')
        next++;
      r->end = next;
      const char *why = take_line (r, rules);
      if (why != NULL && strict)
        return why;
      if (why != NULL)
        complain (r, why);
      r->at = next < end ? next + 1 : end;
    }
  return NULL;
}

/* True if somebody can read what we say.  */
static bool
may_speak (void)
{
  return !hkm_os_secure ()
         && (hkm_opt (HKM_OPT_VERBOSE) != 0 || hkm_out_is_terminal ());
}

/* TEXT is followed by zeros, as many as MAGIC is long.  */
static void
load_text (const char *path, const char *text, size_t n, hkm_site_rules *rules)
{
  const char *why = NULL;
  bool written = is_written (text, n);
  reading r = { .path = path, .at = text, .end = text + n, .line = 1,
                .silent = !may_speak () };
  if (n > FILE_MAX)
    why = "begins a file too long";
  else if (written)
    why = take_head (&r, text, n);
  if (why == NULL)
    why = take_lines (&r, written, rules);
  if (why != NULL)
    {
      rules->count = 0;
      if (!r.silent)
        hkm_out_line ("site rules %s are refused: line %u %s", path, r.line,
                      why);
    }
  if (r.faults > COMPLAINTS && !r.silent)
    hkm_out_line ("site rules %s: and %u further wrong lines", path,
                  r.faults - COMPLAINTS);
}

void
hkm_site_file_load (const char *path, hkm_site_rules *rules)
{
  size_t n, size = FILE_MAX + hkm_os_page_size ();
  char *text = hkm_os_map (size, hkm_os_page_size ());

  if (text == NULL)
    return;
  int error = hkm_os_file_read_trusted (path, text, FILE_MAX + 1, &n);
  if (error == 0)
    load_text (path, text, n, rules);
  else if (may_speak ())
    hkm_out_line ("site rules %s can't be read (errno %d)", path, error);
  hkm_os_unmap (text, size);
}
