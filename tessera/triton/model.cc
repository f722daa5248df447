#include "tessera/triton/model.h"

#include <utility>

#include "tessera/base/log.h"
#include "tessera/base/unfinished.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/triton/config.h"
#include "tessera/triton/error.h"
#include "tessera/triton/message.h"

namespace tessera::triton {
namespace {

Result<std::filesystem::path> Repository(TRITONBACKEND_Model* model) {
  TRITONBACKEND_ArtifactType type = TRITONBACKEND_ARTIFACT_FILESYSTEM;
  const char* location = nullptr;
  TRY(Check(TRITONBACKEND_ModelRepository(model, &type, &location)));
  if (type != TRITONBACKEND_ARTIFACT_FILESYSTEM) {
    return Fail(Code::kUnsupported, "the model's repository is not a directory");
  }
  return std::filesystem::path(location);
}

double Microseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

}  // namespace

Result<std::unique_ptr<Model>> Model::Create(TRITONBACKEND_Model* model, const Backend& backend) {
  const char* name = nullptr;
  uint64_t version = 0;
  TRY(Check(TRITONBACKEND_ModelName(model, &name)));
  TRY(Check(TRITONBACKEND_ModelVersion(model, &version)));
  TRY_ASSIGN(std::filesystem::path repository, Repository(model));
  TRY_ASSIGN(nlohmann::json config, ModelConfig(model));
  TRY_ASSIGN(Settings settings, ReadSettings(config, backend.options));
  for (const std::string& line : settings.without_effect) TESSERA_LOG(kInfo, "model '{}': {}", name, line);
  TRY_ASSIGN(LoadableModel loadable, LoadableModel::Find(repository / std::to_string(version), settings));
  std::unique_ptr<Model> made(
      new Model(name, version, std::move(settings), std::move(loadable), backend.metrics));
  TRY_ASSIGN(LoadedModel loaded, made->Load(made->FirstPlace()));
  TRY(made->Configure(model, std::move(config), *loaded.executor, backend.options));
  TRY(made->MakeCounters());
  MutexLock lock(made->mutex_);
  made->first_ = std::move(loaded);
  return made;
}

Result<void> Model::Configure(TRITONBACKEND_Model* model, nlohmann::json config,
                              const exec::Executor& executor, const CommandLine& options) {
  bool complete = false;
  TRY(Check(TRITONBACKEND_ModelAutoCompleteConfig(model, &complete)));
  if (complete) {
    config = CompleteConfig(std::move(config), executor.plan(), options.default_batch, executor.max_rows());
    TRY(ValidateConfig(config, executor.plan(), executor.max_rows()));
    TRY(SetModelConfig(model, config));
  } else {
    TRY(ValidateConfig(config, executor.plan(), executor.max_rows()));
  }
  TRY_ASSIGN(settings_, ReadSettings(config, options));
  TRY(CheckGraphSpecs(settings_.optimization, settings_.max_batch_size));
  signature_.inputs = executor.inputs();
  signature_.outputs = executor.outputs();
  signature_.batched = settings_.max_batch_size > 0;
  world_size_ = executor.plan().world_size();
  std::string why = WhyNotBatched(executor.plan());
  TESSERA_LOG(kInfo, "model '{}': ranks: {}, inputs: {}, outputs: {}, max_batch_size {}{}", name_,
              executor.plan().world_size(), signature_.inputs.size(), signature_.outputs.size(),
              settings_.max_batch_size,
              signature_.batched || why.empty() ? "" : fmt::format(" (not batched unasked: {})", why));
  return {};
}

CounterFamily::Labels Model::OwnLabels() const {
  return {{"model", name_}, {"version", std::to_string(version_)}};
}

Result<void> Model::MakeCounters() {
  TRY_ASSIGN(steps_, metrics_.steps.Add(OwnLabels()));
  TRY_ASSIGN(failures_, metrics_.failures.Add(OwnLabels()));
  TRY_ASSIGN(down_, metrics_.down.Add(OwnLabels()));
  return {};
}

Result<std::vector<Counter>> Model::MakeRankTimes(const Place& place) const {
  const std::vector<DeviceId> gpus = loadable_.GpusAt(place);
  std::vector<Counter> times;
  for (size_t rank = 0; rank < static_cast<size_t>(world_size_); ++rank) {
    CounterFamily::Labels labels = OwnLabels();
    labels.emplace_back("rank", std::to_string(rank));
    if (!gpus.empty()) {
      TRY_ASSIGN(std::string uuid, engine::GpuUuid(gpus[rank]));
      labels.emplace_back("gpu_uuid", std::move(uuid));
    }
    TRY_ASSIGN(Counter counter, metrics_.rank_time.Add(labels));
    times.push_back(std::move(counter));
  }
  return times;
}

Result<std::vector<Counter>*> Model::RankTimesAt(const Place& place) {
  MutexLock lock(mutex_);
  auto known = rank_times_.find(place.gpu);
  if (known == rank_times_.end()) {
    TRY_ASSIGN(std::vector<Counter> times, MakeRankTimes(place));
    known = rank_times_.emplace(place.gpu, std::move(times)).first;
  }
  return &known->second;
}

Result<LoadedModel> Model::Take(const Place& place) {
  {
    MutexLock lock(mutex_);
    if (first_ && place == FirstPlace()) return *std::exchange(first_, std::nullopt);
  }
  return Load(place);
}

Result<LoadedModel> Model::Load(const Place& place) {
  auto loaded = loadable_.Load(place, [this](bool ready) { down_.Increment(ready ? -1 : 1); });
  ExitDespiteUnfinished();  // loading has begun CUDA, the engine's library, NCCL; this library is linked with
                            // nodelete
  return loaded;
}

void Model::CountStep(const exec::InferReport& report, std::vector<Counter>& rank_times) noexcept {
  steps_.Increment(1);
  const size_t ranks = std::min(rank_times.size(), report.rank_time.size());
  for (size_t r = 0; r < ranks; ++r) rank_times[r].Increment(Microseconds(report.rank_time[r]));
}

void Model::CountFailure() noexcept {
  failures_.Increment(1);
}

}  // namespace tessera::triton
