/* The floor: the least that malloc and free can cost when they are called
   through the PLT of a program.  Preloaded in place of an allocator; it is
   none: every request of up to FLOOR_BLOCK bytes gets a block of just that
   size from one list of the thread, so that there is no size to look up,
   nothing is checked, a thread's list is lost when it ends, and what is larger
   is never used again.  Enough for tiny_hot and independent, and for what libc
   itself allocates; when the space is used up, malloc fails.

   Build: cc -O2 -fPIC -shared -fno-builtin -ftls-model=initial-exec  */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes; a power of two.  */
#ifndef FLOOR_BLOCK
# define FLOOR_BLOCK 64
#endif

enum
{
  SPACE = 256 << 20,            /* of each kind; pages come as they are used */
  CHUNK = 64 << 10              /* what a thread takes at a time */
};

struct block
{
  struct block *next;
};

/* What precedes a larger block.  */
struct header
{
  _Alignas (16) size_t size;
};

static _Alignas (4096) char blocks[SPACE], larger[SPACE];
static _Atomic size_t blocks_used, larger_used;
static __thread struct block *top;

static int
is_block (const void *p)
{
  return (uintptr_t) p - (uintptr_t) blocks < SPACE;
}

static void *
fail (void)
{
  errno = ENOMEM;
  return NULL;
}

static void * __attribute__ ((noinline))
new_chunk (void)
{
  size_t at = atomic_fetch_add (&blocks_used, CHUNK);
  if (at > SPACE - CHUNK)
    return fail ();
  for (size_t i = 0; i < CHUNK; i += FLOOR_BLOCK)
    {
      struct block *block = (struct block *) (blocks + at + i);
      block->next = top;
      top = block;
    }
  struct block *block = top;
  top = block->next;
  return block;
}

static void * __attribute__ ((noinline))
new_larger (size_t alignment, size_t size)
{
  if (size > SPACE / 2 || alignment > SPACE / 4)
    return fail ();
  size_t need = sizeof (struct header) + alignment + size;
  size_t at = atomic_fetch_add (&larger_used, need);
  if (at > SPACE - need)
    return fail ();
  uintptr_t start = (uintptr_t) (larger + at) + sizeof (struct header);
  start = (start + alignment - 1) & -alignment;
  ((struct header *) start)[-1].size = size;
  return (void *) start;
}

void *
malloc (size_t size)
{
  struct block *block = top;
  if (__builtin_expect (size > FLOOR_BLOCK, 0))
    return new_larger (16, size);
  if (__builtin_expect (!block, 0))
    return new_chunk ();
  top = block->next;
  return block;
}

void
free (void *p)
{
  if (__builtin_expect (!is_block (p), 0))
    return;
  struct block *block = p;
  block->next = top;
  top = block;
}

size_t
malloc_usable_size (void *p)
{
  return !p ? 0 : is_block (p) ? FLOOR_BLOCK : ((struct header *) p)[-1].size;
}

void *
calloc (size_t count, size_t size)
{
  size_t bytes;
  if (__builtin_mul_overflow (count, size, &bytes))
    return fail ();
  void *p = malloc (bytes);
  if (p && is_block (p))        /* larger ones are new, so they are zero */
    memset (p, 0, bytes);
  return p;
}

void *
realloc (void *old, size_t size)
{
  size_t before = malloc_usable_size (old);
  if (old && size == 0)
    {
      free (old);
      return NULL;
    }
  void *p = malloc (size);
  if (p && old)
    {
      memcpy (p, old, before < size ? before : size);
      free (old);
    }
  return p;
}

void *
memalign (size_t alignment, size_t size)
{
  if (alignment <= FLOOR_BLOCK && size <= FLOOR_BLOCK)
    return malloc (size);
  return new_larger (alignment < 16 ? 16 : alignment, size);
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **result, size_t alignment, size_t size)
{
  int saved = errno;
  void *p = memalign (alignment, size);
  errno = saved;
  if (!p)
    return ENOMEM;
  *result = p;
  return 0;
}
