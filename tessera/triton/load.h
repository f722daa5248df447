// From a model's directory to an executor.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tessera/engine/rank_group.h"
#include "tessera/exec/executor.h"
#include "tessera/triton/settings.h"

namespace tessera::triton {

struct LoadedModel {
  std::shared_ptr<engine::Engine> engine;
  std::unique_ptr<exec::Executor> executor;
};

// Where an instance runs, and how.
struct Place {
  std::optional<DeviceId> gpu;  // of KIND_GPU; none: the model says where its ranks run
  std::vector<int> profiles;    // optimization profiles that it may use; empty: all
  bool operator==(const Place&) const = default;
};

// A model on disk: which engine runs it, where its ranks go, and the executors made for it.
class LoadableModel {
 public:
  // Looks at `directory` (repository/version): plan.json makes a sharded model; else TensorRT engines
  // (model.plan, or model.plan.rank0 ..) make a model on the GPUs that `settings` list or on one; else the
  // lone ONNX file that `settings` or custom name. Errors: kUnavailable (none of them), kUnsupported
  // (TensorRT files in a build without it), kInvalidArgument (the plan, or a parameter, named, that does not
  // fit).
  static Result<LoadableModel> Find(const std::filesystem::path& directory, const Settings& settings);

  // The GPU of each rank of an instance at `place`; empty: they are on the CPU.
  std::vector<DeviceId> GpusAt(const Place& place) const;

  // Loads all its ranks for an instance at `place`; `on_ready` as exec::Options has it. Thread-safe. Errors:
  // kUnavailable (a GPU whose memory is in use beyond the limit), those of loading.
  Result<LoadedModel> Load(const Place& place, std::function<void(bool ready)> on_ready) const;

 private:
  LoadableModel(std::filesystem::path directory, const Settings& settings);
  Result<void> FindPlan();
  Result<void> FindFiles();
  Result<void> TakeEngine(std::string name);
  Result<void> CheckPlace(const Place& place) const;
  Result<void> CheckMemory(const Place& place) const;

  std::filesystem::path directory_;
  Settings settings_;
  std::string engine_;
  size_t ranks_ = 1;
  exec::Options options_;
};

}  // namespace tessera::triton
