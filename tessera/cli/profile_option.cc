#include "tessera/cli/profile_option.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <vector>

namespace tessera::cli {
namespace {

std::vector<std::string> Parts(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::optional<int64_t> Size(const std::string& text) {
  int64_t size = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, size);
  if (error != std::errc() || stop != end || size < 1) return std::nullopt;
  return size;
}

// "1:8:64" or "128".
std::optional<build::SizeRange> Range(const std::string& text) {
  std::vector<int64_t> sizes;
  for (const std::string& part : Parts(text, ':')) {
    const auto size = Size(part);
    if (!size) return std::nullopt;
    sizes.push_back(*size);
  }
  if (sizes.size() == 1) return build::SizeRange{sizes[0], sizes[0], sizes[0]};
  if (sizes.size() != 3 || sizes[0] > sizes[1] || sizes[1] > sizes[2]) return std::nullopt;
  return build::SizeRange{sizes[0], sizes[1], sizes[2]};
}

}  // namespace

Result<build::SizesByDim> ParseProfile(const std::string& text) {
  build::SizesByDim dims;
  for (const std::string& part : Parts(text, ',')) {
    const size_t equals = part.rfind('=');
    const auto range = equals == part.npos || equals == 0 ? std::nullopt : Range(part.substr(equals + 1));
    if (!range) {
      return Fail(Code::kInvalidArgument,
                  "--profile '{}': '{}' is not NAME=MIN:OPT:MAX with 1 <= MIN <= OPT <= MAX", text, part);
    }
    if (!dims.emplace(part.substr(0, equals), *range).second)
      return Fail(Code::kInvalidArgument, "--profile '{}' has '{}' twice", text, part.substr(0, equals));
  }
  if (dims.empty()) return Fail(Code::kInvalidArgument, "--profile '{}' names no dimension", text);
  return dims;
}

}  // namespace tessera::cli
