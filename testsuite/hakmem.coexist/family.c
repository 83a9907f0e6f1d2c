/* Every entry point in the order programs use them, in four threads: for programs
   that bring an allocator of their own, in part or whole, and for odd places to
   run.  PARTIAL: malloc and free alone are the program's, and lead to whatever
   comes next.  */
#include "../hakmem.concur/concur.h"
#include <malloc.h>
#include <stdlib.h>

#ifdef PARTIAL
#include <dlfcn.h>
static long calls;

void *
malloc (size_t size)
{
  static void *(*next) (size_t);
  if (next == NULL)
    next = (void *(*) (size_t)) dlsym (RTLD_NEXT, "malloc");
  calls++;
  return next (size);
}

void
free (void *p)
{
  static void (*next) (void *);
  if (next == NULL)
    next = (void (*) (void *)) dlsym (RTLD_NEXT, "free");
  next (p);
}
#endif

static void
one_size (size_t size, uint64_t *random)
{
  block *b = block_new (size, random);
  size_t usable = malloc_usable_size (b), align = (size_t) 16 << size % 9;
  if (usable < size)
    die ("usable size", "%zu of %zu", usable, size);
  block_check (b);
  b = block_write (realloc (b, size * 2), size * 2, size);
  b = block_write (reallocarray (b, size, 3), size * 3, size);
  block_free (b);
  void *p = NULL;
  if (posix_memalign (&p, align, size) != 0 || (uintptr_t) p % align != 0)
    die ("posix_memalign", "%zu at a multiple of %zu: %p", size, align, p);
  block_free (block_write (p, size, size));
  block_free (block_write (memalign (align, size), size, size));
  block_free (block_write (valloc (size), size, size));
  char *text, *zero = calloc (size, 2);
  for (size_t i = 0; i < size * 2; i++)
    if (zero[i] != 0)
      die ("calloc", "not zero at %zu of %zu", i, size * 2);
  free (zero);
  if (asprintf (&text, "%zu", size) > 0)
    free (text);
  free (strdup ("text"));
}

static void *
work (void *arg)
{
  uint64_t random = mix ((long) arg);
  for (int i = 0; i < 400; i++)
    one_size (draw_size (&random, 16, i % 50 ? 20000 : 2 << 20), &random);
  return NULL;
}

int
main (void)
{
  pthread_t thread[4];
  for (long i = 0; i < 4; i++)
    thread[i] = thread_start (work, (void *) i);
  work ((void *) 4L);
  for (int i = 0; i < 4; i++)
    pthread_join (thread[i], NULL);
  malloc_trim (0);
  (void) mallinfo2 ();
  mallopt (M_MMAP_THRESHOLD, 1 << 20);
#ifdef PARTIAL
  verdict (calls > 0, "the program's malloc was called", "no");
#endif
  verdict (true, "every entry point", "content");
  return finish ();
}
