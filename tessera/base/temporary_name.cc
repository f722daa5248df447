#include "tessera/base/temporary_name.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <random>

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

}  // namespace tessera
