#include "tessera/triton/load.h"

#include <utility>

#include "tessera/engine/registry/registry.h"
#include "tessera/plan/plan.h"
#include "tessera/triton/model_files.h"

namespace tessera::triton {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTensorRt = "tensorrt";

bool Exists(const fs::path& file) {
  std::error_code ignored;  // a file that cannot be looked at is not there for us
  return fs::exists(file, ignored);
}

}  // namespace

LoadableModel::LoadableModel(fs::path directory, const Settings& settings)
    : directory_(std::move(directory)), settings_(settings) {
  options_.step_limit = settings.step_limit;
  options_.load_limit = settings.load_limit;
  options_.probe = settings.probe;
  options_.model_files.clear();
}

Result<LoadableModel> LoadableModel::Find(const fs::path& directory, const Settings& settings) {
  LoadableModel model(directory, settings);
  TRY(Exists(directory / plan::kPlanFile) ? model.FindPlan() : model.FindFiles());
  return model;
}

// An engine that this build lacks is found out before anything else is said about its model.
Result<void> LoadableModel::TakeEngine(std::string name) {
  engine_ = std::move(name);
  TRY(engine::MakeEngine(engine_));
  return {};
}

Result<void> LoadableModel::FindPlan() {
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(directory_));
  TRY(TakeEngine(plan.engine));
  ranks_ = plan.ranks.size();
  if (settings_.multi_device == false && ranks_ > 1) {
    return Fail(Code::kInvalidArgument, "enable_multi_device is false, plan.json has {} ranks", ranks_);
  }
  TRY(CheckPlanNamesFiles(settings_));
  if (settings_.gpus.empty()) return {};
  if (engine_ != kTensorRt) {
    return Fail(Code::kInvalidArgument,
                "multi_device_gpus lists GPUs, plan.json is for '{}', which runs on the CPU", engine_);
  }
  if (settings_.gpus.size() == ranks_) return {};
  return Fail(Code::kInvalidArgument, "multi_device_gpus lists {} GPUs, plan.json has {} ranks",
              settings_.gpus.size(), ranks_);
}

Result<void> LoadableModel::FindFiles() {
  TRY(TakeEngine(EngineOfFiles(directory_, settings_)));
  TRY_ASSIGN(options_.model_files,
             FilesOfRanks(directory_, settings_, settings_.instance_gpu, engine::ComputeCapability));
  ranks_ = options_.model_files.size();
  return {};
}

Result<void> LoadableModel::CheckPlace(const Place& place) const {
  if (!place.profiles.empty() && engine_ != kTensorRt) {
    return Fail(Code::kInvalidArgument, "instance_group lists profiles, '{}' has none", engine_);
  }
  if (!place.gpu) return {};
  if (engine_ != kTensorRt) {
    return Fail(Code::kUnsupported, "configured with KIND_GPU, but '{}' runs on the CPU: use KIND_MODEL",
                engine_);
  }
  if (ranks_ == 1 && settings_.gpus.empty()) return {};
  return Fail(Code::kInvalidArgument,
              "configured with KIND_GPU, a model on the GPUs of multi_device_gpus wants KIND_MODEL");
}

std::vector<DeviceId> LoadableModel::GpusAt(const Place& place) const {
  if (engine_ != kTensorRt) return {};
  if (place.gpu) return {*place.gpu};
  std::vector<DeviceId> gpus = settings_.gpus;
  for (size_t rank = gpus.size(); rank < ranks_; ++rank) gpus.push_back(DeviceId(static_cast<int>(rank)));
  return gpus;
}

Result<void> LoadableModel::CheckMemory(const Place& place) const {
  for (const DeviceId gpu : GpusAt(place)) {
    const auto limit = settings_.memory_limits.find(gpu.value());
    if (limit == settings_.memory_limits.end()) continue;
    TRY_ASSIGN(const double used, engine::GpuMemoryInUse(gpu));
    if (used <= limit->second) continue;
    return Fail(Code::kUnavailable,
                "{:.0f} % of GPU {}'s memory is in use, --model-load-gpu-limit loads nothing beyond {:.0f} %",
                used * 100, gpu.value(), limit->second * 100);
  }
  return {};
}

Result<LoadedModel> LoadableModel::Load(const Place& place, std::function<void(bool ready)> on_ready) const {
  TRY(CheckPlace(place));
  TRY(CheckMemory(place));
  engine::EngineOptions options;
  options.threads_per_rank = settings_.threads_per_rank;
  options.devices = settings_.gpus;
  options.cuda_graphs = settings_.cuda_graphs;
  options.step_limit = settings_.step_limit;
  options.replication = settings_.replication;
  options.profiles = place.profiles;
  options.model_profiles = settings_.model_profiles;
  options.steps_in_flight = settings_.steps_in_flight;
  options.static_contexts = settings_.static_contexts;
  options.least_priority = settings_.optimization.least_priority;
  options.plugins = settings_.plugins;
  options.version_compatible = settings_.version_compatible;
  options.spare_connections = settings_.spare_connections;
  options.map_plans = settings_.map_plans;
  exec::Options execution = options_;
  execution.on_ready = std::move(on_ready);
  if (place.gpu) {
    options.devices = {*place.gpu};
    if (!execution.model_files.empty()) {
      TRY_ASSIGN(execution.model_files,
                 FilesOfRanks(directory_, settings_, place.gpu, engine::ComputeCapability));
    }
  }
  LoadedModel loaded;
  TRY_ASSIGN(loaded.engine, engine::MakeEngine(engine_, options));
  TRY_ASSIGN(loaded.executor, exec::Executor::Create(directory_, loaded.engine, execution));
  return loaded;
}

}  // namespace tessera::triton
