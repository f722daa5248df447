// The ranks' ONNX files in FP16 or BF16, as `tessera build --fp16` and `--bf16` give them to the builder.
#pragma once

#include <filesystem>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/graph/half.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

struct HalfRanks {
  std::vector<std::filesystem::path> models;      // one a rank
  graph::HalfReport report;                       // of all ranks together
  std::vector<plan::CollectivePlan> collectives;  // the plan's, with the types in which they are carried now
};

// Reads the ranks' ONNX files in `version` and writes them to `directory`, in `type` what is FP32 and bears
// it: see graph::ToHalf. Errors: those of reading, converting and writing, with the rank; kInternal (ranks
// that would carry a collective in different types).
Result<HalfRanks> HalveRanks(const plan::Plan& plan, const std::filesystem::path& version,
                             const std::filesystem::path& directory, DType type);

// The plan's collectives with the types that `model`, a rank's, has for them. Errors: kInvalidArgument (one
// is not in the model, or its type is not known).
Result<std::vector<plan::CollectivePlan>> CarriedBy(const graph::Graph& model, const plan::Plan& plan);

}  // namespace tessera::cli
