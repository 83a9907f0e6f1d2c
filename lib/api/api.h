/* What the exported functions share.  The public name of each is HKM_API (x):
   the name itself in the library, hkm_test_x in the sanitized test builds
   (-DHKM_TEST_NAMES), where the sanitizer keeps malloc for itself.  */
#ifndef HKM_API_API_H
#define HKM_API_API_H

#include "base/compiler.h"

struct hkm_slab;

#ifdef HKM_TEST_NAMES
#define HKM_API(name) hkm_test_##name
#else
#define HKM_API(name) name
#endif

HKM_EXPORT void *HKM_API (malloc) (size_t size);
HKM_EXPORT void HKM_API (free) (void *p);
HKM_EXPORT void *HKM_API (calloc) (size_t n, size_t size);
HKM_EXPORT void *HKM_API (realloc) (void *p, size_t size);
HKM_EXPORT void *HKM_API (reallocarray) (void *p, size_t n, size_t size);
HKM_EXPORT void *HKM_API (aligned_alloc) (size_t align, size_t size);
HKM_EXPORT void *HKM_API (memalign) (size_t align, size_t size);
HKM_EXPORT int HKM_API (posix_memalign) (void **result, size_t align,
                                         size_t size);
HKM_EXPORT void *HKM_API (valloc) (size_t size);
HKM_EXPORT void *HKM_API (pvalloc) (size_t size);
HKM_EXPORT void HKM_API (cfree) (void *p);
HKM_EXPORT void HKM_API (free_sized) (void *p, size_t size);
HKM_EXPORT void HKM_API (free_aligned_sized) (void *p, size_t align,
                                              size_t size);
HKM_EXPORT size_t HKM_API (malloc_usable_size) (void *p);
HKM_EXPORT int HKM_API (mallopt) (int param, int value);
HKM_EXPORT int HKM_API (malloc_trim) (size_t pad);
HKM_EXPORT void HKM_API (malloc_stats) (void);

/* First call of the process: options, secrets, policy, thread hooks.  Cheap
   when done.  True: this process opted out, use libc.  */
bool hkm_init (void);
extern bool hkm_opted_out; /* constant after init */

/* malloc (size) where size > HKM_MID_MAX: runs and big blocks.  NULL and
   ENOMEM if there is none.  */
HKM_HIDDEN void *hkm_alloc_elsewhere (size_t size);
/* malloc (size) for callers inside the library, whoever owns malloc; here and
   below, on behalf of who will return to WHERE.  */
void *hkm_alloc (size_t size, const void *where);
/* calloc (1, size) where the front slot has no block.  */
void *hkm_calloc_slow (size_t size, const void *where);
/* SIZE bytes at a multiple of ALIGN; NULL and ENOMEM.  */
void *hkm_alloc_aligned (size_t align, size_t size, const void *where);
/* free (p) where the hot path declined: NULL, remote, run, big, foreign, bad.
   SLAB is what the near table has for P.  */
HKM_HIDDEN void hkm_free_elsewhere (void *p, struct hkm_slab *slab);
/* As that, for any P, naming another entry point in messages.  */
void hkm_free_as (void *p, const char *who);
/* Usable bytes of a block of ours, 0 with *ours = false if it isn't; a bad
   pointer into our memory is reported as a fault of WHO.  */
size_t hkm_usable_size (void *p, const char *who, bool *ours);

/* Blocks of libc's allocator (api/foreign.c).  */
void *hkm_libc_malloc (size_t size);
void *hkm_libc_calloc (size_t n, size_t size);
void *hkm_libc_realloc (void *p, size_t size);
void *hkm_libc_memalign (size_t align, size_t size);
void hkm_libc_free (void *p);
size_t hkm_libc_usable_size (void *p);
/* Those of a sanitizer's runtime, in whose favour this process opted out
   (api/sanitizer.c); NULL: there is none.  Constant after init.  */
typedef struct hkm_next_malloc
{
  void *(*malloc) (size_t size);
  void *(*calloc) (size_t n, size_t size);
  void *(*realloc) (void *p, size_t size);
  void *(*memalign) (size_t align, size_t size);
  void (*free) (void *p);
} hkm_next_malloc;
extern HKM_HIDDEN hkm_next_malloc hkm_next;
/* True if there is one, and then hkm_next is known.  */
bool hkm_sanitizer_find (void);
/* libc's allocator where ours can't serve (api/spare.c): SIZE bytes at a
   multiple of ALIGN (a power of two), or NULL and ENOMEM.  */
void *hkm_spare_alloc (size_t align, size_t size);
bool hkm_spare_used (void); /* there may be such blocks */
/* Free P, a live block of ours, once no call is interrupted any more: by
   hkm_spare_tend, which every call off the hot path makes first.  */
void hkm_free_later (void *p);
void hkm_spare_tend (void);
/* True if P, which is not ours, may be libc's.  */
bool hkm_foreign_is_libc (const void *p);
/* True if the malloc that this process's code calls is not ours: then every
   entry point we add beyond malloc, calloc, realloc and free builds on that
   one.  Asked by behaviour, once.  */
bool hkm_foreign_owns_malloc (void);
/* True if so, and that malloc hands out libc's blocks.  */
bool hkm_foreign_owner_is_libc (void);
/* Up to which size an aligned request may be served without that question: 0
   until it was answered, and for ever if malloc is not ours; relaxed.  */
extern HKM_HIDDEN size_t hkm_aligned_max;
/* What NAME means to the objects after this one in the process (libc, or
   another preload); NULL: nothing.  errno is kept.  Not for hot paths.  */
void *hkm_foreign_next (const char *name);
/* True if code may run here that took its malloc from a libc of its own:
   dlopen kept RTLD_DEEPBIND, or dlmopen made a namespace (api/dlopen.c).  */
bool hkm_dlopen_own_libc (void);

#endif
