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

// The server names model.plan whether the user said so or not; anything else is the user's word.
std::string OrdinaryModelFile(const fs::path& directory, const Settings& settings) {
  bool named = !settings.model_file.empty() && settings.model_file != kTensorRtFile;
  if (named || Exists(directory / kTensorRtFile)) return settings.model_file;
  return kOnnxFile;
}

}  // namespace

LoadableModel::LoadableModel(fs::path directory, const Settings& settings)
    : directory_(std::move(directory)), settings_(settings) {
  options_.step_limit = settings.step_limit;
  options_.load_limit = settings.load_limit;
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
  const std::string file = OrdinaryModelFile(directory_, settings_);
  options_.model_files = {file};
  if (settings_.multi_device.value_or(false)) {
    TRY(TakeEngine(kTensorRt));
    return FindRankEngines();
  }
  const bool has_ranks = Exists(directory_ / RankFile(kTensorRtFile, 0));
  if (has_ranks || fs::path(file).extension() == ".plan") {
    TRY(TakeEngine(kTensorRt));
    if (settings_.gpus.size() > 1 || (has_ranks && !Exists(directory_ / file))) {
      return Fail(Code::kInvalidArgument, "{}: wanted parameter enable_multi_device to be true",
                  has_ranks ? "there is a model.plan.rank0" : "multi_device_gpus lists several GPUs");
    }
  }
  if (!Exists(directory_ / file)) {
    return Fail(Code::kNotFound, "unable to find '{}' or '{}'", (directory_ / plan::kPlanFile).string(),
                (directory_ / file).string());
  }
  return engine_.empty() ? TakeEngine("openvino") : Result<void>();
}

// One engine file for all ranks, or one each.
Result<void> LoadableModel::FindRankEngines() {
  const std::string file = settings_.model_file.empty() ? kTensorRtFile : settings_.model_file;
  ranks_ = settings_.gpus.size();
  if (ranks_ == 0) {
    return Fail(Code::kInvalidArgument,
                "enable_multi_device is true, wanted the GPUs in multi_device_gpus, such as 0,1");
  }
  const bool each = settings_.per_rank_engines.value_or(!Exists(directory_ / file));
  options_.model_files.clear();
  for (size_t rank = 0; rank < ranks_; ++rank) {
    options_.model_files.push_back(each ? RankFile(file, rank) : file);
    const fs::path path = directory_ / options_.model_files.back();
    if (!Exists(path)) {
      return Fail(Code::kNotFound, "unable to find '{}', the engine of rank {} of {}", path.string(), rank,
                  ranks_);
    }
  }
  if (!each || !Exists(directory_ / RankFile(file, ranks_))) return {};
  return Fail(Code::kInvalidArgument, "multi_device_gpus lists {} GPUs, but there is a '{}'", ranks_,
              RankFile(file, ranks_));
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
  engine::EngineOptions options{settings_.threads_per_rank, settings_.gpus, settings_.cuda_graphs,
                                settings_.step_limit};
  if (gpu) {
    TRY(CheckInstanceGpu());
    options.devices = {*gpu};
  }
  exec::Options execution = options_;
  execution.on_ready = std::move(on_ready);
  LoadedModel loaded;
  TRY_ASSIGN(loaded.engine, engine::MakeEngine(engine_, options));
  TRY_ASSIGN(loaded.executor, exec::Executor::Create(directory_, *loaded.engine, execution));
  return loaded;
}

}  // namespace tessera::triton
