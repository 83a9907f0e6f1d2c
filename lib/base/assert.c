/* The end of a failed assertion: one line on stderr, then abort.  This room
   includes no other, so it does its own little formatting.  */
#include "base/compiler.h"
#include "base/kernel.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Append TEXT to LINE as far as it fits; the new length.  */
static size_t
append (char *line, size_t used, size_t size, const char *text)
{
  size_t n = hkm_text_size (text);

  if (n > size - used)
    n = size - used;
  memcpy (line + used, text, n);
  return used + n;
}

void
hkm_assert_failed (const char *what, const char *file, int line_number)
{
  char line[512], digits[12];
  char *d = digits + sizeof digits;
  size_t used = 0;
  const size_t size = sizeof line - 1; /* the newline always fits */

  *--d = '\0';
  do
    *--d = (char) ('0' + line_number % 10);
  while ((line_number /= 10) > 0);

  used = append (line, used, size, "hakmem: ");
  used = append (line, used, size, file);
  used = append (line, used, size, ":");
  used = append (line, used, size, d);
  used = append (line, used, size, ": assertion failed: ");
  used = append (line, used, size, what);
  line[used++] = '\n';

  /* The process ends here: a write that fails or is cut can't be helped.  */
  long written = hkm_syscall (SYS_write, STDERR_FILENO, line, used);
  (void) written;
  abort ();
}
