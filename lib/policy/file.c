/* See file.h.  */
#include "policy/file.h"
#include "base/text.h"
#include "opts/opts.h"
#include "os/file.h"
#include "os/os.h"
#include "os/out.h"
#include "os/signed.h"
#include "policy/policy.h"

#include <errno.h>

/* Of the file, not of the library: raised when a line is added or changes its
   meaning.  */
enum { FORMAT = 5 };
#define MAGIC "hakmem-policy "
/* No process begins with a budget of more than half of it.  */
#define EARNED_MOST (SIZE_MAX / 4 < (uint64_t) 64 << 30 ? SIZE_MAX / 4           \
                                                       : (size_t) ((uint64_t) 64 << 30))

static HKM_COLD const char *
route_word (const hkm_class_policy *p)
{
  return p->magazine ? "magazine" : "page-local";
}

static HKM_COLD const char *
superslabs_word (const hkm_class_policy *p)
{
  return p->domain != 0 ? "own" : "shared";
}

static HKM_COLD const struct hkm_opt_row *
knob_row (unsigned k)
{
  return hkm_opts_row ((enum hkm_opt_id) hkm_knob_table[k].option);
}

/* ---- saving ---- */

/* What is kept of a class, where it is not what the knobs say.  */
static HKM_COLD void
print_learned (hkm_out *out, const hkm_policy *policy)
{
  hkm_policy usual = *policy;
  hkm_policy_keep_as_knobs (&usual);
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    if (policy->cls[c].warm != usual.cls[c].warm)
      hkm_out_printf (out, "keep class %u slabs %u\n", c,
                      policy->cls[c].warm);
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    if (policy->run_most[k] != usual.run_most[k])
      hkm_out_printf (out, "keep runs %u blocks %u\n", k,
                      policy->run_most[k]);
}

typedef struct saving
{
  hkm_policy *policy;
  size_t earned;
} saving;

static HKM_COLD void
print_policy (hkm_out *out, void *what)
{
  const saving *s = what;
  hkm_policy *policy = s->policy;
  hkm_out_printf (out, MAGIC "%d\nlibrary %s\nclass-steps %d classes %d\n",
                  FORMAT, PACKAGE_VERSION, HKM_CLASS_STEPS, HKM_CLASSES);
  for (unsigned k = 0; k < HKM_KNOBS; k++)
    hkm_out_printf (out, "%s = %u\n", knob_row (k)->name,
                    *hkm_policy_knob (policy, k));
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      const hkm_class_policy *p = &policy->cls[c];
      hkm_out_printf (out, "class %u size %u route %s superslabs %s cap %u "
                      "batch %u remote %u\n", c, hkm_policy_block (policy, c),
                      route_word (p), superslabs_word (p), p->cap, p->batch,
                      p->remote);
    }
  print_learned (out, policy);
  if (s->earned >> 20 != 0)
    hkm_out_printf (out, "earned %zu MiB\n", s->earned >> 20);
}

HKM_COLD int
hkm_policy_file_save (const char *path, hkm_policy *policy, size_t earned)
{
  saving s = { policy, earned };
  return hkm_signed_save (path, print_policy, &s);
}

/* ---- loading ---- */

/* A file being read, a line at a time; the first fault ends it.  */
typedef struct reading
{
  const char *at, *end;
  unsigned line; /* of AT, from 1 */
  int error;
  const char *why;
} reading;

static HKM_COLD bool
refuse (reading *r, int error, const char *why)
{
  r->error = error;
  r->why = why;
  return false;
}

static HKM_COLD bool
take_text (reading *r, const char *text)
{
  return hkm_text_take (&r->at, r->end, text);
}

/* Pass over a decimal number of at most nine digits.  */
static HKM_COLD bool
take_number (reading *r, uint32_t *value)
{
  const char *start = r->at;
  *value = 0;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
    if (r->at - start == 9)
      return false;
    else
      *value = *value * 10 + (uint32_t) (*r->at - '0');
  return r->at > start;
}

static HKM_COLD bool
take_named (reading *r, const char *name, uint32_t *value)
{
  return take_text (r, name) && take_number (r, value);
}

static HKM_COLD bool
malformed (reading *r)
{
  return refuse (r, EBADMSG, "is not of the form expected there");
}

static HKM_COLD bool
take_end_of_line (reading *r)
{
  if (!take_text (r, "\n"))
    return malformed (r);
  r->line++;
  return true;
}

static HKM_COLD bool
take_version (reading *r, uint32_t part[3])
{
  return take_number (r, &part[0]) && take_named (r, ".", &part[1])
         && take_named (r, ".", &part[2]);
}

static HKM_COLD bool
is_newer (const uint32_t a[3], const uint32_t b[3])
{
  for (int i = 0; i < 3; i++)
    if (a[i] != b[i])
      return a[i] > b[i];
  return false;
}

static HKM_COLD bool
read_format (reading *r)
{
  uint32_t format;
  if (!take_named (r, MAGIC, &format) || format == 0)
    return refuse (r, EBADMSG, "is not the first of a policy file");
  if (format > FORMAT)
    return refuse (r, ENOTSUP, "is of a newer library's format");
  return take_end_of_line (r);
}

/* The last line must be that of all before it; then they are the rest.  */
static HKM_COLD bool
check_sum (reading *r, const char *text)
{
  size_t n = (size_t) (r->end - text);
  if (hkm_signed_is_whole (text, n))
    {
      r->end -= HKM_SIGNED_LINE;
      return true;
    }
  r->line = 1;
  for (size_t i = 0; i + 1 < n; i++)
    r->line += text[i] == '\n';
  return refuse (r, EBADMSG,
                 "is not the checksum of the file, changed or cut short");
}

static HKM_COLD bool
read_origin (reading *r)
{
  static const char version[] = PACKAGE_VERSION;
  uint32_t theirs[3], ours[3], steps, classes;
  reading us = { .at = version, .end = version + sizeof version - 1 };
  if (!take_text (r, "library ") || !take_version (r, theirs))
    return malformed (r);
  HKM_CHECK (take_version (&us, ours));
  if (is_newer (theirs, ours))
    return refuse (r, ENOTSUP, "says that a newer library wrote the file");
  while (r->at < r->end && *r->at != '\n') /* a suffix: of a beta, say */
    r->at++;
  if (!take_end_of_line (r))
    return false;
  if (!take_named (r, "class-steps ", &steps)
      || !take_named (r, " classes ", &classes))
    return malformed (r);
  if (steps != HKM_CLASS_STEPS || classes != HKM_CLASSES)
    return refuse (r, ENOTSUP, "says that the file is for other size classes");
  return take_end_of_line (r);
}

static HKM_COLD bool
read_knob (reading *r, unsigned k, hkm_policy *policy)
{
  const struct hkm_opt_row *row = knob_row (k);
  uint32_t value;
  if (!take_text (r, row->name) || !take_named (r, " = ", &value))
    return malformed (r);
  if (!hkm_opts_takes ((enum hkm_opt_id) hkm_knob_table[k].option, value))
    return refuse (r, ERANGE, "has a value out of range");
  *hkm_policy_knob (policy, k) = value;
  return take_end_of_line (r);
}

/* The words for route and superslabs: this process's, or others.  */
static HKM_COLD bool
read_fixed (reading *r, const hkm_class_policy *p)
{
  hkm_class_policy other = { .magazine = !p->magazine, .domain = !p->domain };
  if (!take_text (r, " route "))
    return malformed (r);
  bool same = take_text (r, route_word (p));
  if (!same && !take_text (r, route_word (&other)))
    return malformed (r);
  if (!take_text (r, " superslabs "))
    return malformed (r);
  if (!take_text (r, superslabs_word (p)))
    {
      same = false;
      if (!take_text (r, superslabs_word (&other)))
        return malformed (r);
    }
  return same || refuse (r, ENOTSUP, "has another route or other superslabs "
                                     "than the class has here, which can't "
                                     "change at run time");
}

static HKM_COLD bool
read_class (reading *r, unsigned c, hkm_policy *policy)
{
  hkm_class_policy *p = &policy->cls[c];
  const struct hkm_opt_row *remote_row
      = hkm_opts_row (HKM_OPT_TINY_REMOTE_DRAIN_THRESH);
  uint32_t index, size, cap, batch, remote;
  if (!take_named (r, "class ", &index) || index != c
      || !take_named (r, " size ", &size))
    return malformed (r);
  if (size != hkm_policy_block (policy, c))
    return refuse (r, ENOTSUP, "is of a class of another size");
  if (!read_fixed (r, p))
    return false;
  if (!take_named (r, " cap ", &cap) || !take_named (r, " batch ", &batch)
      || !take_named (r, " remote ", &remote))
    return malformed (r);
  if (cap < 2 || cap > hkm_policy_cap_max (policy, c) || batch < 1
      || batch > cap / 2 || remote < remote_row->min || remote > remote_row->max)
    return refuse (r, ERANGE, "has a value out of range");
  p->cap = (uint16_t) cap;
  p->batch = (uint16_t) batch;
  p->remote = (uint16_t) remote;
  return take_end_of_line (r);
}

/* One of the lines that print_learned writes.  */
static HKM_COLD bool
read_learned (reading *r, hkm_policy *policy)
{
  uint32_t index, most;
  bool runs = take_text (r, "keep runs ");
  if ((!runs && !take_text (r, "keep class ")) || !take_number (r, &index)
      || !take_named (r, runs ? " blocks " : " slabs ", &most))
    return malformed (r);
  if (index >= (runs ? (unsigned) HKM_RUN_CLASSES : (unsigned) HKM_CLASSES)
      || most > (runs ? hkm_policy_run_max () : hkm_policy_warm_max (index)))
    return refuse (r, ERANGE, "has a value out of range");
  if (runs)
    policy->run_most[index] = most;
  else
    policy->cls[index].warm = (uint8_t) most;
  return take_end_of_line (r);
}

/* What may be the last line but the checksum.  */
static HKM_COLD bool
read_earned (reading *r, size_t *earned)
{
  uint32_t mib;
  if (!take_number (r, &mib) || !take_text (r, " MiB"))
    return malformed (r);
  if (mib == 0)
    return refuse (r, ERANGE, "has a value out of range");
  /* A larger machine's; more than that is of no use here.  */
  uint64_t bytes = (uint64_t) mib << 20;
  *earned = bytes < EARNED_MOST ? (size_t) bytes : EARNED_MOST;
  return take_end_of_line (r) && (r->at == r->end || malformed (r));
}

/* POLICY, at first the one in force, becomes what the file says.  */
static HKM_COLD bool
read_policy (reading *r, hkm_policy *policy, size_t *earned)
{
  const char *text = r->at;
  if (!read_format (r) || !check_sum (r, text) || !read_origin (r))
    return false;
  for (unsigned k = 0; k < HKM_KNOBS; k++)
    if (!read_knob (r, k, policy))
      return false;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    if (!read_class (r, c, policy))
      return false;
  hkm_policy_keep_as_knobs (policy);
  while (r->at < r->end)
    if (take_text (r, "earned "))
      return read_earned (r, earned);
    else if (!read_learned (r, policy))
      return false;
  return true;
}

static HKM_COLD int
load_text (const char *path, const char *text, size_t n, size_t *earned)
{
  hkm_policy policy = { .generation = 0 };
  reading r = { .at = text, .end = text + n, .line = 1 };
  hkm_policy_refresh (&policy);
  if (n == HKM_SIGNED_MAX)
    refuse (&r, EBADMSG, "begins a file too long for a policy");
  else if (read_policy (&r, &policy, earned) && !hkm_policy_publish (&policy))
    refuse (&r, ERANGE, "ends a policy that can't be");
  if (r.error != 0)
    *earned = 0;
  if (r.error != 0 && hkm_opts_may_speak ())
    hkm_out_line ("policy file %s is refused: line %u %s", path, r.line, r.why);
  return r.error;
}

HKM_COLD int
hkm_policy_file_load (const char *path, size_t *earned)
{
  size_t n;
  char *text = hkm_os_map (HKM_SIGNED_MAX, hkm_os_page_size ());

  *earned = 0;
  if (text == NULL)
    return ENOMEM;
  int error = hkm_os_file_read (path, text, HKM_SIGNED_MAX, &n);
  if (error != 0 && hkm_opts_may_speak ())
    hkm_out_line ("policy file %s can't be read (errno %d)", path, error);
  if (error == 0)
    error = load_text (path, text, n, earned);
  hkm_os_unmap (text, HKM_SIGNED_MAX);
  return error;
}
