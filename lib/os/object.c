/* See object.h.  The file is read in pieces and parsed a letter at a time: lines
   can be as long as a path, and the caller's stack may be small.  */
#include "os/object.h"
#include "base/kernel.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

/* START-END PERMS OFFSET DEVICE INODE PATH */
enum { START, END, PERMS, OFFSET, DEVICE, INODE, PATH, FIELDS };

typedef struct parse
{
  unsigned field; /* of the line, that the next letter belongs to */
  uint64_t number[FIELDS];
  bool file, fit; /* PATH begins with a slash; its last part is a name */
  size_t n;       /* letters of it */
  char name[HKM_OBJECT_NAME];
  /* What the lines so far said: */
  uint64_t base, inode;   /* of the latest file */
  uint64_t program_base;  /* of the one that has the program's headers */
} parse;

static void
line_begins (parse *p)
{
  p->field = START;
  for (unsigned f = 0; f < FIELDS; f++)
    p->number[f] = 0;
  p->file = false;
  p->fit = true;
  p->n = 0;
}

static void
path_letter (parse *p, char c)
{
  if (c == '/')
    {
      p->file = true;
      p->fit = true;
      p->n = 0;
    }
  else if (p->n < HKM_OBJECT_NAME + sizeof " (deleted)" - 2)
    {
      if (p->n < HKM_OBJECT_NAME)
        p->name[p->n] = c;
      p->n++;
    }
  else
    p->fit = false;
}

static void
letter (parse *p, char c)
{
  bool between = c == ' ' || (c == '-' && p->field == START);
  unsigned digit = c >= '0' && c <= '9'   ? (unsigned) (c - '0')
                   : c >= 'a' && c <= 'f' ? (unsigned) (c - 'a') + 10
                                          : 16;
  if (p->field == PATH && (p->file || c == '/'))
    path_letter (p, c);
  else if (between && p->field < PATH)
    p->field++;
  else if (p->field < PATH && digit < 16)
    p->number[p->field] = p->number[p->field] * 16 + digit;
}

/* The name without what the kernel says of a file that is gone; false: it is
   none that a rule can have.  */
static bool
name_ends (parse *p)
{
  static const char gone[] = " (deleted)";
  enum { GONE = sizeof gone - 1 };
  size_t kept = p->n < HKM_OBJECT_NAME ? p->n : HKM_OBJECT_NAME;
  for (size_t i = 0; i < kept; i++)
    if (p->name[i] == ' ' && p->n - i == GONE
        && hkm_bytes_are (p->name + i, gone, kept - i))
      p->n = i;
  if (!p->fit || p->n == 0 || p->n >= HKM_OBJECT_NAME)
    return false;
  for (size_t i = 0; i < p->n; i++)
    if (p->name[i] <= ' ' || p->name[i] == '#')
      return false;
  p->name[p->n] = '\0';
  return true;
}

/* True if the line just read is that of ADDR.  */
static bool
line_ends (parse *p, uint64_t addr, uint64_t headers)
{
  if (!p->file)
    return addr >= p->number[START] && addr < p->number[END];
  /* The file's first byte is mapped first; where it is not mapped at all, where
     it would be.  */
  if (p->number[OFFSET] == 0 || p->number[INODE] != p->inode)
    p->base = p->number[START] - p->number[OFFSET];
  p->inode = p->number[INODE];
  if (headers >= p->number[START] && headers < p->number[END])
    p->program_base = p->base;
  return addr >= p->number[START] && addr < p->number[END];
}

/* Leave in P the line of ADDR.  */
static bool
find_line (parse *p, long fd, uint64_t addr, uint64_t headers)
{
  char text[512];
  for (;;)
    {
      long n = hkm_syscall (SYS_read, fd, text, sizeof text);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return false;
      for (long i = 0; i < n; i++)
        if (text[i] != '\n')
          letter (p, text[i]);
        else if (line_ends (p, addr, headers))
          return true;
        else
          line_begins (p);
    }
}

HKM_COLD bool
hkm_os_object_at (uintptr_t addr, hkm_os_object *object)
{
  int saved = errno;
  parse p = { .base = 0 };
  long fd = hkm_syscall (SYS_openat, AT_FDCWD, "/proc/self/maps",
                         O_RDONLY | O_CLOEXEC, 0);
  line_begins (&p);
  bool found = fd >= 0 && find_line (&p, fd, addr, getauxval (AT_PHDR))
               && p.file && name_ends (&p);
  if (fd >= 0)
    hkm_syscall (SYS_close, fd);
  errno = saved;
  if (!found)
    return false;
  for (size_t i = 0; i <= p.n; i++)
    object->name[i] = p.name[i];
  object->program = p.program_base != 0 && p.base == p.program_base;
  object->offset = (uintptr_t) (addr - p.base);
  return true;
}

bool
hkm_os_object_program (hkm_os_object *object)
{
  return hkm_os_object_at ((uintptr_t) getauxval (AT_PHDR), object);
}
