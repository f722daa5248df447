#include "tessera/triton/load.h"

#include <utility>

#include "tessera/engine/registry/registry.h"
#include "tessera/plan/plan.h"

namespace tessera::triton {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOnnxFile = "model.onnx";
constexpr const char* kTensorRtFile = "model.plan";  // what the server fills in for a backend named tensorrt
constexpr const char* kTensorRt = "tensorrt";

bool Exists(const fs::path& file) {
  std::error_code ignored;  // a file that cannot be looked at is not there for us
  return fs::exists(file, ignored);
}

std::string RankFile(const std::string& file, size_t rank) {
  return fmt::format("{}.rank{}", file, rank);
}

// The server names model.plan whether the user said so or not; anything else is the user's word. Files by
// compute capability are TensorRT's.
std::string OrdinaryModelFile(const fs::path& directory, const Settings& settings) {
  if (!settings.cc_model_files.empty() && settings.model_file.empty()) return kTensorRtFile;
  bool named = (!settings.model_file.empty() && settings.model_file != kTensorRtFile) ||
               !settings.cc_model_files.empty();
  if (named || Exists(directory / kTensorRtFile)) return settings.model_file;
  return kOnnxFile;
}

}  // namespace

LoadableModel::LoadableModel(fs::path directory, const Settings& settings)
    : directory_(std::move(directory)), settings_(settings) {
  options_.step_limit = settings.step_limit;
  options_.load_limit = settings.load_limit;
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
  if (!settings_.cc_model_files.empty()) {
    return Fail(Code::kInvalidArgument, "cc_model_filenames names files, and so does plan.json: wanted one");
  }
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
  file_ = OrdinaryModelFile(directory_, settings_);
  if (settings_.multi_device.value_or(false)) {
    TRY(TakeEngine(kTensorRt));
    return FindRankEngines();
  }
  const bool has_ranks = Exists(directory_ / RankFile(kTensorRtFile, 0));
  if (has_ranks || fs::path(file_).extension() == ".plan" || !settings_.cc_model_files.empty()) {
    TRY(TakeEngine(kTensorRt));
    const DeviceId first = settings_.gpus.empty() ? DeviceId(0) : settings_.gpus.front();
    TRY_ASSIGN(const std::string file, FileOn(settings_.instance_gpu.value_or(first)));
    options_.model_files = {file};
    if (settings_.gpus.size() > 1 || (has_ranks && !Exists(directory_ / file))) {
      return Fail(Code::kInvalidArgument, "{}: wanted parameter enable_multi_device to be true",
                  has_ranks ? "there is a model.plan.rank0" : "multi_device_gpus lists several GPUs");
    }
    return CheckThere(file, "nor a plan.json");
  }
  options_.model_files = {file_};
  TRY(CheckThere(file_, "nor a plan.json"));
  return TakeEngine("openvino");
}

// One engine file for all ranks, or one each.
Result<void> LoadableModel::FindRankEngines() {
  ranks_ = settings_.gpus.size();
  if (ranks_ == 0) {
    return Fail(Code::kInvalidArgument,
                "enable_multi_device is true, wanted the GPUs in multi_device_gpus, such as 0,1");
  }
  TRY_ASSIGN(const std::string first, FileOn(settings_.gpus.front()));
  const bool each = settings_.per_rank_engines.value_or(!Exists(directory_ / first));
  for (size_t rank = 0; rank < ranks_; ++rank) {
    TRY_ASSIGN(const std::string file, FileOn(settings_.gpus[rank]));
    options_.model_files.push_back(each ? RankFile(file, rank) : file);
    TRY(CheckThere(options_.model_files.back(), fmt::format("the engine of rank {} of {}", rank, ranks_)));
  }
  if (!each || !Exists(directory_ / RankFile(first, ranks_))) return {};
  return Fail(Code::kInvalidArgument, "multi_device_gpus lists {} GPUs, but there is a '{}'", ranks_,
              RankFile(first, ranks_));
}

Result<std::string> LoadableModel::FileOn(DeviceId gpu) const {
  if (settings_.cc_model_files.empty()) return file_;
  TRY_ASSIGN(const std::string capability, engine::ComputeCapability(gpu));
  auto found = settings_.cc_model_files.find(capability);
  return found == settings_.cc_model_files.end() ? file_ : found->second;
}

Result<void> LoadableModel::CheckThere(const std::string& file, const std::string& what) const {
  const fs::path path = directory_ / file;
  if (Exists(path)) return {};
  return Fail(Code::kUnavailable, "unable to find '{}' for model instance '{}': {}", path.string(),
              settings_.first_instance, what);
}

Result<void> LoadableModel::CheckInstanceGpu() const {
  if (engine_ != kTensorRt) {
    return Fail(Code::kUnsupported, "configured with KIND_GPU, but '{}' runs on the CPU: use KIND_MODEL",
                engine_);
  }
  if (ranks_ == 1 && settings_.gpus.empty()) return {};
  return Fail(Code::kInvalidArgument,
              "configured with KIND_GPU, a model on the GPUs of multi_device_gpus wants KIND_MODEL");
}

Result<LoadedModel> LoadableModel::Load(std::optional<DeviceId> gpu,
                                        std::function<void(bool ready)> on_ready) const {
  engine::EngineOptions options;
  options.threads_per_rank = settings_.threads_per_rank;
  options.devices = settings_.gpus;
  options.cuda_graphs = settings_.cuda_graphs;
  options.step_limit = settings_.step_limit;
  options.static_contexts = settings_.static_contexts;
  options.least_priority = settings_.optimization.least_priority;
  options.plugins = settings_.plugins;
  options.version_compatible = settings_.version_compatible;
  exec::Options execution = options_;
  execution.on_ready = std::move(on_ready);
  if (gpu) {
    TRY(CheckInstanceGpu());
    options.devices = {*gpu};
    if (!file_.empty()) {
      TRY_ASSIGN(const std::string file, FileOn(*gpu));
      TRY(CheckThere(file, fmt::format("the engine of GPU {}", gpu->value())));
      execution.model_files = {file};
    }
  }
  LoadedModel loaded;
  TRY_ASSIGN(loaded.engine, engine::MakeEngine(engine_, options));
  TRY_ASSIGN(loaded.executor, exec::Executor::Create(directory_, *loaded.engine, execution));
  return loaded;
}

}  // namespace tessera::triton
