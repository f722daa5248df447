#include "tessera/triton/settings.h"

#include <algorithm>
#include <charconv>

#include "tessera/base/deadline.h"
#include "tessera/engine/rank_group.h"
#include "tessera/triton/json_fields.h"
#include "tessera/triton/option_values.h"

namespace tessera::triton {
namespace {

using nlohmann::json;

constexpr int64_t kMostThreads = 1024;

// The group that the model is loaded for first.
json FirstGroup(const json& config) {
  const json groups = config.value("instance_group", json::array());
  for (const json& group : groups) {
    if (group.value("kind", std::string()) == "KIND_GPU") return group;
  }
  return groups.empty() ? json::object() : groups.front();
}

Result<void> ReadFirstInstance(const json& config, Settings& settings) {
  const json group = FirstGroup(config);
  if (group.value("kind", std::string()) == "KIND_GPU") {
    const json gpus = group.value("gpus", json::array());
    settings.instance_gpu = DeviceId(gpus.empty() ? 0 : gpus.front().get<int>());
  }
  TRY_ASSIGN(settings.instance_profiles, ReadProfiles(group.value("profile", std::vector<std::string>())));
  return {};
}

Result<std::vector<int>> ProfilesOfModel(const json& config) {
  std::vector<int> profiles;
  for (const json& group : config.value("instance_group", json::array())) {
    TRY_ASSIGN(const std::vector<int> own, ReadProfiles(group.value("profile", std::vector<std::string>())));
    if (own.empty()) return own;  // this one may use all
    profiles.insert(profiles.end(), own.begin(), own.end());
  }
  return profiles;
}

// The server numbers the instances of a group.
std::string FirstInstance(const json& config) {
  const json group = FirstGroup(config);
  return group.empty() ? config.value("name", std::string()) : group.value("name", std::string()) + "_0";
}

Result<void> CheckGroups(const json& config) {
  for (const json& group : config.value("instance_group", json::array())) {
    if (group.value("passive", false)) {
      return Fail(Code::kUnsupported,
                  "instance_group '{}' is passive, which ends the server with its first request",
                  group.value("name", std::string()));
    }
    if (!Given(group, "secondary_devices")) continue;
    return Fail(Code::kUnsupported, "instance_group '{}' lists secondary_devices (DLA), which is not served",
                group.value("name", std::string()));
  }
  return {};
}

Result<bool> IsStaticStrategy(const std::string& name, const std::string& value) {
  if (value == "STATIC") return true;
  if (value == "ON_PROFILE_CHANGE") return false;
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted STATIC or ON_PROFILE_CHANGE", name, value);
}

Result<engine::ReplicationWay> Way(const std::string& name, const std::string& value) {
  using engine::ReplicationWay;
  if (value == "auto") return ReplicationWay::kAuto;
  if (value == "probe") return ReplicationWay::kProbe;
  if (value == "copies") return ReplicationWay::kCopies;
  if (value == "gather") return ReplicationWay::kGather;
  return Fail(Code::kInvalidArgument, "{} is '{}', wanted auto, probe, copies or gather", name, value);
}

// As good as for ever, and short enough to add to.
constexpr std::chrono::hours kLongest{24 * 365 * 10};

// Of milliseconds.
Result<std::chrono::milliseconds> Limit(const std::string& name, const std::string& value) {
  using std::chrono::milliseconds;
  TRY_ASSIGN(const int64_t limit, PositiveNumber(name, value));
  return std::min(milliseconds(limit), milliseconds(kLongest));
}

Result<void> ReadParameter(const std::string& name, const std::string& value, Settings& settings) {
  if (name == "request_timeout_ms") {
    TRY_ASSIGN(settings.step_limit, Limit(name, value));
  } else if (name == "load_timeout_ms") {
    TRY_ASSIGN(settings.load_limit, Limit(name, value));
  } else if (name == "threads_per_rank") {
    TRY_ASSIGN(int64_t threads, PositiveNumber(name, value));
    if (threads > kMostThreads) {
      return Fail(Code::kInvalidArgument, "threads_per_rank is {}, wanted at most {}", threads, kMostThreads);
    }
    settings.threads_per_rank = static_cast<int>(threads);
  } else if (name == "steps_in_flight") {
    TRY_ASSIGN(int64_t steps, PositiveNumber(name, value));
    if (steps > engine::kMostStepsInFlight) {
      return Fail(Code::kInvalidArgument, "steps_in_flight is {}, wanted at most {}", steps,
                  engine::kMostStepsInFlight);
    }
    settings.steps_in_flight = static_cast<int>(steps);
  } else if (name == "multi_device_gpus") {
    TRY_ASSIGN(settings.gpus, GpuList(name, value));
  } else if (name == "multi_device_per_rank_engines") {
    TRY_ASSIGN(settings.per_rank_engines, Truth(name, value));
  } else if (name == "cuda_graphs") {
    TRY_ASSIGN(settings.cuda_graphs, Truth(name, value));
  } else if (name == "replication") {
    TRY_ASSIGN(settings.replication, Way(name, value));
  } else if (name == "execution_context_allocation_strategy") {
    TRY_ASSIGN(settings.static_contexts, IsStaticStrategy(name, value));
  } else if (name == "probe") {
    TRY_ASSIGN(settings.probe, Truth(name, value));
  }
  return {};  // others are the engine's or of other tools
}

// Where enable_multi_device is false NVIDIA's backend does not look at the parameters that go with it.
void DropMultiDevice(json& parameters, Settings& settings) {
  for (const char* name : {"multi_device_gpus", "multi_device_per_rank_engines"}) {
    if (parameters.erase(name) == 0) continue;
    settings.without_effect.push_back(
        fmt::format("parameter {} has no effect: enable_multi_device is false", name));
  }
}

Result<void> ReadParameters(json parameters, Settings& settings) {
  constexpr const char* kSwitch = "enable_multi_device";
  if (parameters.contains(kSwitch)) {
    TRY_ASSIGN(settings.multi_device,
               Truth(kSwitch, parameters[kSwitch].value("string_value", std::string())));
    if (!*settings.multi_device) DropMultiDevice(parameters, settings);
    parameters.erase(kSwitch);
  }
  for (const auto& [name, parameter] : parameters.items()) {
    TRY(ReadParameter(name, parameter.value("string_value", std::string()), settings));
  }
  return {};
}

}  // namespace

Result<std::vector<int>> ReadProfiles(const std::vector<std::string>& names) {
  std::vector<int> profiles;
  for (const std::string& name : names) {
    int profile = -1;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), profile);
    if (error != std::errc() || stop != name.data() + name.size() || profile < 0) {
      return Fail(Code::kInvalidArgument,
                  "instance_group.profile is '{}', wanted the number of an optimization profile", name);
    }
    profiles.push_back(profile);
  }
  return profiles;
}

Result<Settings> ReadSettings(const json& config, const CommandLine& options) {
  Settings settings;
  settings.plugins = options.plugins;
  settings.version_compatible = options.version_compatible;
  settings.spare_connections = options.spare_connections;
  settings.map_plans = options.map_plans;
  settings.memory_limits = options.memory_limits;
  settings.max_batch_size = config.value("max_batch_size", int64_t{0});
  TRY(ReadFirstInstance(config, settings));
  TRY_ASSIGN(settings.model_profiles, ProfilesOfModel(config));
  settings.first_instance = FirstInstance(config);
  TRY(CheckGroups(config));
  settings.model_file = config.value("default_model_filename", std::string());
  settings.cc_model_files = config.value("cc_model_filenames", std::map<std::string, std::string>());
  settings.optimization = ReadOptimization(config);
  settings.without_effect = OptimizationWithoutEffect(config);
  settings.cuda_graphs = settings.optimization.cuda_graphs.value_or(true);
  TRY(ReadParameters(config.value("parameters", json::object()), settings));
  return settings;
}

}  // namespace tessera::triton
