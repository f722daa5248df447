// From a model's directory to an executor.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tessera/engine/rank_group.h"
#include "tessera/exec/executor.h"
#include "tessera/triton/settings.h"

namespace tessera::triton {

// A model on disk: which engine runs it, and the executors made for it.
class LoadableModel {
 public:
  // Looks at `directory` (repository/version): plan.json makes a sharded model, else the lone ONNX file that
  // `settings` or custom name. Errors: kNotFound (neither), kUnsupported (TensorRT files in a build without
  // it), kInvalidArgument / kUnsupported (the plan).
  static Result<LoadableModel> Find(const std::filesystem::path& directory, const Settings& settings);

  // Loads all its ranks. Thread-safe; executors share nothing but the engine, which is this object's.
  Result<std::unique_ptr<exec::Executor>> Load() const;

 private:
  LoadableModel(std::filesystem::path directory, std::unique_ptr<engine::Engine> engine,
                exec::Options options)
      : directory_(std::move(directory)), engine_(std::move(engine)), options_(std::move(options)) {}

  std::filesystem::path directory_;
  std::unique_ptr<engine::Engine> engine_;
  exec::Options options_;
};

}  // namespace tessera::triton
