/* Numbers, words and the distance between names: see opts/parse.h.  libc's
   strtoul and friends take signs, blanks and the locale's opinion.  */
#include "opts/parse.h"

#include "base/text.h"

static bool
same_word (const char *a, size_t a_size, const char *b, size_t b_size)
{
  if (a_size != b_size)
    return false;
  for (size_t i = 0; i < a_size; i++)
    if (hkm_lower (a[i]) != hkm_lower (b[i]))
      return false;
  return true;
}

/* The value of digit C in BASE, or -1.  */
static HKM_COLD int
digit (char c, unsigned base)
{
  int v = c >= '0' && c <= '9' ? c - '0' : hkm_lower (c) - 'a' + 10;

  if (v >= 10 && (hkm_lower (c) < 'a' || hkm_lower (c) > 'f'))
    return -1;
  return v < (int) base ? v : -1;
}

/* The power of 1024 that suffix letter C means, or 0.  */
static unsigned
suffix_shift (char c)
{
  switch (hkm_lower (c))
    {
    case 'k': return 10;
    case 'm': return 20;
    case 'g': return 30;
    default: return 0;
    }
}

HKM_COLD enum hkm_parsed
hkm_parse_number (const char *text, size_t n, bool bytes, uint64_t min,
                  uint64_t max, uint64_t *value)
{
  unsigned base = 10, shift = 0;
  uint64_t v = 0;
  bool overflow = false;

  if (bytes && n > 0 && (shift = suffix_shift (text[n - 1])) != 0)
    n--;
  if (n > 2 && text[0] == '0' && hkm_lower (text[1]) == 'x')
    {
      base = 16;
      text += 2;
      n -= 2;
    }
  if (n == 0)
    return HKM_MALFORMED;
  /* To the end even after an overflow: letters make it malformed.  */
  for (size_t i = 0; i < n; i++)
    {
      int d = digit (text[i], base);
      if (d < 0)
        return HKM_MALFORMED;
      overflow |= __builtin_mul_overflow (v, (uint64_t) base, &v);
      overflow |= __builtin_add_overflow (v, (uint64_t) d, &v);
    }
  if (overflow || v > UINT64_MAX >> shift)
    return HKM_RANGE;
  v <<= shift;
  if (v < min || v > max)
    return HKM_RANGE;
  *value = v;
  return HKM_PARSED;
}

HKM_COLD enum hkm_parsed
hkm_parse_ratio (const char *text, size_t n, uint64_t min, uint64_t max,
                 uint64_t *hundredths)
{
  uint64_t v = 0;
  unsigned places = 0;
  bool point = false, overflow = false;

  for (size_t i = 0; i < n; i++)
    if (text[i] == '.' && i > 0 && !point)
      point = true;
    else
      {
        int d = digit (text[i], 10);
        if (d < 0 || (point && ++places > 2))
          return HKM_MALFORMED;
        overflow |= __builtin_mul_overflow (v, UINT64_C (10), &v);
        overflow |= __builtin_add_overflow (v, (uint64_t) d, &v);
      }
  if (n == 0 || (point && places == 0))
    return HKM_MALFORMED;
  for (; places < 2; places++)
    overflow |= __builtin_mul_overflow (v, UINT64_C (10), &v);
  if (overflow || v < min || v > max)
    return HKM_RANGE;
  *hundredths = v;
  return HKM_PARSED;
}

HKM_COLD enum hkm_parsed
hkm_parse_bool (const char *text, size_t n, uint64_t *value)
{
  enum hkm_parsed parsed = hkm_parse_choice (text, n, "0|1|off|on|no|yes",
                                             value);

  if (parsed == HKM_PARSED)
    *value &= 1; /* every odd word means on */
  return parsed;
}

HKM_COLD const char *
hkm_choice (const char *choices, uint64_t index, size_t *n)
{
  for (const char *word = choices; *word != '\0'; index--)
    {
      const char *end = word;
      while (*end != '\0' && *end != '|')
        end++;
      *n = (size_t) (end - word);
      if (index == 0)
        return word;
      word = *end == '|' ? end + 1 : end;
    }
  return NULL;
}

HKM_COLD enum hkm_parsed
hkm_parse_choice (const char *text, size_t n, const char *choices,
                  uint64_t *value)
{
  const char *word;
  size_t word_size;

  for (uint64_t i = 0; (word = hkm_choice (choices, i, &word_size)); i++)
    if (same_word (text, n, word, word_size))
      {
        *value = i;
        return HKM_PARSED;
      }
  return HKM_MALFORMED;
}

/* What stands between commas, at most MOST numbers: ratios or whole ones.  */
static HKM_COLD enum hkm_parsed
parse_each (const char *text, size_t n, bool ratios, uint64_t min,
            uint64_t max, unsigned most, uint32_t found[8], unsigned *count)
{
  size_t start = 0;

  *count = 0;
  for (size_t i = 0; i <= n; i++)
    if (i == n || text[i] == ',')
      {
        uint64_t v = 0;
        enum hkm_parsed parsed
          = *count == most ? HKM_MALFORMED
            : ratios ? hkm_parse_ratio (text + start, i - start, min, max, &v)
                     : hkm_parse_number (text + start, i - start, false, min,
                                         max, &v);
        if (parsed != HKM_PARSED)
          return parsed;
        found[(*count)++] = (uint32_t) v;
        start = i + 1;
      }
  return HKM_PARSED;
}

HKM_COLD enum hkm_parsed
hkm_parse_ratios (const char *text, size_t n, uint64_t min, uint64_t max,
                  uint32_t hundredths[8])
{
  uint32_t found[8];
  unsigned count;
  enum hkm_parsed parsed = parse_each (text, n, true, min, max,
                                       HKM_RATIOS_MAX, found, &count);

  for (unsigned k = 0; k < 8 && parsed == HKM_PARSED; k++)
    hundredths[k] = k < count ? found[k] : 0;
  return parsed;
}

HKM_COLD enum hkm_parsed
hkm_parse_list (const char *text, size_t n, uint64_t min, uint64_t max,
                uint32_t value[8])
{
  uint32_t found[8];
  unsigned count;
  enum hkm_parsed parsed = parse_each (text, n, false, min, max, 8, found,
                                       &count);

  if (parsed != HKM_PARSED)
    return parsed;
  if (count != 1 && count != 8)
    return HKM_MALFORMED;
  for (unsigned k = 0; k < 8; k++)
    value[k] = found[count == 1 ? 0 : k];
  return HKM_PARSED;
}

HKM_COLD unsigned
hkm_edit_distance (const char *a, size_t a_size, const char *b, size_t b_size)
{
  unsigned cost[HKM_EDIT_MAX + 1]; /* of turning a's beginning into b[0..j) */

  if (a_size > HKM_EDIT_MAX)
    a_size = HKM_EDIT_MAX;
  if (b_size > HKM_EDIT_MAX)
    b_size = HKM_EDIT_MAX;
  for (size_t j = 0; j <= b_size; j++)
    cost[j] = (unsigned) j;
  for (size_t i = 1; i <= a_size; i++)
    {
      unsigned diagonal = cost[0]; /* the previous row's cost[j - 1] */

      cost[0] = (unsigned) i;
      for (size_t j = 1; j <= b_size; j++)
        {
          unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
          unsigned best = cost[j - 1] < cost[j] ? cost[j - 1] : cost[j];

          diagonal = cost[j];
          cost[j] = best + 1 < replace ? best + 1 : replace;
        }
    }
  return cost[b_size];
}
