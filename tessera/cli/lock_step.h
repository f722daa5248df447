// The ranks and the whole model side by side, value by value: finds the first that is wrong.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tessera/base/result.h"
#include "tessera/cli/compare.h"
#include "tessera/cli/verify.h"
#include "tessera/engine/rank_group.h"

namespace tessera::cli {

struct LockStepReport {
  struct Wrong {
    std::string node;   // that made it, with its op
    std::string value;  // of the rank graphs
    std::string state;  // in which it holds the model's value: "S(1)"
    std::string of;     // the model's value
    Difference difference;
  };
  size_t compared = 0;
  std::optional<Wrong> first;  // in the order of computation; nullopt: all are right
};

// Runs the model in the version directory `version` (sharded with --trace) and `original` on the same inputs
// with every value as an output, and puts each of the ranks' values together as its state says. `scratch`: an
// empty directory for the models that are made for this, weights included (at most 2 GB a rank). Errors:
// kNotFound (no trace), those of the engine.
Result<LockStepReport> CompareLockStep(const std::filesystem::path& version,
                                       const std::filesystem::path& original, const Inputs& inputs,
                                       double tolerance, engine::Engine& engine,
                                       const std::filesystem::path& scratch);

}  // namespace tessera::cli
