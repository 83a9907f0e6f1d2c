// C++ containers and operators beside an allocator that isn't ours: what one
// side makes, the other frees, and nothing notices.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

struct alignas (128) wide
{
  char bytes[300];
};

int
main ()
{
  std::map<int, std::string> map;
  for (int i = 0; i < 20000; i++)
    map[i] = std::string (i % 500, 'x');
  for (int i = 0; i < 20000; i += 2)
    map.erase (i);
  bool good = map.size () == 10000 && map[333].size () == 333;
  for (int i = 1; i < 1000; i++)
    {
      wide *volatile one = new wide, *volatile some = new wide[7];
      good &= reinterpret_cast<size_t> (one) % 128 == 0;
      delete one;
      delete[] some;
      char *volatile plain = new char[i];
      delete[] plain;
      void *volatile quiet = operator new (i, std::nothrow);
      operator delete (quiet, std::nothrow);
    }
  puts (good ? "ok operators" : "not ok operators: lost or misaligned");
  puts ("done");
}
