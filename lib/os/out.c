/* The formatter and the sinks behind os/out.h.  Output goes by raw system
   call: a program may have its own write(), and stdio would allocate.  Knows
   nothing of what is printed.  */
#include "os/out.h"
#include "base/kernel.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A line is cut after this many bytes, prefix and newline included: it must
   leave in one write, and the stack it is built on may be a small one.  */
#define LINE_MAX_BYTES 1024

static void
flush_fd (hkm_out *out, const char *bytes, size_t n)
{
  int saved = errno;
  int fd = (int) (intptr_t) out->arg;

  while (n > 0)
    {
      long done = hkm_syscall (SYS_write, fd, bytes, n);
      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0) /* closed, full, refused: nobody to tell */
        break;
      bytes += done;
      n -= (size_t) done;
    }
  errno = saved;
}

void
hkm_out_init_fd (hkm_out *out, int fd)
{
  out->flush = flush_fd;
  out->arg = (void *) (intptr_t) fd;
  out->used = 0;
}

static void
flush_store (hkm_out *out, const char *bytes, size_t n)
{
  hkm_out_store *store = out->arg;

  if (store->left == 0)
    return;
  if (n > store->left - 1)
    n = store->left - 1;
  memcpy (store->at, bytes, n);
  store->at += n;
  store->left -= n;
  *store->at = '\0';
}

void
hkm_out_init_store (hkm_out *out, hkm_out_store *store)
{
  out->flush = flush_store;
  out->arg = store;
  out->used = 0;
}

/* Also called with nothing buffered: a store gets its zero byte then.  */
void
hkm_out_flush (hkm_out *out)
{
  size_t n = out->used;

  out->used = 0;
  out->flush (out, out->buffer, n);
}

static void
put_bytes (hkm_out *out, const char *bytes, size_t n)
{
  while (n > 0)
    {
      size_t room = sizeof out->buffer - out->used;
      size_t now = n < room ? n : room;

      memcpy (out->buffer + out->used, bytes, now);
      out->used += now;
      bytes += now;
      n -= now;
      if (out->used == sizeof out->buffer)
        hkm_out_flush (out);
    }
}

static void
put_fill (hkm_out *out, char c, size_t n)
{
  while (n-- > 0)
    put_bytes (out, &c, 1);
}

/* One conversion: what stands between '%' and its letter.  */
struct spec
{
  bool left, zero;
  size_t width;
};

static void
put_text (hkm_out *out, const struct spec *spec, const char *text, size_t n)
{
  size_t fill = spec->width > n ? spec->width - n : 0;

  if (!spec->left)
    put_fill (out, ' ', fill);
  put_bytes (out, text, n);
  if (spec->left)
    put_fill (out, ' ', fill);
}

/* PREFIX is "", "-" or "0x"; it stands before filling zeros.  */
static HKM_COLD void
put_number (hkm_out *out, const struct spec *spec, const char *prefix,
            uint64_t value, unsigned base)
{
  char text[2 + 20]; /* "0x" or "-", and the digits of UINT64_MAX */
  char *p = text + sizeof text;
  size_t before = hkm_text_size (prefix);

  do
    *--p = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);

  if (spec->zero && !spec->left)
    {
      size_t n = (size_t) (text + sizeof text - p);

      put_bytes (out, prefix, before);
      if (spec->width > n + before)
        put_fill (out, '0', spec->width - n - before);
      put_bytes (out, p, n);
      return;
    }
  p -= before;
  memcpy (p, prefix, before);
  put_text (out, spec, p, (size_t) (text + sizeof text - p));
}

/* The number of the argument list that SIZE ('\0', 'l', 'L' for ll, 'z')
   asks for.  A va_list is passed by address so that the caller's moves on.  */
static uint64_t
next_unsigned (va_list *args, char size)
{
  switch (size)
    {
    case 'l': return va_arg (*args, unsigned long);
    case 'L': return va_arg (*args, unsigned long long);
    case 'z': return va_arg (*args, size_t);
    default: return va_arg (*args, unsigned);
    }
}

static int64_t
next_signed (va_list *args, char size)
{
  switch (size)
    {
    case 'l': return va_arg (*args, long);
    case 'L': return va_arg (*args, long long);
    case 'z': return (int64_t) va_arg (*args, size_t);
    default: return va_arg (*args, int);
    }
}

static void
put_conversion (hkm_out *out, const struct spec *spec, char size, char letter,
                va_list *args)
{
  switch (letter)
    {
    case 's':
      {
        const char *s = va_arg (*args, const char *);
        if (s == NULL)
          s = "(null)";
        put_text (out, spec, s, hkm_text_size (s));
        break;
      }
    case 'c':
      {
        char c = (char) va_arg (*args, int);
        put_text (out, spec, &c, 1);
        break;
      }
    case 'd':
      {
        int64_t v = next_signed (args, size);
        put_number (out, spec, v < 0 ? "-" : "",
                    v < 0 ? 0 - (uint64_t) v : (uint64_t) v, 10);
        break;
      }
    case 'u':
      put_number (out, spec, "", next_unsigned (args, size), 10);
      break;
    case 'x':
      put_number (out, spec, "", next_unsigned (args, size), 16);
      break;
    case 'p':
      put_number (out, spec, "0x", (uintptr_t) va_arg (*args, void *), 16);
      break;
    default: /* "%%", or a letter this formatter does not know */
      put_bytes (out, &letter, 1);
      break;
    }
}

static void
format_all (hkm_out *out, const char *f, va_list *args)
{
  while (*f != '\0')
    {
      const char *start = f;
      struct spec spec = { false, false, 0 };
      char size = '\0';

      while (*f != '\0' && *f != '%')
        f++;
      put_bytes (out, start, (size_t) (f - start));
      if (*f == '\0')
        return;
      f++;
      for (; *f == '-' || *f == '0'; f++)
        *(*f == '-' ? &spec.left : &spec.zero) = true;
      for (; *f >= '0' && *f <= '9'; f++)
        spec.width = spec.width * 10 + (size_t) (*f - '0');
      for (; *f == 'l' || *f == 'z'; f++)
        size = *f == 'z' ? 'z' : size == 'l' ? 'L' : 'l';
      if (*f == '\0')
        return;
      put_conversion (out, &spec, size, *f++, args);
    }
}

HKM_COLD void
hkm_out_vprintf (hkm_out *out, const char *format, va_list args)
{
  va_list copy; /* a parameter may be an array: it has no address to pass on */

  va_copy (copy, args);
  format_all (out, format, &copy);
  va_end (copy);
}

void
hkm_out_printf (hkm_out *out, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  hkm_out_vprintf (out, format, args);
  va_end (args);
}

HKM_COLD void
hkm_out_line (const char *format, ...)
{
  char line[LINE_MAX_BYTES];
  hkm_out_store store = { line, sizeof line - 1 }; /* room for the newline */
  hkm_out out;
  va_list args;

  hkm_out_init_store (&out, &store);
  hkm_out_printf (&out, "hakmem: ");
  va_start (args, format);
  hkm_out_vprintf (&out, format, args);
  va_end (args);
  hkm_out_flush (&out);
  /* Names and values come from outside: they can't forge a second line or
     speak to the terminal.  */
  for (char *p = line; p < store.at; p++)
    if ((unsigned char) *p < ' ' || *p == 0x7f)
      *p = '?';
  *store.at++ = '\n'; /* over the zero byte */

  hkm_out_init_fd (&out, STDERR_FILENO);
  flush_fd (&out, line, (size_t) (store.at - line));
}

bool
hkm_out_is_terminal (void)
{
  int saved = errno;
  struct termios mode; /* libc's is at least as long as the kernel's */
  bool yes = hkm_syscall (SYS_ioctl, STDERR_FILENO, TCGETS, &mode) == 0;

  errno = saved;
  return yes;
}
