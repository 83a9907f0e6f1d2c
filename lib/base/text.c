/* See base/text.h.  The compiler knows some of these loops and would call libc
   for them, had it not to take each step's pointer as it is given.  */
#include "base/text.h"

const char *
hkm_text_find (const char *text, char c)
{
  while (*text != '\0' && *text != c)
    {
      text++;
      HKM_OPAQUE (text);
    }
  return text;
}

size_t
hkm_text_size (const char *text)
{
  return (size_t) (hkm_text_find (text, '\0') - text);
}

const char *
hkm_text_after (const char *text, const char *prefix)
{
  for (; *prefix != '\0'; text++, prefix++)
    if (*text != *prefix)
      return NULL;
  return text;
}

bool
hkm_text_is (const char *text, const char *other)
{
  const char *rest = hkm_text_after (text, other);
  return rest != NULL && *rest == '\0';
}

bool
hkm_text_is_word (const char *text, const char *other)
{
  for (; hkm_lower (*text) == hkm_lower (*other); text++, other++)
    if (*text == '\0')
      return true;
  return false;
}

bool
hkm_bytes_are (const void *bytes, const void *others, size_t n)
{
  const char *a = bytes, *b = others;
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i])
      return false;
  return true;
}

bool
hkm_text_take (const char **at, const char *end, const char *text)
{
  size_t n = hkm_text_size (text);
  if ((size_t) (end - *at) < n || !hkm_bytes_are (*at, text, n))
    return false;
  *at += n;
  return true;
}

uint64_t
hkm_text_sum (const char *text, size_t n)
{
  uint64_t sum = 0xcbf29ce484222325u;
  for (size_t i = 0; i < n; i++)
    sum = (sum ^ (unsigned char) text[i]) * 0x100000001b3u;
  return sum;
}
