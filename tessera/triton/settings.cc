#include "tessera/triton/settings.h"

#include <charconv>

namespace tessera::triton {
namespace {

using nlohmann::json;

constexpr int64_t kMostThreads = 1024;

Result<bool> Truth(const std::string& name, const std::string& text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted true or false", name, text);
}

Result<void> ReadParameter(const std::string& name, const std::string& value, Settings& settings) {
  if (name == "request_timeout_ms") {
    TRY_ASSIGN(int64_t limit, PositiveNumber(name, value));
    settings.step_limit = std::chrono::milliseconds(limit);
  } else if (name == "threads_per_rank") {
    TRY_ASSIGN(int64_t threads, PositiveNumber(name, value));
    if (threads > kMostThreads) {
      return Fail(Code::kInvalidArgument, "threads_per_rank is {}, wanted at most {}", threads, kMostThreads);
    }
    settings.threads_per_rank = static_cast<int>(threads);
  } else if (name == "enable_multi_device") {
    TRY_ASSIGN(settings.multi_device, Truth(name, value));
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
  settings.model_file = config.value("default_model_filename", std::string());
  const json parameters = config.value("parameters", json::object());
  for (const auto& [name, parameter] : parameters.items()) {
    TRY(ReadParameter(name, parameter.value("string_value", std::string()), settings));
  }
  return settings;
}

}  // namespace tessera::triton
