// The plan: all that the compiler tells the runtime. plan.json next to the rank files, versioned.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/collective.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/base/types.h"

namespace tessera::plan {

inline constexpr int kPlanVersion = 1;
inline constexpr const char* kPlanFile = "plan.json";

// A named axis of the mesh of ranks: tp (tensor), cp (context), dp (data), ep (expert). Rank 0 is the origin; the last
// axis varies fastest.
struct MeshAxis {
  std::string name;
  int size = 1;
};

// A file of the plan, relative to plan.json.
struct Artifact {
  std::string file;
  ByteCount bytes{0};
  std::string sha256;  // 64 hex digits
};

struct RankPlan {
  Artifact model;                // what the engine opens: model.onnx.rank0
  std::vector<Artifact> weights; // external data that `model` refers to; a file may serve several ranks
  ByteCount weight_bytes{0};     // initializers that this rank holds, shared ones included
};

// How a model input reaches the ranks, or an output leaves them.
struct Layout {
  enum class Kind {
    kReplicated,  // input: the whole on every rank; output: equal on all, taken from rank 0
    kSplit,       // rank r has the r-th of equal contiguous parts along `axis`
    kRank,        // only `rank` has it
  };
  Kind kind = Kind::kReplicated;
  int axis = 0;
  Rank rank{0};
};

// A model input or output: global shape and its layout over the ranks.
struct TensorPlan {
  TensorSpec spec;
  std::vector<std::string> dim_names;  // the symbol of each dynamic dimension ("batch"), else ""; spec.shape's length
  Layout layout;
};

// One collective of every rank's graph, in the order of issue.
struct CollectivePlan {
  std::string name;   // the DistCollective node's
  CollectiveOp op = CollectiveOp::kAllReduce;
  ReduceOp reduce = ReduceOp::kNone;
  std::string axis;   // of the mesh
  DType type = DType::kFloat32;
  Shape shape;        // what a rank sends; kDynamic where free
  ByteCount bytes{0}; // that a rank sends, at the nominal sizes of the dynamic dimensions
};

struct Plan {
  std::string model_name;
  std::string source_sha256;  // of the ONNX file that was sharded
  std::string strategy;       // "tensor", "single", ...
  std::string engine;         // "openvino" or "tensorrt"
  std::vector<MeshAxis> mesh; // product of sizes = ranks.size()
  std::vector<RankPlan> ranks;
  std::vector<TensorPlan> inputs;
  std::vector<TensorPlan> outputs;
  std::vector<CollectivePlan> collectives;
  double predicted_us = 0;    // of one step at nominal sizes; 0 = not predicted

  int world_size() const { return static_cast<int>(ranks.size()); }
};

// Checks what a reader relies on: ranks and mesh agree, axes exist, file names stay inside the directory, ...
Result<void> Validate(const Plan& plan);

// Reads `directory`/plan.json. Errors name the file and what was got and wanted: kNotFound, kInvalidArgument (not
// JSON, a missing or wrong field), kUnsupported (a version newer than kPlanVersion).
Result<Plan> ReadPlan(const std::filesystem::path& directory);

// Writes `directory`/plan.json atomically (a temporary file beside it, then rename).
Result<void> WritePlan(const Plan& plan, const std::filesystem::path& directory);

// The same as text, as plan.json has it.
std::string ToJson(const Plan& plan);
Result<Plan> FromJson(std::string_view text);

// Compares size and sha256 of every artifact with the plan. Reads them all once: about 1 s per GB.
// Errors: kNotFound (missing), kInvalidArgument (differs) with a line naming the file, the got and the wanted.
Result<void> VerifyArtifacts(const Plan& plan, const std::filesystem::path& directory);

}  // namespace tessera::plan
