// `tessera build`: from a sharded model's ONNX files to its engines and what plan.json says of them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/build_options.h"
#include "tessera/cli/half_ranks.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

struct BuiltModel {
  plan::Plan plan;                // that stands in `version` now
  std::filesystem::path version;  // directory
  std::optional<HalfRanks> half;  // where FP32 did not stay
  bool layers_listed = false;     // the library lists an engine's layers: collectives were counted in them
  double seconds = 0;
  std::vector<std::string> warnings;  // lines: what was asked for and not done, and why
};

// Builds the engine of every rank and records what it did in plan.json; a model that was built before is
// built again from its ONNX files. On an error the model stays as it was, unless putting the finished files
// in place fails: then as PutInPlace leaves it. Errors: kInvalidArgument (the options, or a model that is
// sharded for another engine, or whose files are not those of its plan), kInternal (an engine holds other
// collectives than the plan's), and those of the builder.
Result<BuiltModel> BuildModel(const BuildOptions& options);

}  // namespace tessera::cli
