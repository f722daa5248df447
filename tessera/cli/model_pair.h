// The sharded model and the one it was made from, loaded side by side.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tessera/base/result.h"
#include "tessera/cli/runner.h"
#include "tessera/engine/rank_group.h"

namespace tessera::cli {

struct ModelPair {
  std::unique_ptr<engine::Engine> engine;  // first: the engines outlive what they loaded
  std::unique_ptr<engine::Engine> whole_engine;
  std::unique_ptr<Runner> sharded;
  bool in_place_of_engines = false;  // `sharded` are ONNX files that TensorRT engines are built from
  std::unique_ptr<Runner> whole;     // null when there is no original
  std::map<std::string, int64_t> index_bounds;  // of the original; empty without it
};

// What runs the ranks of a model that was sharded for TensorRT; others have one way.
enum class RanksOn {
  kEngines,      // their TensorRT engines, on GPUs
  kCpu,          // the ONNX files that these are built from, on the CPU
  kWhatIsThere,  // the engines where `tessera build` has made them, else the ONNX files
};

// Loads the model in the version directory `version` and, unless empty, the ONNX file `original`, which must
// be the one that was sharded and runs on the CPU. Errors: kNotFound, kInvalidArgument (another file, damaged
// files), those of the engine.
Result<ModelPair> LoadPair(const std::filesystem::path& version, const std::filesystem::path& original,
                           RanksOn ranks_on);

}  // namespace tessera::cli
