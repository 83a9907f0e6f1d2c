/* Measuring and comparing text where nothing is in a hurry.  Every name that the
   library asks of libc is searched for when a program starts, whether anybody
   uses it or not; these take the place of nine.  */
#ifndef HKM_BASE_TEXT_H
#define HKM_BASE_TEXT_H

#include "base/compiler.h"

size_t hkm_text_size (const char *text); /* without the zero at its end */
bool hkm_text_is (const char *text, const char *other);
/* As hkm_text_is, with A to Z the same as a to z.  */
bool hkm_text_is_word (const char *text, const char *other);
/* What follows PREFIX in TEXT, or NULL if it does not begin so.  */
const char *hkm_text_after (const char *text, const char *prefix);
/* Move *AT, which goes on up to END, past TEXT; false: something else stands
   there.  */
bool hkm_text_take (const char **at, const char *end, const char *text);
/* The first C in TEXT, or the zero at its end.  */
const char *hkm_text_find (const char *text, char c);
/* FNV-1a of N bytes.  Every step is a bijection of the sum, so any one changed
   byte changes the result.  */
uint64_t hkm_text_sum (const char *text, size_t n);
bool hkm_bytes_are (const void *bytes, const void *others, size_t n);

/* C, or the small letter if it is a capital one of ASCII's.  */
HKM_INLINE char
hkm_lower (char c)
{
  return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

HKM_INLINE char
hkm_upper (char c)
{
  return c >= 'a' && c <= 'z' ? (char) (c - ('a' - 'A')) : c;
}

#endif
