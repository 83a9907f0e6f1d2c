/* Compiler words shared by every room: visibility, temperature, assertions.
   Knows nothing of allocators.  */
#ifndef HKM_BASE_COMPILER_H
#define HKM_BASE_COMPILER_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Data and functions of other rooms that hot code names: says that they are in
   this library, so that they are reached without the GOT.  */
#define HKM_HIDDEN __attribute__ ((visibility ("hidden")))
#define HKM_EXPORT __attribute__ ((visibility ("default")))
#define HKM_COLD __attribute__ ((noinline, cold))
#define HKM_NOINLINE __attribute__ ((noinline))
#define HKM_INLINE static inline __attribute__ ((always_inline))
#define HKM_ALIGNED(n) __attribute__ ((aligned (n)))
#define HKM_PRINTF(fmt, args) __attribute__ ((format (printf, fmt, args)))

#define hkm_likely(x) __builtin_expect (!!(x), 1)
#define hkm_unlikely(x) __builtin_expect (!!(x), 0)

/* Keep X in a register and make the compiler forget what it is made of.  Emits
   nothing; where address arithmetic is better left as written.  */
#define HKM_OPAQUE(x) __asm__ ("" : "+r" (x))

#define hkm_container_of(ptr, type, member)                                   \
  ((type *) ((char *) (ptr) - offsetof (type, member)))

#define HKM_CACHE_LINE 64

/* Assertions have three costs: HKM_CHECK holds in every build, HKM_ASSERT in
   debug builds, HKM_WALK marks whole-structure walkers (debug builds too, but
   named apart so that a reader sees the price).  A failed one prints the
   place without allocating and aborts.  */
HKM_COLD __attribute__ ((noreturn)) void
hkm_assert_failed (const char *what, const char *file, int line);

#define HKM_CHECK(x)                                                          \
  ((void) (hkm_likely (x) || (hkm_assert_failed (#x, __FILE__, __LINE__), 0)))
#ifdef HKM_DEBUG
#define HKM_ASSERT(x) HKM_CHECK (x)
#define HKM_WALK(statement) do { statement; } while (0)
#else
#define HKM_ASSERT(x) ((void) 0)
#define HKM_WALK(statement) ((void) 0)
#endif

#endif
