#include "tessera/triton/option_values.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tessera::triton {

Result<bool> Truth(const std::string& name, const std::string& text) {
  std::string lower = text;
  std::transform(text.begin(), text.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "true" || lower == "1") return true;
  if (lower == "false" || lower == "0") return false;
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted true or false", name, text);
}

Result<int64_t> PositiveNumber(const std::string& name, const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
    return Fail(Code::kInvalidArgument, "{} is '{}', wanted a positive whole number", name, text);
  }
  return value;
}

}  // namespace tessera::triton
