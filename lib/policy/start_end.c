/* The policy files that variables name, at a process's start and end.  What is
   in them is policy/file.c's.  */
#include "opts/opts.h"
#include "os/out.h"
#include "os/path.h"
#include "policy/file.h"
#include "policy/policy.h"

#include <limits.h>

/* Whether to say what is wrong.  As it was at the start: a process that filters
   its system calls by its end would die of being asked for a terminal.  */
static bool may_speak;

/* The path that TEXT row ID names; false: none, or none that can be.  */
static HKM_COLD bool
named_file (enum hkm_opt_id id, char path[PATH_MAX])
{
  const char *pattern = hkm_opt_text (id);

  if (pattern == NULL)
    return false;
  int error = hkm_os_path_expand (path, PATH_MAX, pattern);
  if (error != 0 && may_speak)
    hkm_out_line ("can't name HAKMEM_%s %s (errno %d)",
                  hkm_opts_row (id)->name, pattern, error);
  return error == 0;
}

/* Functions of their own: the path takes a page of the stack, which the first
   call, perhaps on a small one, is spared if no file is named.  */
static HKM_COLD size_t
load (void)
{
  char path[PATH_MAX];
  size_t earned = 0;

  if (named_file (HKM_OPT_POLICY_FILE, path))
    (void) hkm_policy_file_load (path, &earned); /* which says what is wrong */
  return earned;
}

size_t
hkm_policy_at_start (void)
{
  const char *to_save = hkm_opt_text (HKM_OPT_POLICY_SAVE);
  const char *to_load = hkm_opt_text (HKM_OPT_POLICY_FILE);

  if (to_save == NULL && to_load == NULL)
    return 0;
  may_speak = hkm_opts_may_speak ();
  if (to_save != NULL)
    hkm_os_path_keep_program (to_save);
  return to_load != NULL ? load () : 0;
}

static HKM_COLD void
save (void (*settled) (hkm_policy *policy), size_t earned)
{
  char path[PATH_MAX];

  if (!named_file (HKM_OPT_POLICY_SAVE, path))
    return;
  hkm_policy policy = { .generation = 0 };
  settled (&policy);
  int error = hkm_policy_file_save (path, &policy, earned);
  if (error != 0 && may_speak)
    hkm_out_line ("policy file %s can't be written (errno %d)", path, error);
}

void
hkm_policy_at_exit (void (*settled) (hkm_policy *policy), size_t earned)
{
  if (hkm_opt_text (HKM_OPT_POLICY_SAVE) != NULL)
    save (settled, earned);
}
