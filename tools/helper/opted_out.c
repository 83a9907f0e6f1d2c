/* Whether a process was opted out: what its environment and the file of options
   say of HAKMEM_DISABLE.  The file is read by the library's own reader
   (lib/opts/conf.c), for which the rest of the library is replaced here by as
   much of it as one switch needs.  */
#define _GNU_SOURCE
#include "helper.h"

#include "base/text.h"
#include "opts/complain.h"
#include "opts/conf.h"
#include "opts/set.h"
#include "os/os.h"
#include "os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what the reader asks for ---- */

static enum hkm_opt_source set_by; /* the source that counts most so far */
static uint64_t disabled;

int
hkm_opts_find_exactly (const char *name, size_t n)
{
  return n == strlen ("DISABLE") && memcmp (name, "DISABLE", n) == 0
           ? (int) HKM_OPT_DISABLE : -1;
}

const struct hkm_opt_row *
hkm_opts_row (enum hkm_opt_id id)
{
  static const struct hkm_opt_row row = { .name = "DISABLE",
                                          .type = HKM_OPT_BOOL };
  (void) id;
  return &row;
}

enum hkm_parsed
hkm_opts_set (enum hkm_opt_id id, const hkm_opt_entry *entry,
              enum hkm_opt_source by)
{
  uint64_t value;
  enum hkm_parsed parsed
    = hkm_parse_bool (entry->value, entry->value_size, &value);

  (void) id;
  if (parsed == HKM_PARSED && by != HKM_OPT_BY_TABLE && by >= set_by)
    {
      set_by = by;
      disabled = value;
    }
  return parsed;
}

/* Nothing is told, and the caller knows what runs.  */
void
hkm_complain_name (const hkm_opt_entry *entry)
{
  (void) entry;
}

void
hkm_complain_value (const hkm_opt_entry *entry, enum hkm_opt_id id,
                    enum hkm_parsed why)
{
  (void) entry, (void) id, (void) why;
}

void
hkm_complain_line (const hkm_opt_entry *entry, const char *why)
{
  (void) entry, (void) why;
}

void
hkm_complain_rest (const char *file, unsigned count)
{
  (void) file, (void) count;
}

int
hkm_os_path_program (char *path, size_t size)
{
  (void) path, (void) size;
  return ENOENT;
}

const char *
hkm_os_path_program_name (char *path, size_t size)
{
  (void) path, (void) size;
  return NULL;
}

const char *
hkm_os_path_name (const char *path)
{
  return base_name (path);
}

const char *
hkm_os_exec_path (void)
{
  return NULL;
}

/* ---- the question ---- */

/* The file PATH of the root ROOT, to be freed, its size in *N; NULL: none that
   counts.  */
static char *
read_file (const char *root, const char *path, size_t *n)
{
  char *whole = NULL, *text = malloc (HKM_CONF_MAX);
  ssize_t done = -1;

  if (text != NULL && asprintf (&whole, "%s%s", root, path) > 0)
    {
      int fd = open (whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      done = fd < 0 ? -1 : read (fd, text, HKM_CONF_MAX);
      if (fd >= 0)
        close (fd);
    }
  free (whole);
  *n = done > 0 ? (size_t) done : 0;
  if (done > 0 && *n < HKM_CONF_MAX)
    return text;
  free (text);
  return NULL;
}

bool
is_opted_out (const char *root, const char *program, bool secure,
              const char *disable, const char *conf)
{
  char path[PATH_MAX];
  hkm_opt_entry entry = { .value = disable };

  set_by = HKM_OPT_BY_TABLE;
  disabled = 0;
  if (conf == NULL || *conf == '\0')
    conf = HKM_CONF_FILE;
  if (strcmp (conf, "none") != 0)
    {
      hkm_conf file = { .path = conf, .program = program, .room = path,
                        .secure = secure };
      file.text = read_file (root, conf, &file.n);
      if (file.text != NULL)
        hkm_conf_take (&file);
      free ((char *) file.text);
    }
  if (disable != NULL)
    {
      entry.value_size = strlen (disable);
      hkm_opts_set (HKM_OPT_DISABLE, &entry, HKM_OPT_BY_ENVIRONMENT);
    }
  return disabled != 0;
}
