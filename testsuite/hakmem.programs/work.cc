// Something for g++ to chew: templates of the standard library.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct sum { static constexpr long value = N + sum<N - 1>::value; };
template <> struct sum<0> { static constexpr long value = 0; };

using value = std::variant<long, std::string, std::vector<long>>;

int
main ()
{
  std::map<std::string, value> all;
  std::unordered_map<long, std::shared_ptr<std::string>> index;
  for (long i = 0; i < 5000; i++)
    {
      std::ostringstream name;
      name << "key " << i * 7919 % 5003;
      index[i] = std::make_shared<std::string> (name.str ());
      if (i % 3 == 0)
        all[name.str ()] = i;
      else if (i % 3 == 1)
        all[name.str ()] = *index[i];
      else
        all[name.str ()] = std::vector<long> (i % 50, i);
    }
  std::regex pattern ("key ([0-9]*)7");
  long matches = std::count_if (all.begin (), all.end (), [&] (const auto &pair) {
    return std::regex_match (pair.first, pattern);
  });
  std::cout << all.size () << ' ' << matches << ' ' << sum<200>::value << '\n';
}
