#include "tessera/triton/command_line.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "tessera/triton/option_values.h"

namespace tessera::triton {
namespace {

// The server adds these to every backend's.
constexpr std::array<std::string_view, 4> kServerKeys = {"auto-complete-config", "backend-directory",
                                                         "min-compute-capability", "default-max-batch-size"};

constexpr std::string_view kMemoryLimit = "model-load-gpu-limit-device-";

Result<void> CheckPolicy(const std::string& policy) {
  if (policy == "BLOCKING" || policy == "DEVICE_BLOCKING") return {};
  return Fail(Code::kInvalidArgument, "execution-policy is '{}', wanted DEVICE_BLOCKING or BLOCKING", policy);
}

// The server has checked that it is a number and a part of 1.
Result<void> ReadMemoryLimit(const std::string& key, const std::string& value, CommandLine& line) {
  TRY_ASSIGN(const std::vector<DeviceId> gpu, GpuList(key, key.substr(kMemoryLimit.size())));
  char* end = nullptr;
  line.memory_limits[gpu.front().value()] = std::strtod(value.c_str(), &end);
  if (!value.empty() && *end == '\0') return {};
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted a number", key, value);
}

Result<void> ReadOption(const std::string& key, const std::string& value, CommandLine& line) {
  auto no_effect = [&](const char* why) {
    line.without_effect.push_back(fmt::format("--backend-config=tensorrt,{} has no effect: {}", key, why));
  };
  if (key == "default-max-batch") {
    TRY_ASSIGN(line.default_batch, PositiveNumber(key, value));
  } else if (key == "plugins") {
    line.plugins = SplitList(value);
  } else if (key == "version-compatible") {
    TRY_ASSIGN(line.version_compatible, Truth(key, value));
  } else if (key == "multi-device-connect") {
    for (const std::string& list : SplitList(value)) {
      TRY_ASSIGN(std::vector<DeviceId> gpus, GpuList(key, list));
      line.connect.push_back(std::move(gpus));
    }
  } else if (key == "multi-device-spare") {
    TRY_ASSIGN(line.spare_connections, Truth(key, value));
  } else if (key == "map-plans") {
    TRY_ASSIGN(line.map_plans, Truth(key, value));
  } else if (key.starts_with(kMemoryLimit)) {
    TRY(ReadMemoryLimit(key, value, line));
  } else if (key == "coalesce-request-input") {
    TRY_ASSIGN(const bool wanted, Truth(key, value));
    if (wanted) no_effect("the inputs of several requests are always copied together");
  } else if (key == "execution-policy") {
    TRY(CheckPolicy(value));
    if (value == "DEVICE_BLOCKING") no_effect("each instance has a thread, steps on a GPU take turns");
  } else if (std::find(kServerKeys.begin(), kServerKeys.end(), key) == kServerKeys.end()) {
    no_effect("the backend knows no such key");
  }
  return {};
}

}  // namespace

Result<CommandLine> ReadCommandLine(const nlohmann::json& options) {
  CommandLine line;
  for (const auto& [key, value] : options.items()) {
    TRY(ReadOption(key, value.is_string() ? value.get<std::string>() : value.dump(), line));
  }
  return line;
}

}  // namespace tessera::triton
