/* The OS contract: everything the allocator asks of the kernel and of the
   process's start block.  The Linux side is os/linux.c; tests make single calls
   fail through hkm_os_fault (fault injection).

   All calls keep errno and never allocate.  Sizes are bytes and, unless said
   otherwise, multiples of the page size.  All are thread-safe.  */
#ifndef HKM_OS_OS_H
#define HKM_OS_OS_H

#include "base/compiler.h"

/* Bytes of an OS page, found at run time (4, 16 or 64 KiB).  */
size_t hkm_os_page_size (void);

/* Have at most BYTES mapped with access rights from now on; 0: no limit.  What
   would go over it fails as if the OS had refused it.  */
void hkm_os_limit (uint64_t bytes);
bool hkm_os_is_limited (void);
/* Bytes mapped with access rights now.  */
size_t hkm_os_mapped (void);

/* Fresh zeroed private memory, readable and writable, SIZE bytes aligned to
   ALIGN (a power of two, at least a page); NULL if there is none.  */
void *hkm_os_map (size_t size, size_t align);
/* As hkm_os_map but without access rights: a target for hkm_os_move.  */
void *hkm_os_reserve (size_t size, size_t align);
/* Give back what hkm_os_reserve gave.  False: it stays.  */
bool hkm_os_unreserve (void *addr, size_t size);
/* Give [addr, addr+size) back, which hkm_os_map gave.  False (ENOMEM at the
   mapping limit): nothing changed.  */
bool hkm_os_unmap (void *addr, size_t size);
/* Change the length of a mapping in place.  An errno value other than 0:
   unchanged; EFAULT: the kernel has it as several, and won't move it either.  */
int hkm_os_resize (void *addr, size_t old_size, size_t new_size);
/* Move the pages of [addr, old_size) onto TARGET, a reserve of at least
   NEW_SIZE bytes; the rest up to NEW_SIZE reads as zero.  False: unchanged, but
   TARGET is not the caller's any more (the kernel takes it away before most of
   what can fail, and somebody else may have mapped there since).  */
bool hkm_os_move (void *addr, size_t old_size, void *target, size_t new_size);
/* Drop the contents of [addr, addr+size); it then reads as zero.
   False: contents unchanged (locked memory, a refusing filter).  */
bool hkm_os_purge (void *addr, size_t size);
/* Never back [addr, addr+size) by huge pages; a hint.  */
void hkm_os_no_huge (void *addr, size_t size);
/* Back [addr, addr+size) by huge pages where that can be.  False: the kernel
   has none.  */
bool hkm_os_huge (void *addr, size_t size);
/* Bytes of a huge page, to which only whole ones can be mapped.  */
size_t hkm_os_huge_size (void);
/* Where the kernel uses huge pages by itself (os/thp.c): ADVISED until
   hkm_os_thp_read was called, which opens a file and is for init only.  */
enum hkm_os_thp { HKM_OS_THP_ADVISED, HKM_OS_THP_NEVER, HKM_OS_THP_ALWAYS };
enum hkm_os_thp hkm_os_thp (void);
void hkm_os_thp_read (void);

/* Make SIZE bytes (any number) of DATA, which the loader may have sealed after
   relocation, writable, and sealed again (os/seal.c).  Other threads may read
   them meanwhile.  False: the kernel refuses.  */
bool hkm_os_unseal (const void *data, size_t size);
void hkm_os_seal (const void *data, size_t size);

/* Seconds and nanoseconds of a clock, from the vDSO.  False: it has none.  */
bool hkm_os_vdso_clock (long clock, long time[2]);
/* Milliseconds of a coarse monotonic clock; no system call (vDSO).  */
uint64_t hkm_os_clock_ms (void);
/* Nanoseconds of a fine one, likewise.  */
uint64_t hkm_os_clock_ns (void);
/* Where the calling thread runs: its CPU and NUMA node, from the vDSO, which
   makes no system call.  False: this kernel's vDSO does not say, and both are 0.
   (os/vdso.c)  */
bool hkm_os_cpu (unsigned *cpu, unsigned *node);
/* For tests: asked instead if set.  */
extern bool (*hkm_os_cpu_override) (unsigned *cpu, unsigned *node);
/* 128 random bits from the kernel's start block (AT_RANDOM).  */
void hkm_os_random (uint64_t out[2]);
/* True in setuid and like programs (AT_SECURE): trust no environment.  */
bool hkm_os_secure (void);
/* The path that exec was given for this process's program, of a script the
   script's (AT_EXECFN); NULL if unknown.  Whoever started it says so.  */
const char *hkm_os_exec_path (void);
/* The environment block ("NAME=value" strings, NULL-ended; may be NULL).  */
char **hkm_os_environ (void);
/* Bytes the whole process held resident at most so far; 0 if unknown.  Opens
   /proc/self/status: for reports only (os/peak.c).  */
uint64_t hkm_os_peak_rss (void);
/* Page faults so far that read nothing from a disk; 0 if unknown.  A system
   call.  */
uint64_t hkm_os_faults (void);
/* True if ADDR lies in the brk heap grown since the first call of
   hkm_os_start: the place libc's own allocator takes blocks from.  */
bool hkm_os_in_brk (const void *addr);
/* Record what must be known early.  Called once, by init.  */
void hkm_os_start (void);

/* System calls made so far, for statistics: one relaxed count each.  */
enum hkm_os_call
{
  HKM_OS_MMAP, HKM_OS_MUNMAP, HKM_OS_MREMAP, HKM_OS_MADVISE, HKM_OS_CALLS
};
uint64_t hkm_os_calls (enum hkm_os_call which);
uint64_t hkm_os_failures (enum hkm_os_call which);

/* Fault injection for tests: if set, asked before each call; true makes that
   call fail as with ENOMEM.  NULL in normal life.  */
extern bool (*hkm_os_fault) (enum hkm_os_call which);

#endif
