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
  std::unique_ptr<engine::Engine> engine;  // first: it outlives what it loaded
  std::unique_ptr<Runner> sharded;
  std::unique_ptr<Runner> whole;                // null when there is no original
  std::map<std::string, int64_t> index_bounds;  // of the original; empty without it
};

// Loads the model in the version directory `version` and, unless empty, the ONNX file `original`, which must
// be the one that was sharded. Errors: kNotFound, kInvalidArgument (another file, damaged files), those of
// the engine.
Result<ModelPair> LoadPair(const std::filesystem::path& version, const std::filesystem::path& original);

}  // namespace tessera::cli
