/* Reading numbers and words: pure functions of text, with no locale, no errno
   and no options.  Text is a pointer and a length; it need not end in zero.  */
#ifndef HKM_OPTS_PARSE_H
#define HKM_OPTS_PARSE_H

#include "base/compiler.h"

enum hkm_parsed
{
  HKM_PARSED,    /* the value is stored */
  HKM_MALFORMED, /* not of the row's form; nothing is stored */
  HKM_RANGE      /* a number, but not one the row takes; nothing is stored */
};

/* A decimal or 0x number of [min, max].  If BYTES, one letter K, M or G (of
   either case) after it multiplies by 1024, 1024^2, 1024^3.  No sign, no
   blank.  */
enum hkm_parsed hkm_parse_number (const char *text, size_t n, bool bytes,
                                  uint64_t min, uint64_t max, uint64_t *value);
/* A decimal number with at most two places behind the point ("1.4", "2"),
   stored as hundredths, of which MIN and MAX are too.  A digit on each side of
   the point; no sign, no blank.  */
enum hkm_parsed hkm_parse_ratio (const char *text, size_t n, uint64_t min,
                                 uint64_t max, uint64_t *hundredths);
/* 0, 1, off, on, no, yes; letters of either case.  */
enum hkm_parsed hkm_parse_bool (const char *text, size_t n, uint64_t *value);
/* A word of CHOICES ("off|exit"), stored as its index; either case.  */
enum hkm_parsed hkm_parse_choice (const char *text, size_t n,
                                  const char *choices, uint64_t *value);
/* Eight numbers of [min, max] with commas between, or one for all eight.  */
enum hkm_parsed hkm_parse_list (const char *text, size_t n, uint64_t min,
                                uint64_t max, uint32_t value[8]);

/* One to HKM_RATIOS_MAX ratios with commas between; the rest becomes 0.  */
enum { HKM_RATIOS_MAX = 4 };
enum hkm_parsed hkm_parse_ratios (const char *text, size_t n, uint64_t min,
                                  uint64_t max, uint32_t hundredths[8]);

/* Choice INDEX of CHOICES and its length; NULL past the last.  */
const char *hkm_choice (const char *choices, uint64_t index, size_t *n);

/* The fewest single letters to insert, delete or replace to get from A to B.
   Only the first HKM_EDIT_MAX letters of either are looked at.  */
enum { HKM_EDIT_MAX = 63 };
unsigned hkm_edit_distance (const char *a, size_t a_size, const char *b,
                            size_t b_size);

#endif
