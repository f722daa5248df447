#include "tessera/base/temporary_name.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>

namespace tessera {

namespace fs = std::filesystem;

fs::path AbsoluteName(const fs::path& path) {
  fs::path absolute = fs::absolute(path).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

fs::path TemporaryBeside(const fs::path& target) {
  // Containers that share a directory may share process numbers, hence the random part.
  static const unsigned int random = std::random_device{}();
  static std::atomic<int> count{0};
  const fs::path named = AbsoluteName(target);
  return named.parent_path() / fmt::format(".{}.{}-{:08x}-{}.tmp", named.filename().string(), ::getpid(),
                                           random, count.fetch_add(1));
}

bool IsTemporaryOf(std::string_view name, std::string_view of) {
  const std::string before = fmt::format(".{}.", of);
  constexpr std::string_view kAfter = ".tmp";
  if (!name.starts_with(before) || !name.ends_with(kAfter)) return false;
  name.remove_prefix(before.size());
  const std::string_view numbers = name.substr(0, name.size() - std::min(name.size(), kAfter.size()));
  return std::count(numbers.begin(), numbers.end(), '-') == 2 &&
         numbers.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

}  // namespace tessera
