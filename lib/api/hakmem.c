/* The functions of include/hakmem/hakmem.h, where they are described.  */
#include "api/api.h"
#include "api/learn.h"
#include "api/report.h"

#include "base/text.h"
#include "learn/site.h"
#include "opts/opts.h"
#include "policy/file.h"
#include "policy/policy.h"
#include "superslab/retain.h"
#include "tiny/heap.h"

#include <errno.h>
#include <string.h>

/* The public header, under the names of this build and exported.  */
#define hakmem_version HKM_API (hakmem_version)
#define hakmem_ctl HKM_API (hakmem_ctl)
#define hakmem_stats_get HKM_API (hakmem_stats_get)
#define hakmem_stats_print HKM_API (hakmem_stats_print)
#define hakmem_purge HKM_API (hakmem_purge)
#define hakmem_policy_save HKM_API (hakmem_policy_save)
#define hakmem_policy_load HKM_API (hakmem_policy_load)
#pragma GCC visibility push(default)
#include "hakmem/hakmem.h"
#pragma GCC visibility pop

const char *
hakmem_version (void)
{
  return PACKAGE_VERSION;
}

/* The states of hakmem_stats_get: each a uint64_t of hkm_report.  Arrays, not
   pointers, which would cost every process relocations.  */
static const struct
{
  char name[20];
  uint32_t offset;
} states[] = {
#define STATE(name) { #name, offsetof (hkm_report, name) }
  STATE (mapped_bytes), STATE (live_bytes), STATE (idle_bytes),
  STATE (retain_bytes), STATE (meta_bytes), STATE (heaps),
  STATE (heaps_parked), STATE (superslabs), STATE (superslabs_lru),
  STATE (superslabs_sparse), STATE (run_count), STATE (run_bytes),
  STATE (big_count), STATE (big_bytes),
  STATE (big_cached_bytes), STATE (mmap_calls), STATE (munmap_calls),
  STATE (mremap_calls), STATE (madvise_calls)
#undef STATE
};

/* Where the value NAME is in a hkm_report, or -1.  */
static HKM_COLD ptrdiff_t
find_value (const char *name, bool *is_counter)
{
  *is_counter = false;
  for (size_t i = 0; i < sizeof states / sizeof *states; i++)
    if (hkm_text_is_word (name, states[i].name))
      return (ptrdiff_t) states[i].offset;
  *is_counter = true;
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    if (hkm_text_is_word (name, hkm_counter_name ((enum hkm_counter) i)))
      return (ptrdiff_t) (offsetof (hkm_report, counts)
                          + i * sizeof (uint64_t));
  return -1;
}

/* 0 if NAME can be had, and its place in a hkm_report.  */
static int
check_value (const char *name, size_t *offset)
{
  bool is_counter;
  ptrdiff_t place = find_value (name, &is_counter);

  if (place < 0)
    return ENOENT;
#ifndef HKM_WITH_STATS
  if (is_counter)
    return ENOTSUP;
#endif
  *offset = (size_t) place;
  return 0;
}

static uint64_t
get_value (size_t offset)
{
  hkm_full_report full;
  uint64_t value;

  hkm_report_gather (&full);
  memcpy (&value, (const char *) &full.report + offset, sizeof value);
  return value;
}

int
hakmem_stats_get (const char *name, uint64_t *value)
{
  size_t offset;

  if (name == NULL || value == NULL)
    return EINVAL;
  int error = check_value (name, &offset);
  if (error == 0)
    {
      hkm_init ();
      *value = get_value (offset);
    }
  return error;
}

int
hakmem_stats_print (int fd, const char *format)
{
  static const char *const names[] = {
    [HKM_REPORT_TEXT] = "text", [HKM_REPORT_JSON] = "json",
    [HKM_REPORT_SUMMARY] = "summary", [HKM_REPORT_XML] = "xml"
  };

  hkm_init ();
  if (format == NULL)
    format = "text";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (hkm_text_is (format, names[i]))
      return hkm_report_write (fd, (enum hkm_report_form) i);
  return EINVAL;
}

static size_t
purge (void)
{
  int saved = errno;

  hkm_init ();
  size_t bytes = hkm_report_trim ();
  errno = saved;
  return bytes;
}

size_t
hakmem_purge (void)
{
  return purge ();
}

int
hakmem_policy_save (const char *path)
{
  if (path == NULL)
    return EINVAL;
  hkm_init ();
  hkm_policy policy = { .generation = 0 };
  hkm_api_learn_settled (&policy);
  return hkm_policy_file_save (path, &policy, hkm_retain_earned ());
}

int
hakmem_policy_load (const char *path)
{
  if (path == NULL)
    return EINVAL;
  hkm_init ();
  size_t earned;
  int error = hkm_policy_file_load (path, &earned);
  if (error != 0)
    return error;
  hkm_retain_earn (earned);
  hkm_heap_observe_all ();
  return 0;
}

/* A value on its way to the caller of hakmem_ctl.  */
typedef struct answer
{
  size_t length;
  union
  {
    uint64_t number;
    size_t size;
    uint32_t list[8];
    const char *text;
  } u;
} answer;

static void
answer_text (answer *a, const char *text)
{
  a->length = sizeof text;
  a->u.text = text;
}

static int
answer_option (answer *a, const char *name)
{
  int found = hkm_opts_find (name);

  if (found < 0)
    return ENOENT;
  enum hkm_opt_id id = (enum hkm_opt_id) found;
  switch (hkm_opts_row (id)->type)
    {
    case HKM_OPT_TEXT:
      answer_text (a, hkm_opt_text (id));
      break;
    case HKM_OPT_LIST:
    case HKM_OPT_RATIOS:
      a->length = sizeof a->u.list;
      for (unsigned k = 0; k < 8; k++)
        a->u.list[k] = hkm_opt_list (id, k);
      break;
    default:
      a->length = sizeof a->u.number;
      a->u.number = hkm_opt (id);
      break;
    }
  return 0;
}

/* Who set variable NAME: enum hkm_opt_source in words.  */
static int
answer_source (answer *a, const char *name)
{
  static const char words[][12]
    = { "default", "profile", "file", "section", "environment" };
  unsigned line;
  int found = hkm_opts_find (name);

  if (found < 0)
    return ENOENT;
  answer_text (a, words[hkm_opts_source ((enum hkm_opt_id) found, &line)]);
  return 0;
}

/* The number of the policy that variable NAME sets at first; or -1.  */
static int
find_knob (const char *name)
{
  int option = hkm_opts_find (name);
  unsigned k = option >= 0 ? hkm_policy_knob_of ((unsigned) option) : HKM_KNOBS;

  return k < HKM_KNOBS ? (int) k : -1;
}

static uint64_t
get_knob (unsigned k)
{
  hkm_policy policy = { .generation = 0 };

  hkm_policy_refresh (&policy);
  return *hkm_policy_knob (&policy, k);
}

static int
set_knob (unsigned k, uint64_t value)
{
  if (!hkm_policy_set (k, value))
    return ERANGE;
  hkm_heap_observe_all ();
  return 0;
}

enum action { READ_CONSTANT, READ_STATE, POLICY, PURGE, LOG, SAVE_SITES };

/* Room enough for all that is learned, as text.  */
enum { LOG_MAX = 16384 };

/* Find out what NAME is; constants are answered at once, the rest when it is
   sure that the caller's buffer fits (*OFFSET says which state or number of the
   policy).  */
static int
look_up (const char *name, answer *a, enum action *then, size_t *offset)
{
  *then = READ_CONSTANT;
  if (hkm_text_is (name, "version"))
    {
      answer_text (a, PACKAGE_VERSION);
      return 0;
    }
  const char *rest = hkm_text_after (name, "opt.");
  if (rest != NULL)
    return answer_option (a, rest);
  rest = hkm_text_after (name, "source.");
  if (rest != NULL)
    return answer_source (a, rest);
  if (hkm_text_is (name, "conf.file"))
    {
      answer_text (a, hkm_opts_file ());
      return 0;
    }
  rest = hkm_text_after (name, "stats.");
  if (rest != NULL)
    {
      *then = READ_STATE;
      a->length = sizeof a->u.number;
      return check_value (rest, offset) == 0 ? 0 : ENOENT;
    }
  rest = hkm_text_after (name, "policy.");
  if (rest != NULL)
    {
      int k = find_knob (rest);
      *then = POLICY;
      *offset = (size_t) k;
      a->length = sizeof a->u.number;
      return k >= 0 ? 0 : ENOENT;
    }
  rest = hkm_text_after (name, "learn.");
  if (rest != NULL && hkm_text_is (rest, "log"))
    {
      *then = LOG;
      a->length = LOG_MAX;
      return 0;
    }
  if (rest != NULL)
    {
      a->length = sizeof a->u.number;
      return hkm_api_learn_get (rest, &a->u.number) ? 0 : ENOENT;
    }
  if (hkm_text_is (name, "purge"))
    {
      *then = PURGE;
      a->length = sizeof a->u.size;
      return 0;
    }
#ifdef HKM_WITH_SITE_RULES
  if (hkm_text_is (name, "sites.save"))
    {
      *then = SAVE_SITES;
      a->length = 0;
      return 0;
    }
#endif
  return ENOENT;
}

/* What was learned, into TEXT of SIZE bytes; how many were used, the zero at the
   end among them.  */
static size_t
write_log (char *text, size_t size)
{
  hkm_out_store store = { text, size };
  hkm_out out;

  if (size == 0)
    return 0;
  *text = '\0';
  hkm_out_init_store (&out, &store);
  hkm_api_learn_print (&out);
  hkm_out_flush (&out);
  return (size_t) (store.at - text) + 1;
}

/* PATH, of N bytes with the zero at its end, is where the site rules go.  */
static int
save_sites (const char *path, size_t n)
{
#ifdef HKM_WITH_SITE_RULES
  if (path != NULL && n > 1 && path[n - 1] == '\0'
      && hkm_text_size (path) == n - 1)
    return hkm_site_save (path);
#endif
  (void) path, (void) n;
  return EINVAL;
}

HKM_COLD int
hakmem_ctl (const char *name, void *old, size_t *old_length,
            const void *new_value, size_t new_length)
{
  answer a;
  enum action then;
  size_t offset = 0;

  if (name == NULL)
    return EINVAL;
  hkm_init ();
  int error = look_up (name, &a, &then, &offset);
  if (error != 0)
    return error;
  if (then == SAVE_SITES)
    return old != NULL || old_length != NULL
             ? EINVAL
             : save_sites (new_value, new_length);
  bool writes = new_value != NULL || new_length != 0;
  if (writes && then != POLICY)
    return EPERM;
  if (old != NULL && (old_length == NULL
                      || (then != LOG && *old_length != a.length)))
    return EINVAL;
  if (then == LOG)
    {
      if (old_length != NULL)
        *old_length = old != NULL ? write_log (old, *old_length) : LOG_MAX;
      return 0;
    }
  if (writes && (new_value == NULL || new_length != a.length))
    return EINVAL;
  if (then == PURGE)
    a.u.size = purge ();
  else if (then == READ_STATE && old != NULL)
    a.u.number = get_value (offset);
  else if (then == POLICY)
    a.u.number = get_knob ((unsigned) offset);
  if (writes)
    {
      uint64_t value;
      memcpy (&value, new_value, sizeof value);
      error = set_knob ((unsigned) offset, value);
      if (error != 0)
        return error;
    }
  if (old != NULL)
    memcpy (old, &a.u, a.length);
  else if (old_length != NULL)
    *old_length = a.length;
  return 0;
}
