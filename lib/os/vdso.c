/* The kernel's own shared object, mapped into every process: getcpu and the clock
   are looked up there by name.  libc's sched_getcpu makes a system call where its
   own way fails, which a program's filter may punish; and it does not tell the
   node.  libc's clock_gettime may be another preload's (faketime), which allocates
   or waits for a lock of its own while we hold ours.  */
#include "base/atomic.h"
#include "base/text.h"
#include "os/os.h"

#include <link.h>
#include <sys/auxv.h>

typedef long getcpu_function (unsigned *cpu, unsigned *node, void *unused);
/* On every Linux its time is of the machine's longs.  */
typedef long clock_function (long clock, long time[2]);

bool (*hkm_os_cpu_override) (unsigned *cpu, unsigned *node);

typedef struct tables
{
  const ElfW (Sym) *symbol;
  const char *names;
  const uint32_t *hash, *gnu_hash; /* either may be NULL */
} tables;

/* How many symbols there are: the two kinds of table each imply it.  */
static uint32_t
symbol_count (const tables *t)
{
  if (t->hash != NULL)
    return t->hash[1];
  if (t->gnu_hash == NULL)
    return 0;
  uint32_t buckets = t->gnu_hash[0], first = t->gnu_hash[1], last = 0;
  const uint32_t *bucket
      = t->gnu_hash + 4 + t->gnu_hash[2] * (sizeof (ElfW (Addr)) / 4);
  for (uint32_t i = 0; i < buckets; i++)
    if (bucket[i] > last)
      last = bucket[i];
  if (last < first)
    return 0;
  while (!(bucket[buckets + last - first] & 1)) /* the end of its chain */
    last++;
  return last + 1;
}

static tables
find_tables (const ElfW (Dyn) *dynamic, ElfW (Addr) bias)
{
  tables t = { NULL, NULL, NULL, NULL };
  for (; dynamic->d_tag != DT_NULL; dynamic++)
    {
      const void *at = (const void *) (bias + dynamic->d_un.d_ptr);
      switch (dynamic->d_tag)
        {
        case DT_SYMTAB: t.symbol = at; break;
        case DT_STRTAB: t.names = at; break;
        case DT_HASH: t.hash = at; break;
        case DT_GNU_HASH: t.gnu_hash = at; break;
        }
    }
  return t;
}

/* What is called VDSO there (x86) or KERNEL (others); NULL: nothing.  */
static HKM_COLD void *
find (const char *vdso, const char *kernel)
{
  const char *base = (const char *) getauxval (AT_SYSINFO_EHDR);
  const ElfW (Dyn) *dynamic = NULL;
  ElfW (Addr) bias = 0;
  bool loaded = false;
  if (base == NULL)
    return NULL;
  const ElfW (Ehdr) *header = (const void *) base;
  const ElfW (Phdr) *segment = (const void *) (base + header->e_phoff);
  for (int i = 0; i < header->e_phnum; i++)
    if (segment[i].p_type == PT_LOAD && !loaded)
      {
        loaded = true;
        bias = (ElfW (Addr)) base + segment[i].p_offset - segment[i].p_vaddr;
      }
    else if (segment[i].p_type == PT_DYNAMIC)
      dynamic = (const void *) (base + segment[i].p_offset);
  if (!loaded || dynamic == NULL)
    return NULL;
  tables t = find_tables (dynamic, bias);
  if (t.symbol == NULL || t.names == NULL)
    return NULL;
  for (uint32_t i = 0, n = symbol_count (&t); i < n; i++)
    {
      const char *name = t.names + t.symbol[i].st_name;
      if (t.symbol[i].st_shndx != SHN_UNDEF
          && (hkm_text_is (name, vdso) || hkm_text_is (name, kernel)))
        return (void *) (bias + t.symbol[i].st_value);
    }
  return NULL;
}

/* In place of one that is not there.  */
static long
unknown (unsigned *cpu, unsigned *node, void *unused)
{
  (void) cpu, (void) node, (void) unused;
  return -1;
}

bool
hkm_os_cpu (unsigned *cpu, unsigned *node)
{
  /* NULL: not looked for yet.  Any thread finds the same, hence relaxed.  */
  static getcpu_function *found;
  *cpu = *node = 0;
  if (hkm_unlikely (hkm_os_cpu_override != NULL))
    return hkm_os_cpu_override (cpu, node);
  getcpu_function *getcpu = hkm_load_relaxed (&found);
  if (hkm_unlikely (getcpu == NULL))
    {
      getcpu = (getcpu_function *) find ("__vdso_getcpu", "__kernel_getcpu");
      if (getcpu == NULL)
        getcpu = unknown;
      hkm_store_relaxed (&found, getcpu);
    }
  return getcpu (cpu, node, NULL) == 0;
}

static long
no_clock (long clock, long time[2])
{
  (void) clock, (void) time;
  return -1;
}

bool
hkm_os_vdso_clock (long clock, long time[2])
{
  static clock_function *found; /* as above */
  clock_function *get = hkm_load_relaxed (&found);
  if (hkm_unlikely (get == NULL))
    {
      get = (clock_function *) find ("__vdso_clock_gettime",
                                     "__kernel_clock_gettime");
      if (get == NULL)
        get = no_clock;
      hkm_store_relaxed (&found, get);
    }
  return get (clock, time) == 0;
}
