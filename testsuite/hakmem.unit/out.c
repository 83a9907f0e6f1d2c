/* os/out: the little formatter says what printf would.  */
#include "os/out.h"
#include "check.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static char got[3000], want[3000];

static void
same (const char *format, ...)
{
  va_list a, b;
  hkm_out_store store = { got, sizeof got };
  hkm_out out;
  va_start (a, format);
  va_copy (b, a);
  memset (got, 'x', sizeof got);
  hkm_out_init_store (&out, &store);
  errno = 11;
  hkm_out_vprintf (&out, format, a);
  hkm_out_flush (&out);
  CHECK (errno == 11);
  vsnprintf (want, sizeof want, format, b);
  va_end (a);
  va_end (b);
  CHECKF (strcmp (got, want) == 0, "\"%s\": \"%s\", not \"%s\"", format, got,
          want);
}

TEST (numbers)
{
  static const long long n[] = { 0, 1, -1, 9, 10, 42, 255, 4096, INT_MAX,
                                 INT_MIN, UINT_MAX, LLONG_MAX, LLONG_MIN };
  for (size_t i = 0; i < sizeof n / sizeof n[0]; i++)
    {
      same ("%d|%u|%x", (int) n[i], (unsigned) n[i], (unsigned) n[i]);
      same ("%zu|%zx", (size_t) n[i], (size_t) n[i]);
      same ("%lu|%llu", (unsigned long) n[i], (unsigned long long) n[i]);
      same ("%5d|%-5d|%05d", (int) n[i], (int) n[i], (int) n[i]);
      same ("%20zu|%-20zu|%020zx", (size_t) n[i], (size_t) n[i], (size_t) n[i]);
    }
}

TEST (words)
{
  same ("plain");
  same ("%s and %s", "", "two");
  same ("%10s|%-10s|", "right", "left");
  same ("%3s", "longer than three");
  same ("%c%c", 'a', 'b');
  same ("100%%");
  same ("%p", (void *) &got);
  char text[1800];
  memset (text, 'y', sizeof text - 1);
  text[sizeof text - 1] = 0;
  same ("%s%s", text, "tail"); /* several buffers long */
}

TEST (full_store)
{
  char small[8];
  memset (small, 'x', sizeof small);
  hkm_out_store store = { small, sizeof small - 1 };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, "%s", "much more than that");
  hkm_out_flush (&out);
  CHECK (small[6] == 0 && small[7] == 'x');
  CHECK (strncmp (small, "much more", 6) == 0);
}

int
main (void)
{
  RUN (numbers);
  RUN (words);
  RUN (full_store);
  return check_done ();
}
