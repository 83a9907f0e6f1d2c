/* base/text: what libc's functions would say, at the ends too.  */
#include "base/text.h"

#include <string.h>
#include <strings.h>

#include "check.h"

static const char *const words[]
    = { "", "a", "A", "b", "ab", "aB", "AB", "abc", "z", "Z", "@", "[", "\xe4" };
enum { WORDS = sizeof words / sizeof *words };

TEST (sizes_and_places)
{
  for (int i = 0; i < WORDS; i++)
    CHECK (hkm_text_size (words[i]) == strlen (words[i]));
  const char *text = "k=v=w";
  CHECK (hkm_text_find (text, '=') == text + 1);
  CHECK (hkm_text_find (text, 'w') == text + 4);
  CHECK (hkm_text_find (text, 'x') == text + 5);
  CHECK (*hkm_text_find ("", '=') == '\0');
}

TEST (the_same)
{
  for (int i = 0; i < WORDS; i++)
    for (int k = 0; k < WORDS; k++)
      {
        const char *a = words[i], *b = words[k];
        size_t n = strlen (b);
        const char *rest = hkm_text_after (a, b);
        CHECKF (hkm_text_is (a, b) == (i == k), "%s, %s", a, b);
        CHECKF (hkm_text_is_word (a, b) == (strcasecmp (a, b) == 0), "%s, %s",
                a, b);
        CHECKF (rest == (strncmp (a, b, n) == 0 ? a + n : NULL), "%s, %s", a,
                b);
        if (strlen (a) >= n)
          CHECKF (hkm_bytes_are (a, b, n) == (memcmp (a, b, n) == 0), "%s, %s",
                  a, b);
      }
}

int
main (void)
{
  RUN (sizes_and_places);
  RUN (the_same);
  return check_done ();
}
