/* See site_file.h.  */
#include "learn/site_file.h"
#include "base/text.h"
#include "opts/opts.h"
#include "os/file.h"
#include "os/os.h"
#include "os/out.h"
#include "os/signed.h"

#include <errno.h>

/* Of the file, not of the library.  */
enum { FORMAT = 1 };
#define MAGIC "hakmem-sites "
#define PROGRAM "program "
enum { COMPLAINTS = 16 };

/* Arrays, not pointers, which would cost every process relocations.  In the
   order of their bits.  */
static const char words[][12] = { "cache", "no-cache", "thp", "exact" };

/* ---- rules ---- */

HKM_COLD void
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

/* What is saved: the rules, and whose they are.  */
typedef struct saving
{
  const hkm_site_rules *rules;
  hkm_os_object program;
} saving;

static HKM_COLD void
print_rules (hkm_out *out, void *what)
{
  const saving *saved = what;
  hkm_out_printf (out, MAGIC "%d\n" PROGRAM "%s\n", FORMAT,
                  saved->program.name);
  for (uint32_t i = 0; i < saved->rules->count; i++)
    print_rule (out, &saved->rules->rule[i]);
}

int
hkm_site_file_save (const char *path, const hkm_site_rules *rules)
{
  saving saved = { .rules = rules };
  if (hkm_os_secure ())
    return EPERM;
  if (!hkm_os_object_program (&saved.program))
    return ENOTSUP;
  return hkm_signed_save (path, print_rules, &saved);
}

/* ---- loading ---- */

typedef struct reading
{
  const char *path, *at, *end; /* of the line */
  unsigned line, faults;
  bool silent;
} reading;

static bool
take_text (reading *r, const char *text)
{
  return hkm_text_take (&r->at, r->end, text);
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
  char head[sizeof MAGIC + 16];
  hkm_out_store store = { head, sizeof head };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, MAGIC "%d\n", FORMAT);
  hkm_out_flush (&out);
  if (!take_text (r, head))
    return "is not the first of a file of this library's format";
  if (!hkm_signed_is_whole (text, n))
    return "begins a file that was changed or cut short";
  r->end -= HKM_SIGNED_LINE;
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
         || (n > HKM_SIGNED_LINE
             && hkm_bytes_are (text + n - HKM_SIGNED_LINE, HKM_SIGNED_WORD,
                               sizeof HKM_SIGNED_WORD - 1));
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

/* TEXT is followed by zeros, as many as MAGIC is long.  */
static void
load_text (const char *path, const char *text, size_t n, hkm_site_rules *rules)
{
  const char *why = NULL;
  bool written = is_written (text, n);
  reading r = { .path = path, .at = text, .end = text + n, .line = 1,
                .silent = !hkm_opts_may_speak () };
  if (n > HKM_SIGNED_MAX)
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

HKM_COLD void
hkm_site_file_load (const char *path, hkm_site_rules *rules)
{
  size_t n, size = HKM_SIGNED_MAX + hkm_os_page_size ();
  char *text = hkm_os_map (size, hkm_os_page_size ());

  if (text == NULL)
    return;
  int error = hkm_os_file_read_trusted (path, text, HKM_SIGNED_MAX + 1, &n);
  if (error == 0)
    load_text (path, text, n, rules);
  else if (hkm_opts_may_speak ())
    hkm_out_line ("site rules %s can't be read (errno %d)", path, error);
  hkm_os_unmap (text, size);
}
