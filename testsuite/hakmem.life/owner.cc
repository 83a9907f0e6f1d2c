/* A program with a malloc of its own, complete in the four names that the C
   standard had first, and nothing else.  All further entry points are ours,
   and must build on the program's: whatever memalign, reallocarray, operator
   new or strdup return is later given to the program's free, which aborts if
   it never handed that out.  */
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <new>
#include <unistd.h>

namespace
{

const uint64_t magic = 0x6f776e206d616c6c;
struct header
{
  uint64_t magic;
  size_t size;
};

alignas (64) char memory[64 << 20];
size_t used;
long handed_out, taken_back;

[[noreturn]] void
fail (const char *what)
{
  char line[200];
  int n = snprintf (line, sizeof line, "not ok owner: %s\n", what);
  if (write (1, line, n) != n)
    _exit (2);
  _exit (1);
}

bool
mine (const void *p)
{
  const char *c = static_cast<const char *> (p);
  return c >= memory + sizeof (header) && c < memory + sizeof memory
         && reinterpret_cast<const header *> (c)[-1].magic == magic;
}

void
verdict (bool good, const char *name)
{
  printf (good ? "ok %s\n" : "not ok %s: not the program's block\n", name);
}

} // namespace

extern "C" void *
malloc (size_t size)
{
  size_t whole = (size + sizeof (header) + 15) & ~size_t (15);
  if (size > sizeof memory || whole > sizeof memory - used)
    {
      errno = ENOMEM;
      return nullptr;
    }
  header *h = reinterpret_cast<header *> (memory + used);
  used += whole;
  h->magic = magic;
  h->size = size;
  handed_out++;
  return h + 1;
}

extern "C" void
free (void *p)
{
  if (p == nullptr)
    return;
  if (!mine (p))
    fail ("a block that isn't the program's came to its free");
  static_cast<header *> (p)[-1].magic = 0;
  taken_back++;
}

extern "C" void *
calloc (size_t n, size_t size)
{
  size_t whole;
  if (__builtin_mul_overflow (n, size, &whole))
    return nullptr;
  void *p = malloc (whole);
  return p ? memset (p, 0, whole) : nullptr;
}

extern "C" void *
realloc (void *p, size_t size)
{
  if (p == nullptr)
    return malloc (size);
  if (!mine (p))
    fail ("a block that isn't the program's came to its realloc");
  void *q = malloc (size);
  size_t old = static_cast<header *> (p)[-1].size;
  memcpy (q, p, old < size ? old : size);
  free (p);
  return q;
}

namespace
{

/* P, from an entry point that isn't the program's.  If that has no way to
   build such a block on malloc it may say so.  */
void
judge (const char *name, void *p, bool may_refuse = false)
{
  verdict (p == nullptr ? may_refuse && errno == ENOMEM : mine (p), name);
  free (p);
}

} // namespace

int
main ()
{
  setvbuf (stdout, nullptr, _IOLBF, 0);
  judge ("strdup", strdup ("text"));
  judge ("reallocarray", reallocarray (nullptr, 10, 30));
  judge ("reallocarray of a block", reallocarray (malloc (10), 10, 30));
  judge ("memalign 16", memalign (16, 100));
  judge ("aligned_alloc 16", aligned_alloc (16, 112));
  void *p = nullptr;
  judge ("posix_memalign 16", posix_memalign (&p, 16, 100) == 0 ? p : nullptr);
  errno = ENOMEM;
  p = nullptr;
  judge ("posix_memalign 4096",
         posix_memalign (&p, 4096, 100) == 0 ? p : nullptr, true);
  judge ("memalign 4096", memalign (4096, 100), true);
  judge ("valloc", valloc (100), true);
  /* Who asks for the malloc after the program's gets ours, and our heap has
     blocks of that class at hand from then on.  */
  void *next = dlsym (RTLD_NEXT, "malloc");
  void *volatile theirs = reinterpret_cast<void *(*) (size_t)> (next) (192);
  verdict (theirs != nullptr && !mine (theirs), "malloc after the program's");
  judge ("memalign 64, ours at hand", memalign (64, 192), true);
  p = nullptr;
  judge ("posix_memalign 64, ours at hand",
         posix_memalign (&p, 64, 192) == 0 ? p : (errno = ENOMEM, nullptr),
         true);
  char *volatile c = new char[1000]; /* volatile: the compiler knows too much */
  verdict (mine (c), "operator new");
  delete[] c;
  verdict (malloc_trim (0) >= 0, "malloc_trim");
  verdict (handed_out > 10 && taken_back > 8, "the program's own malloc");
  puts ("done");
  return 0;
}
