/* Reading ELF files of this program's own kind: see helper.h.  Whatever the file
   says of places in it is checked against its size.  */
#define _GNU_SOURCE
#include "helper.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct file
{
  const char *bytes;
  uint64_t size;
};

/* N things of SIZE bytes at OFFSET, or NULL if the file does not have them all,
   or has them where no such thing may lie.  */
static const void *
at (const struct file *f, uint64_t offset, uint64_t n, uint64_t size)
{
  if (n == 0 || offset > f->size || n > (f->size - offset) / size
      || offset % sizeof (ElfW (Addr)) != 0)
    return NULL;
  return f->bytes + offset;
}

/* The text at OFFSET into TO of SIZE bytes, cut to fit.  */
static void
copy_text (const struct file *f, uint64_t offset, char *to, size_t size)
{
  uint64_t i = 0;

  for (; i + 1 < size && offset + i < f->size && f->bytes[offset + i]; i++)
    to[i] = f->bytes[offset + i];
  to[i] = '\0';
}

static const ElfW (Phdr) *
segments (const struct file *f, unsigned *n)
{
  const ElfW (Ehdr) *e = (const void *) f->bytes;

  *n = e->e_phnum;
  if (e->e_phentsize != sizeof (ElfW (Phdr)))
    return NULL;
  return at (f, e->e_phoff, e->e_phnum, sizeof (ElfW (Phdr)));
}

/* Where in the file ADDRESS is loaded from; the file's size if nowhere.  */
static uint64_t
place_of (const struct file *f, uint64_t address)
{
  unsigned n;
  const ElfW (Phdr) *p = segments (f, &n);

  for (; p != NULL && n > 0; p++, n--)
    if (p->p_type == PT_LOAD && address >= p->p_vaddr
        && address - p->p_vaddr < p->p_filesz)
      return p->p_offset + (address - p->p_vaddr);
  return f->size;
}

static void
read_dynamic (const struct file *f, const ElfW (Phdr) *p,
              struct elf_facts *facts)
{
  uint64_t n = p->p_filesz / sizeof (ElfW (Dyn));
  const ElfW (Dyn) *d = at (f, p->p_offset, n, sizeof *d);
  uint64_t text = f->size;

  if (d == NULL)
    return;
  for (uint64_t i = 0; i < n && d[i].d_tag != DT_NULL; i++)
    if (d[i].d_tag == DT_STRTAB)
      text = place_of (f, d[i].d_un.d_ptr);
  for (uint64_t i = 0; i < n && d[i].d_tag != DT_NULL; i++)
    if (d[i].d_tag == DT_SONAME)
      copy_text (f, text + d[i].d_un.d_val, facts->soname,
                 sizeof facts->soname);
    else if (d[i].d_tag == DT_NEEDED)
      {
        size_t used = strlen (facts->needed);
        if (used > 0 && used + 2 < sizeof facts->needed)
          facts->needed[used++] = ' ';
        copy_text (f, text + d[i].d_un.d_val, facts->needed + used,
                   sizeof facts->needed - used);
      }
}

/* True if a symbol of the dynamic table that has a definition is malloc.  */
static bool
defines_malloc (const struct file *f)
{
  const ElfW (Ehdr) *e = (const void *) f->bytes;
  const ElfW (Shdr) *s = at (f, e->e_shoff, e->e_shnum, sizeof *s);

  if (s == NULL || e->e_shentsize != sizeof *s)
    return false;
  for (unsigned i = 0; i < e->e_shnum; i++)
    {
      if (s[i].sh_type != SHT_DYNSYM || s[i].sh_link >= e->e_shnum)
        continue;
      uint64_t n = s[i].sh_size / sizeof (ElfW (Sym));
      uint64_t text = s[s[i].sh_link].sh_offset;
      const ElfW (Sym) *sym = at (f, s[i].sh_offset, n, sizeof *sym);
      for (uint64_t k = 0; sym != NULL && k < n; k++)
        {
          char name[8];
          if (sym[k].st_shndx == SHN_UNDEF)
            continue;
          copy_text (f, text + sym[k].st_name, name, sizeof name);
          if (strcmp (name, "malloc") == 0)
            return true;
        }
    }
  return false;
}

static void
read_native (const struct file *f, struct elf_facts *facts)
{
  const ElfW (Ehdr) *e = (const void *) f->bytes;
  unsigned n;
  const ElfW (Phdr) *p = segments (f, &n);

  facts->shared = e->e_type == ET_DYN;
  facts->cut = p == NULL
               || e->e_shoff + (uint64_t) e->e_shnum * e->e_shentsize > f->size;
  for (; p != NULL && n > 0; p++, n--)
    {
      if (p->p_type == PT_LOAD
          && (p->p_offset > f->size || p->p_filesz > f->size - p->p_offset))
        facts->cut = true;
      if (p->p_type == PT_INTERP)
        copy_text (f, p->p_offset, facts->interp, sizeof facts->interp);
      if (p->p_type == PT_DYNAMIC)
        read_dynamic (f, p, facts);
    }
  facts->has_malloc = defines_malloc (f);
}

/* This program's own header, from the linker: what native means.  */
extern const ElfW (Ehdr) __ehdr_start __attribute__ ((visibility ("hidden")));

static void
read_bytes (const struct file *f, struct elf_facts *facts)
{
  ElfW (Half) machine;


  if (f->size < EI_NIDENT + 4 || memcmp (f->bytes, ELFMAG, SELFMAG) != 0)
    return;
  memcpy (&machine, f->bytes + offsetof (ElfW (Ehdr), e_machine),
          sizeof machine);
  facts->is_elf = true;
  facts->bits = f->bytes[EI_CLASS] == ELFCLASS64 ? 64 : 32;
  facts->native = f->bytes[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS]
                  && f->bytes[EI_DATA] == __ehdr_start.e_ident[EI_DATA]
                  && machine == __ehdr_start.e_machine;
  facts->cut = facts->native && f->size < sizeof (ElfW (Ehdr));
  if (facts->native && !facts->cut)
    read_native (f, facts);
}

/* Others' files may be cut while they are read here.  */
static sigjmp_buf cut_meanwhile;

static void
on_sigbus (int number)
{
  (void) number;
  siglongjmp (cut_meanwhile, 1);
}

static int
read_guarded (const struct file *f, struct elf_facts *facts)
{
  struct sigaction act = { .sa_handler = on_sigbus }, before;
  int volatile error = EIO;

  sigaction (SIGBUS, &act, &before);
  if (sigsetjmp (cut_meanwhile, 1) == 0)
    {
      read_bytes (f, facts);
      error = 0;
    }
  sigaction (SIGBUS, &before, NULL);
  return error;
}

int
elf_read (const char *path, struct elf_facts *facts)
{
  struct file f = { NULL, 0 };
  struct stat s = { 0 };
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int error = fd < 0 || fstat (fd, &s) != 0 ? errno : 0;

  memset (facts, 0, sizeof *facts);
  if (error == 0 && S_ISREG (s.st_mode) && s.st_size > 0)
    {
      f.size = (uint64_t) s.st_size;
      f.bytes = mmap (NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (f.bytes == MAP_FAILED)
        error = errno;
      else
        {
          error = read_guarded (&f, facts);
          munmap ((void *) f.bytes, f.size);
        }
    }
  if (fd >= 0)
    close (fd);
  return error;
}
