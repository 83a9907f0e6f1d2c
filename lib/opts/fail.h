/* What happens when a program hands in a pointer that can't be right.  One
   line on stderr, then what HAKMEM_FAIL_FAST says: abort (the default), report
   (the line alone) or ignore (nothing).  The caller returns without effect.  */
#ifndef HKM_OPTS_FAIL_H
#define HKM_OPTS_FAIL_H

#include "base/compiler.h"

enum hkm_fault
{
  HKM_FAULT_DOUBLE_FREE,   /* a block that is already free */
  HKM_FAULT_INVALID,       /* not the start of any block of ours */
  HKM_FAULT_SIZE_MISMATCH, /* a sized free whose size is not the block's */
  HKM_FAULT_CORRUPTION     /* a free block's link was overwritten */
};

/* WHO is the entry point ("free", "realloc" ...), SIZE the block's size in
   bytes or 0 if unknown, GROUP its class group 0..7 or -1.  */
HKM_COLD void hkm_fail (enum hkm_fault what, const char *who, const void *ptr,
                        size_t size, int group);

#endif
