#include "tessera/triton/settings.h"

#include <algorithm>
#include <charconv>

#include "tessera/base/shared_gpus.h"

namespace tessera::triton {
namespace {

using nlohmann::json;

constexpr int64_t kMostThreads = 1024;

Result<bool> Truth(const std::string& name, const std::string& text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted true or false", name, text);
}

// A comma behind each number but the last.
Result<std::vector<DeviceId>> GpuList(const std::string& name, const std::string& text) {
  std::vector<DeviceId> gpus;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data();; ++at) {
    int gpu = -1;
    const auto [stop, error] = std::from_chars(at, end, gpu);
    if (error != std::errc() || gpu < 0 || (stop != end && *stop != ',')) {
      return Fail(Code::kInvalidArgument, "{} is '{}', wanted GPU numbers with commas between them: 0,1",
                  name, text);
    }
    if (std::find(gpus.begin(), gpus.end(), DeviceId(gpu)) != gpus.end() && !RanksMayShareGpus()) {
      return Fail(Code::kInvalidArgument, "{} is '{}': GPU {} stands there twice, each rank wants its own",
                  name, text, gpu);
    }
    gpus.emplace_back(gpu);
    if (stop == end) return gpus;
    at = stop;
  }
}

std::optional<DeviceId> FirstInstanceGpu(const json& config) {
  for (const json& group : config.value("instance_group", json::array())) {
    if (group.value("kind", std::string()) != "KIND_GPU") continue;
    const json gpus = group.value("gpus", json::array());
    return DeviceId(gpus.empty() ? 0 : gpus.front().get<int>());
  }
  return std::nullopt;
}

Result<void> ReadParameter(const std::string& name, const std::string& value, Settings& settings) {
  if (name == "request_timeout_ms") {
    TRY_ASSIGN(int64_t limit, PositiveNumber(name, value));
    settings.step_limit = std::chrono::milliseconds(limit);
  } else if (name == "load_timeout_ms") {
    TRY_ASSIGN(int64_t limit, PositiveNumber(name, value));
    settings.load_limit = std::chrono::milliseconds(limit);
  } else if (name == "threads_per_rank") {
    TRY_ASSIGN(int64_t threads, PositiveNumber(name, value));
    if (threads > kMostThreads) {
      return Fail(Code::kInvalidArgument, "threads_per_rank is {}, wanted at most {}", threads, kMostThreads);
    }
    settings.threads_per_rank = static_cast<int>(threads);
  } else if (name == "enable_multi_device") {
    TRY_ASSIGN(settings.multi_device, Truth(name, value));
  } else if (name == "multi_device_gpus") {
    TRY_ASSIGN(settings.gpus, GpuList(name, value));
  } else if (name == "multi_device_per_rank_engines") {
    TRY_ASSIGN(settings.per_rank_engines, Truth(name, value));
  } else if (name == "cuda_graphs") {
    TRY_ASSIGN(settings.cuda_graphs, Truth(name, value));
  }
  return {};  // others are the engine's or of other tools
}

}  // namespace

Result<int64_t> PositiveNumber(const std::string& name, const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
    return Fail(Code::kInvalidArgument, "{} is '{}', wanted a positive whole number", name, text);
  }
  return value;
}

Result<Settings> ReadSettings(const json& config) {
  Settings settings;
  settings.max_batch_size = config.value("max_batch_size", int64_t{0});
  settings.instance_gpu = FirstInstanceGpu(config);
  settings.model_file = config.value("default_model_filename", std::string());
  const json parameters = config.value("parameters", json::object());
  for (const auto& [name, parameter] : parameters.items()) {
    TRY(ReadParameter(name, parameter.value("string_value", std::string()), settings));
  }
  return settings;
}

}  // namespace tessera::triton
