/* The line a program's owner reads when it frees what it should not.  It may
   be called with any lock held and any structure half changed: it reads two
   words of libc and the options, and writes once.  */
#include "opts/fail.h"

#include "base/kernel.h"
#include "opts/opts.h"
#include "os/out.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FAIL_ABORT, FAIL_REPORT, FAIL_IGNORE }; /* the row's choices, in order */

static const char *
fault_text (enum hkm_fault what)
{
  switch (what)
    {
    case HKM_FAULT_DOUBLE_FREE: return "double free of";
    case HKM_FAULT_INVALID: return "invalid pointer";
    case HKM_FAULT_SIZE_MISMATCH: return "size mismatch at";
    case HKM_FAULT_CORRUPTION: return "corrupted free list at";
    }
  return "fault at";
}

/* " (32-byte block, class C1)", as far as it is known.  */
static void
describe_block (hkm_out_store *store, size_t size, int group)
{
  hkm_out out;

  hkm_out_init_store (&out, store);
  if (size > 0)
    hkm_out_printf (&out, " (%zu-byte block", size);
  if (size > 0 && group >= 0)
    hkm_out_printf (&out, ", class C%d", group);
  if (size > 0)
    hkm_out_printf (&out, ")");
  hkm_out_flush (&out);
}

void
hkm_fail (enum hkm_fault what, const char *who, const void *ptr, size_t size,
          int group)
{
  uint64_t then = hkm_opt (HKM_OPT_FAIL_FAST);
  char block[64] = "";
  hkm_out_store store = { block, sizeof block };

  if (then == FAIL_IGNORE)
    return;
  describe_block (&store, size, group);
  /* The kernel's answer, not a cached one: the caller may be a child of a
     bare clone.  */
  hkm_out_line ("%s(): %s %p%s in %s[%ld]", who, fault_text (what), ptr, block,
                program_invocation_short_name, hkm_syscall (SYS_getpid));
  if (then == FAIL_ABORT)
    abort ();
}
