#include "tessera/triton/load.h"

#include "tessera/engine/registry/registry.h"
#include "tessera/plan/plan.h"

namespace tessera::triton {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOnnxFile = "model.onnx";
constexpr const char* kTensorRtFile = "model.plan";  // what the server fills in for a backend named tensorrt
constexpr const char* kFirstTensorRtRank = "model.plan.rank0";

bool Exists(const fs::path& file) {
  std::error_code ignored;  // a file that cannot be looked at is not there for us
  return fs::exists(file, ignored);
}

// The server names model.plan whether the user said so or not; anything else is the user's word.
std::string OrdinaryModelFile(const fs::path& directory, const Settings& settings) {
  bool named = !settings.model_file.empty() && settings.model_file != kTensorRtFile;
  if (named || Exists(directory / kTensorRtFile)) return settings.model_file;
  return kOnnxFile;
}

Result<std::string> EngineOfOrdinaryModel(const fs::path& directory, const std::string& file,
                                          const Settings& settings) {
  bool ranks = Exists(directory / kFirstTensorRtRank);
  if (ranks || settings.multi_device || fs::path(file).extension() == ".plan") return std::string("tensorrt");
  if (Exists(directory / file)) return std::string("openvino");
  return Fail(Code::kNotFound, "unable to find '{}' or '{}'", (directory / plan::kPlanFile).string(),
              (directory / file).string());
}

}  // namespace

Result<LoadableModel> LoadableModel::Find(const fs::path& directory, const Settings& settings) {
  exec::Options options;
  options.step_limit = settings.step_limit;
  std::string engine_name;
  if (Exists(directory / plan::kPlanFile)) {
    TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(directory));
    engine_name = plan.engine;
  } else {
    options.model_file = OrdinaryModelFile(directory, settings);
    TRY_ASSIGN(engine_name, EngineOfOrdinaryModel(directory, options.model_file, settings));
  }
  TRY_ASSIGN(std::unique_ptr<engine::Engine> engine,
             engine::MakeEngine(engine_name, {settings.threads_per_rank}));
  return LoadableModel(directory, std::move(engine), std::move(options));
}

Result<std::unique_ptr<exec::Executor>> LoadableModel::Load() const {
  return exec::Executor::Create(directory_, *engine_, options_);
}

}  // namespace tessera::triton
