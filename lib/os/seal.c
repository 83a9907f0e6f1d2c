/* The data that the loader seals once it has relocated them (RELRO): unsealing
   them for a moment.  Knows nothing of what lies there.  */
#include "os/os.h"
#include "base/kernel.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where the headers of this library (in tests: program) begin; the linker's.  */
extern const char __ehdr_start[] HKM_HIDDEN;

typedef struct range
{
  uintptr_t start, end;
} range;

/* What the loader sealed, in whole pages; empty if nothing.  */
static range
sealed (void)
{
  const ElfW (Ehdr) *head = (const ElfW (Ehdr) *) __ehdr_start;
  const ElfW (Phdr) *row
      = (const ElfW (Phdr) *) (__ehdr_start + head->e_phoff);
  uintptr_t bias = 0, page = hkm_os_page_size ();
  range r = { 0, 0 };
  for (unsigned i = 0; i < head->e_phnum; i++)
    if (row[i].p_type == PT_LOAD && row[i].p_offset == 0)
      bias = (uintptr_t) __ehdr_start - row[i].p_vaddr;
  for (unsigned i = 0; i < head->e_phnum; i++)
    if (row[i].p_type == PT_GNU_RELRO)
      {
        r.start = (bias + row[i].p_vaddr) & -page;
        r.end = (bias + row[i].p_vaddr + row[i].p_memsz) & -page;
      }
  return r;
}

static bool
protect (const void *data, size_t size, int prot)
{
  uintptr_t page = hkm_os_page_size (), start = (uintptr_t) data & -page;
  uintptr_t end = ((uintptr_t) data + size + page - 1) & -page;
  range all = sealed ();
  if (start < all.start)
    start = all.start;
  if (end > all.end)
    end = all.end;
  if (start >= end) /* ordinary data: this build seals nothing */
    return true;
  int saved = errno;
  bool done = hkm_syscall (SYS_mprotect, start, end - start, prot) == 0;
  errno = saved;
  return done;
}

bool
hkm_os_unseal (const void *data, size_t size)
{
  return protect (data, size, PROT_READ | PROT_WRITE);
}

void
hkm_os_seal (const void *data, size_t size)
{
  (void) protect (data, size, PROT_READ);
}
