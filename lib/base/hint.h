/* What is known of the call that asked for a large or big block, besides size
   and alignment: 0 for nearly all.  It stays in the block's descriptor while
   the program has the block.  */
#ifndef HKM_BASE_HINT_H
#define HKM_BASE_HINT_H

#include "base/compiler.h"

enum hkm_hint
{
  HKM_HINT_CACHE = 1,    /* freed, its memory is kept with preference */
  HKM_HINT_NO_CACHE = 2, /* freed, its memory goes back to the OS at once */
  HKM_HINT_THP = 4,      /* of huge pages, however short, unless they are off */
  HKM_HINT_EXACT = 8,    /* no longer than the request rounded up to slots or
                            pages, whatever longer there is free */
  HKM_HINTS = 15
};

/* Hints in the low bits; the others are learn/site.c's alone.  */
typedef uint64_t hkm_mark;

#endif
