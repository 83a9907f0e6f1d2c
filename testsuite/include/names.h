/* The allocation functions a test program calls.  Built plainly they are the
   process's own, so the program runs on whatever is preloaded.  Under
   -DHKM_TEST_NAMES they are the library's, linked in under their test names
   beside the sanitizer's malloc.

   Include this after every system header.  */
#ifndef HKM_TEST_NAMES_H
#define HKM_TEST_NAMES_H

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef HKM_TEST_NAMES

#ifdef __cplusplus
extern "C" {
#endif
void *hkm_test_malloc (size_t);
void *hkm_test_calloc (size_t, size_t);
void *hkm_test_realloc (void *, size_t);
void *hkm_test_reallocarray (void *, size_t, size_t);
void *hkm_test_aligned_alloc (size_t, size_t);
void *hkm_test_memalign (size_t, size_t);
int hkm_test_posix_memalign (void **, size_t, size_t);
void hkm_test_free (void *);
size_t hkm_test_malloc_usable_size (void *);
int hkm_test_malloc_trim (size_t);
int hkm_test_mallopt (int, int);
#ifdef __cplusplus
}
#endif

#define malloc hkm_test_malloc
#define calloc hkm_test_calloc
#define realloc hkm_test_realloc
#define reallocarray hkm_test_reallocarray
#define aligned_alloc hkm_test_aligned_alloc
#define memalign hkm_test_memalign
#define posix_memalign hkm_test_posix_memalign
#define free hkm_test_free
#define malloc_usable_size hkm_test_malloc_usable_size
#define malloc_trim hkm_test_malloc_trim
#define mallopt hkm_test_mallopt

#endif
#endif
