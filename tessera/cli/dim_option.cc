#include "tessera/cli/dim_option.h"

#include <charconv>

namespace tessera::cli {

Result<std::map<std::string, int64_t>> ParseDims(const std::vector<std::string>& texts) {
  std::map<std::string, int64_t> dims;
  for (const std::string& text : texts) {
    const size_t equals = text.rfind('=');
    int64_t size = 0;
    bool good = equals != std::string::npos && equals > 0;
    if (good) {
      const char* end = text.data() + text.size();
      auto [stop, error] = std::from_chars(text.data() + equals + 1, end, size);
      good = error == std::errc() && stop == end && size > 0;
    }
    if (!good) return Fail(Code::kInvalidArgument, "--dim '{}': wanted NAME=SIZE with a positive size", text);
    dims.insert_or_assign(text.substr(0, equals), size);
  }
  return dims;
}

}  // namespace tessera::cli
