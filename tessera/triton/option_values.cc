#include "tessera/triton/option_values.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "tessera/base/shared_gpus.h"

namespace tessera::triton {
namespace {

std::string Trimmed(const std::string& text) {
  constexpr const char* kBlank = " \t";
  const size_t first = text.find_first_not_of(kBlank);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

tl::unexpected<Error> NoGpuList(const std::string& name, const std::string& list) {
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted GPU numbers with commas between them: 0,1", name,
              list);
}

Result<DeviceId> GpuNumber(const std::string& name, const std::string& list, const std::string& number) {
  int gpu = -1;
  const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), gpu);
  if (error == std::errc() && gpu >= 0 && stop == number.data() + number.size()) return DeviceId(gpu);
  return NoGpuList(name, list);
}

}  // namespace

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

Result<std::vector<DeviceId>> GpuList(const std::string& name, const std::string& list) {
  std::vector<DeviceId> gpus;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    const std::string number = Trimmed(list.substr(at, end - at));
    at = end + 1;
    if (number.empty()) continue;
    TRY_ASSIGN(const DeviceId gpu, GpuNumber(name, list, number));
    if (std::find(gpus.begin(), gpus.end(), gpu) != gpus.end() && !RanksMayShareGpus()) {
      return Fail(Code::kInvalidArgument, "{} is '{}': GPU {} stands there twice, each rank wants its own",
                  name, list, gpu.value());
    }
    gpus.push_back(gpu);
  }
  if (gpus.empty()) return NoGpuList(name, list);
  return gpus;
}

std::vector<std::string> SplitList(const std::string& list) {
  std::vector<std::string> entries;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(';', at), list.size());
    if (end > at) entries.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return entries;
}

}  // namespace tessera::triton
