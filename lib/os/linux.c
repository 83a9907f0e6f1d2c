/* The OS contract on Linux.  System calls are made directly (base/kernel.h), not
   through libc's wrappers, because another preload may hook those; sanitizer
   builds use the wrappers, so that the tools see memory come and go.  */
#include "os/os.h"
#include "base/atomic.h"
#include "base/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

bool (*hkm_os_fault) (enum hkm_os_call which);

static uint64_t call_count[HKM_OS_CALLS], failure_count[HKM_OS_CALLS];
static size_t page_size;
static char *brk_start;

/* Bytes mapped with access rights, and how many there may be (0: no limit).  */
static size_t mapped, mapped_limit;

void
hkm_os_limit (uint64_t bytes)
{
  bool fits = bytes <= UINTPTR_MAX; /* else it is no limit */
  hkm_store_relaxed (&mapped_limit, fits ? (size_t) bytes : 0);
}

bool
hkm_os_is_limited (void)
{
  return hkm_load_relaxed (&mapped_limit) != 0;
}

size_t
hkm_os_mapped (void)
{
  return hkm_load_relaxed (&mapped);
}

/* Have BYTES more mapped; false, and nothing changes: that would be over the
   limit.  Before the call that maps them, so that there is no moment with more;
   compare and swap, so that nobody is refused for what another thread, refused
   itself, had added.  */
static bool
charge (size_t bytes)
{
  size_t now = hkm_load_relaxed (&mapped);
  size_t most = hkm_load_relaxed (&mapped_limit);
  do
    if (most != 0 && (now > most || bytes > most - now))
      return false;
  while (!hkm_cas_acquire (&mapped, &now, now + bytes));
  return true;
}

static void
discharge (size_t bytes)
{
  hkm_fetch_sub_relaxed (&mapped, bytes);
}

/* Count a call; false if a test wants it to fail.  */
static bool
may_call (enum hkm_os_call which)
{
  hkm_fetch_add_relaxed (&call_count[which], 1);
  if (hkm_unlikely (hkm_os_fault != NULL) && hkm_os_fault (which))
    {
      hkm_fetch_add_relaxed (&failure_count[which], 1);
      return false;
    }
  return true;
}

static bool
failed (enum hkm_os_call which, int saved_errno)
{
  hkm_fetch_add_relaxed (&failure_count[which], 1);
  errno = saved_errno;
  return false;
}

uint64_t
hkm_os_calls (enum hkm_os_call which)
{
  return hkm_load_relaxed (&call_count[which]);
}

uint64_t
hkm_os_failures (enum hkm_os_call which)
{
  return hkm_load_relaxed (&failure_count[which]);
}

#ifdef HKM_SANITIZE
#define sys_mmap(a, n, p, f) mmap ((a), (n), (p), (f), -1, 0)
#define sys_munmap munmap
#define sys_mremap mremap
#define sys_madvise madvise
#else
#ifdef SYS_mmap2
#define SYS_MMAP SYS_mmap2 /* i386: the offset counts pages; ours is 0 */
#else
#define SYS_MMAP SYS_mmap
#endif
#define sys_mmap(a, n, p, f)                                                  \
  ((void *) hkm_syscall (SYS_MMAP, a, n, p, f, -1L, 0L))
#define sys_munmap(a, n) hkm_syscall (SYS_munmap, a, n)
#define sys_mremap(a, o, n, f, t)                                             \
  ((void *) hkm_syscall (SYS_mremap, a, o, n, f, t))
#define sys_madvise(a, n, w) hkm_syscall (SYS_madvise, a, n, w)
#endif

size_t
hkm_os_page_size (void)
{
  return page_size;
}

static void *
map_raw (void *hint, size_t size, int prot)
{
  if (!may_call (HKM_OS_MMAP))
    return NULL;
  int saved = errno;
  /* No MAP_NORESERVE for a reserve: without rights it counts for nothing as it
     is, and some sandboxes refuse further flags.  */
  void *p = sys_mmap (hint, size, prot, MAP_PRIVATE | MAP_ANONYMOUS);
  if (p == MAP_FAILED)
    {
      failed (HKM_OS_MMAP, saved);
      return NULL;
    }
  return p;
}

static bool
unmap_raw (void *addr, size_t size)
{
  if (!may_call (HKM_OS_MUNMAP))
    return false;
  int saved = errno;
  return sys_munmap (addr, size) == 0 || failed (HKM_OS_MUNMAP, saved);
}

bool
hkm_os_unmap (void *addr, size_t size)
{
  if (!unmap_raw (addr, size))
    return false;
  discharge (size);
  return true;
}

bool
hkm_os_unreserve (void *addr, size_t size)
{
  return unmap_raw (addr, size);
}

/* Unmap what was mapped beyond a request.  If the OS has no room for one more
   mapping it stays: addresses that nobody touches, lost, and told as mapped.  */
static void
trim_off (void *addr, size_t size, int prot)
{
  if (size > 0 && !unmap_raw (addr, size) && prot != PROT_NONE)
    hkm_fetch_add_relaxed (&mapped, size);
}

/* Where the last aligned mapping was made.  Mappings mostly grow downwards, so
   the place just below it is likely both free and aligned: asking for it costs
   one call where over-mapping and trimming costs three.  A hint only.  */
static char *next_hint;

static bool
is_aligned (const void *p, size_t align)
{
  return ((uintptr_t) p & (align - 1)) == 0;
}

static HKM_COLD void *
map_aligned (size_t size, size_t align, int prot)
{
  char *hint = NULL;
  if (align > page_size)
    {
      char *last = hkm_load_relaxed (&next_hint);
      if (last != NULL && (uintptr_t) last > size + align)
        hint = (char *) (((uintptr_t) last - size) & ~(uintptr_t) (align - 1));
    }
  char *p = map_raw (hint, size, prot);
  if (p == NULL)
    return NULL;
  if (!is_aligned (p, align))
    {
      /* Try just below what we were given, then over-map and trim.  */
      char *below = (char *) ((uintptr_t) p & ~(uintptr_t) (align - 1));
      trim_off (p, size, prot);
      p = map_raw (below, size, prot);
      if (p == NULL)
        return NULL;
    }
  if (!is_aligned (p, align))
    {
      trim_off (p, size, prot);
      if (size + align < size)
        return NULL;
      char *wide = map_raw (NULL, size + align - page_size, prot);
      if (wide == NULL)
        return NULL;
      p = (char *) (((uintptr_t) wide + align - 1) & ~(uintptr_t) (align - 1));
      size_t before = (size_t) (p - wide);
      trim_off (wide, before, prot);
      trim_off (p + size, align - page_size - before, prot);
    }
  if (align > page_size)
    hkm_store_relaxed (&next_hint, p);
  return p;
}

void *
hkm_os_map (size_t size, size_t align)
{
  if (!charge (size))
    return NULL;
  void *p = map_aligned (size, align, PROT_READ | PROT_WRITE);
  if (p == NULL)
    discharge (size);
  return p;
}

void *
hkm_os_reserve (size_t size, size_t align)
{
  return map_aligned (size, align, PROT_NONE);
}

static int
remap_raw (void *addr, size_t old_size, size_t new_size, int flags,
           void *target)
{
  if (!may_call (HKM_OS_MREMAP))
    return ENOMEM;
  int saved = errno;
  if (sys_mremap (addr, old_size, new_size, flags, target) != MAP_FAILED)
    return 0;
  int error = errno;
  failed (HKM_OS_MREMAP, saved);
  return error;
}

/* The difference is charged before, or discharged after.  0, or an errno
   value.  */
static int
remap (void *addr, size_t old_size, size_t new_size, int flags, void *target)
{
  size_t more = new_size > old_size ? new_size - old_size : 0;
  size_t less = old_size > new_size ? old_size - new_size : 0;
  if (!charge (more))
    {
      if (target != NULL)
        hkm_os_unreserve (target, new_size);
      return ENOMEM;
    }
  int error = remap_raw (addr, old_size, new_size, flags, target);
  discharge (error == 0 ? less : more);
  return error;
}

int
hkm_os_resize (void *addr, size_t old_size, size_t new_size)
{
  return remap (addr, old_size, new_size, 0, NULL);
}

bool
hkm_os_move (void *addr, size_t old_size, void *target, size_t new_size)
{
  return remap (addr, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED,
                target)
         == 0;
}

bool
hkm_os_purge (void *addr, size_t size)
{
  if (!may_call (HKM_OS_MADVISE))
    return false;
  int saved = errno;
  return sys_madvise (addr, size, MADV_DONTNEED) == 0
         || failed (HKM_OS_MADVISE, saved);
}

void
hkm_os_no_huge (void *addr, size_t size)
{
  int saved = errno;
  sys_madvise (addr, size, MADV_NOHUGEPAGE);
  errno = saved;
}

bool
hkm_os_huge (void *addr, size_t size)
{
  if (!may_call (HKM_OS_MADVISE))
    return false;
  int saved = errno;
  return sys_madvise (addr, size, MADV_HUGEPAGE) == 0
         || failed (HKM_OS_MADVISE, saved);
}

/* CLOCK in ns; 0 if the kernel refuses.  */
static uint64_t
clock_ns (clockid_t clock)
{
  long time[2] = { 0, 0 };
#ifdef SYS_clock_gettime
  int saved = errno;
  if (hkm_unlikely (!hkm_os_vdso_clock (clock, time)))
    {
      hkm_syscall (SYS_clock_gettime, clock, time);
      errno = saved;
    }
#else
  hkm_os_vdso_clock (clock, time);
#endif
  return (uint64_t) time[0] * 1000000000u + (uint64_t) time[1];
}

uint64_t
hkm_os_clock_ms (void)
{
  return clock_ns (CLOCK_MONOTONIC_COARSE) / 1000000;
}

uint64_t
hkm_os_clock_ns (void)
{
  return clock_ns (CLOCK_MONOTONIC);
}

void
hkm_os_random (uint64_t out[2])
{
  const void *bytes = (const void *) getauxval (AT_RANDOM);
  if (bytes != NULL)
    memcpy (out, bytes, 16);
  else /* no start block: addresses and the clock are what is left */
    {
      out[0] = (uint64_t) (uintptr_t) &bytes * 0x9e3779b97f4a7c15u;
      out[1] = hkm_os_clock_ms () * 0xc2b2ae3d27d4eb4fu;
    }
}

bool
hkm_os_secure (void)
{
  return getauxval (AT_SECURE) != 0;
}

const char *
hkm_os_exec_path (void)
{
  return (const char *) getauxval (AT_EXECFN);
}

char **
hkm_os_environ (void)
{
  return environ;
}

bool
hkm_os_in_brk (const void *addr)
{
  const char *end = (const char *) sbrk (0);
  return (const char *) addr >= brk_start && (const char *) addr < end;
}

void
hkm_os_start (void)
{
  int saved = errno;
  page_size = getauxval (AT_PAGESZ);
  if (page_size == 0)
    page_size = 4096;
  brk_start = sbrk (0);
  errno = saved;
}
