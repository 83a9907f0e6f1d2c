// C++ operators: every form, bad_alloc, new-handlers, over-aligned types, and
// containers on top.  The library must do this without linking libstdc++.
#include "blocks.h"
#include "check.h"
#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

extern "C" size_t malloc_usable_size (void *);

static const size_t sizes[] = { 0, 1, 16, 100, 1024, 2049, 40000, 3000000 };
static volatile size_t too_much = (size_t) PTRDIFF_MAX - 100;
static volatile size_t even_more = SIZE_MAX;

// Who serves operator new: the library under test, if it has operators.
static bool
operators_are_ours ()
{
  Dl_info a, b;
  void *by_new = dlsym (RTLD_DEFAULT, "_Znwm");
  void *by_malloc = dlsym (RTLD_DEFAULT, "malloc");
  return dladdr (by_new, &a) && dladdr (by_malloc, &b)
         && strcmp (a.dli_fname, b.dli_fname) == 0;
}

TEST (owner)
{
  if (!operators_are_ours ())
    SKIP ("the library was built without C++ operators");
  const char *names[] = {
    "_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t", "_ZdlPvSt11align_val_t", "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t"
  };
  Dl_info ours, info;
  dladdr (dlsym (RTLD_DEFAULT, "malloc"), &ours);
  for (const char *name : names)
    {
      void *p = dlsym (RTLD_DEFAULT, name);
      if (CHECKF (p, "%s is nowhere", name) && dladdr (p, &info))
        CHECKF (strcmp (info.dli_fname, ours.dli_fname) == 0, "%s is in %s",
                name, info.dli_fname);
    }
}

TEST (every_form)
{
  for (size_t size : sizes)
    for (int round = 0; round < 50; round++)
      {
        void *p = ::operator new (size), *q = ::operator new[] (size);
        void *r = ::operator new (size, std::nothrow),
             *s = ::operator new[] (size, std::nothrow);
        CHECK (p && q && r && s && p != q && q != r && r != s);
        for (void *block : { p, q, r, s })
          {
            CHECK ((uintptr_t) block % 16 == 0);
            memset (block, 1, size);
          }
        if (round & 1)
          {
            ::operator delete (p, size);
            ::operator delete[] (q, size);
            ::operator delete (r, std::nothrow);
            ::operator delete[] (s, std::nothrow);
          }
        else
          {
            ::operator delete (p);
            ::operator delete[] (q);
            ::operator delete (r);
            ::operator delete[] (s);
          }
      }
  ::operator delete (nullptr);
  ::operator delete[] (nullptr);
  ::operator delete (nullptr, (size_t) 10);
}

TEST (aligned_forms)
{
  for (size_t align = 16; align <= 1 << 21; align *= 2)
    for (size_t size : sizes)
      {
        std::align_val_t a { align };
        void *p = ::operator new (size, a), *q = ::operator new[] (size, a);
        void *r = ::operator new (size, a, std::nothrow),
             *s = ::operator new[] (size, a, std::nothrow);
        for (void *block : { p, q, r, s })
          {
            CHECKF (block && (uintptr_t) block % align == 0,
                    "%p for %zu bytes at %zu", block, size, align);
            memset (block, 1, size);
          }
        ::operator delete (p, a);
        ::operator delete[] (q, size, a);
        ::operator delete (r, size, a);
        ::operator delete[] (s, a, std::nothrow);
      }
}

template <class F>
static bool
throws_bad_alloc (F f)
{
  try
    {
      f ();
    }
  catch (const std::bad_alloc &e)
    {
      return e.what () != nullptr;
    }
  return false;
}

TEST (bad_alloc)
{
  void *volatile sink;
  for (size_t n : { (size_t) too_much, (size_t) even_more })
    {
      CHECK (throws_bad_alloc ([&] { sink = ::operator new (n); }));
      CHECK (throws_bad_alloc ([&] { sink = ::operator new[] (n); }));
      std::align_val_t a { 256 };
      // libstdc++ 12 rounds the largest sizes up to nothing.
      if (n == even_more && !operators_are_ours ())
        continue;
      CHECK (throws_bad_alloc ([&] { sink = ::operator new (n, a); }));
      CHECK (throws_bad_alloc ([&] { sink = ::operator new[] (n, a); }));
    }
  CHECK (throws_bad_alloc ([&] { sink = new char[too_much]; }));
}

TEST (nothrow_gives_null)
{
  CHECK (::operator new (too_much, std::nothrow) == nullptr);
  CHECK (::operator new[] (even_more, std::nothrow) == nullptr);
  if (operators_are_ours ())
    CHECK (::operator new (even_more, std::align_val_t { 64 }, std::nothrow)
           == nullptr);
  CHECK (::operator new[] (too_much, std::align_val_t { 64 }, std::nothrow)
         == nullptr);
}

static int handled;

TEST (new_handler)
{
  // Called again and again until it throws or removes itself.
  std::set_new_handler ([] {
    if (++handled == 5)
      std::set_new_handler (nullptr);
  });
  void *volatile sink;
  handled = 0;
  CHECK (throws_bad_alloc ([&] { sink = ::operator new (too_much); }));
  CHECKF (handled == 5, "handler called %d times", handled);

  struct own_exception : std::bad_alloc { };
  std::set_new_handler ([] { throw own_exception (); });
  bool caught = false;
  try
    {
      sink = ::operator new[] (even_more);
    }
  catch (const own_exception &)
    {
      caught = true;
    }
  CHECK (caught);
  // nothrow forms call the handler too and swallow what it throws.
  CHECK (::operator new (too_much, std::nothrow) == nullptr);
  CHECK (::operator new (too_much, std::align_val_t { 64 }, std::nothrow)
         == nullptr);
  std::set_new_handler (nullptr);
}

struct alignas (64) line { char c[64]; };
struct alignas (4096) page { char c[100]; };
struct alignas (65536) granule { char c; };

template <class T>
static void
over_aligned ()
{
  std::vector<std::unique_ptr<T>> kept;
  for (int i = 0; i < 100; i++)
    {
      kept.push_back (std::make_unique<T> ());
      CHECK ((uintptr_t) kept.back ().get () % alignof (T) == 0);
      kept.back ()->c[0] = (char) i;
    }
  T *array = new T[7];
  CHECK ((uintptr_t) array % alignof (T) == 0);
  delete[] array;
  for (int i = 0; i < 100; i++)
    CHECK (kept[i]->c[0] == (char) i);
}

template <>
void
over_aligned<granule> ()
{
  for (int i = 0; i < 50; i++)
    {
      std::unique_ptr<granule> g (new granule);
      CHECK ((uintptr_t) g.get () % 65536 == 0);
    }
}

TEST (over_aligned_types)
{
  over_aligned<line> ();
  over_aligned<page> ();
  over_aligned<granule> ();
}

static void
use_containers (uint64_t seed)
{
  uint64_t rng = rng_seed (seed);
  std::map<std::string, std::vector<uint64_t>> m;
  for (int i = 0; i < 30000; i++)
    {
      uint64_t r = rng_next (&rng) % 4000;
      std::string key (1 + r % 90, (char) ('a' + r % 26));
      key += std::to_string (r);
      auto &v = m[key];
      if (v.size () > 20)
        m.erase (key);
      else
        v.push_back (r);
    }
  for (auto &entry : m)
    for (uint64_t r : entry.second)
      CHECK (entry.first.size () == 1 + r % 90 + std::to_string (r).size ());
}

TEST (containers)
{
  use_containers (1);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; i++)
    threads.emplace_back (use_containers, i + 2);
  for (auto &t : threads)
    t.join ();
}

// new and free, malloc and delete: wrong in C++, common in practice.
TEST (mixed_with_malloc)
{
  for (size_t size : sizes)
    {
      free (::operator new (size));
      ::operator delete (malloc (size));
    }
}

int
main ()
{
  RUN (owner);
  RUN (every_form);
  RUN (aligned_forms);
  RUN (bad_alloc);
  RUN (nothrow_gives_null);
  RUN (new_handler);
  RUN (over_aligned_types);
  RUN (containers);
  RUN (mixed_with_malloc);
  return check_done ();
}
