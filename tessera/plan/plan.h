// The plan: all that the compiler tells the runtime. plan.json next to the rank files, versioned.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/collective.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/base/types.h"

namespace tessera::plan {

inline constexpr int kPlanVersion = 2;  // 2: TensorPlan::index_bound, Plan::probe
inline constexpr const char* kPlanFile = "plan.json";

// A named axis of the mesh of ranks: tp (tensor), cp (context), dp (data), ep (expert). Rank 0 is the origin;
// the last axis varies fastest.
struct MeshAxis {
  std::string name;
  int size = 1;
  bool operator==(const MeshAxis&) const = default;
};

// A file of the plan, relative to plan.json.
struct Artifact {
  std::string file;
  ByteCount bytes{0};
  std::string sha256;  // 64 hex digits
  bool operator==(const Artifact&) const = default;
};

struct RankPlan {
  Artifact model;                 // what the engine opens: model.onnx.rank0
  std::vector<Artifact> weights;  // external data that `model` refers to; a file may serve several ranks
  ByteCount weight_bytes{0};      // initializers that this rank holds, shared ones included
  bool operator==(const RankPlan&) const = default;
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
  bool operator==(const Layout&) const = default;
};

// A model input or output: global shape and its layout over the ranks.
struct TensorPlan {
  TensorSpec spec;
  std::vector<std::string> dim_names;  // one a dimension: the symbol of a dynamic one ("batch"), else ""
  Layout layout;
  // Inputs only: one a dimension, of which a request's size must be a multiple (a cut inside the graph
  // relies on it); empty = any size will do.
  std::vector<int64_t> multiples{};
  // Inputs only: its values index tables, the shortest of which has this many entries; 0 = not known to.
  int64_t index_bound = 0;
  bool operator==(const TensorPlan&) const = default;
};

// One collective of every rank's graph, in the order of issue.
struct CollectivePlan {
  std::string name;  // the DistCollective node's
  CollectiveOp op = CollectiveOp::kAllReduce;
  ReduceOp reduce = ReduceOp::kNone;
  std::string axis;  // of the mesh
  DType type = DType::kFloat32;
  Shape shape;         // what a rank sends; kDynamic where free
  ByteCount bytes{0};  // that a rank sends, at the nominal sizes of the dynamic dimensions
  bool operator==(const CollectivePlan&) const = default;
};

// The sizes of one input that an engine takes: global ones, each dimension between `least` and `most`.
struct InputRange {
  std::string input;
  Shape least;
  Shape usual;  // that the engine is made fastest for
  Shape most;
  bool operator==(const InputRange&) const = default;
};
using Profile = std::vector<InputRange>;  // every input with free dimensions

// The ONNX files that a rank's engine was built from.
struct RankSource {
  Artifact model;
  std::vector<Artifact> weights;
  bool operator==(const RankSource&) const = default;
};

// How the ranks' ONNX files became engines: written by `tessera build`.
struct Build {
  std::string library;                            // "tensorrt" or "tensorrt_rtx"
  std::string version;                            // "1.7.1"
  std::vector<std::string> compute_capabilities;  // of the GPUs that it is for: "8.0"
  bool tf32 = true;                               // FP32 products may be computed in TF32
  std::vector<Profile> profiles;                  // at least one, unless no input has a free dimension
  std::vector<RankSource> sources;                // one a rank
  DType half =
      DType::kUndefined;  // FP16 or BF16: what the ranks' FP32 became, what collectives carry as well
  bool operator==(const Build&) const = default;
};

// A request and its answer, which are compared with the ranks' when they are loaded (see probe_file.h).
struct Probe {
  Artifact file;
  std::string reference;       // who answered: "model" = the one that was sharded, "ranks" = ranks on a CPU
  std::vector<Shape> inputs;   // global, in the order of Plan::inputs
  std::vector<Shape> outputs;  // global, in the order of Plan::outputs
  std::vector<double> tolerances;  // one an output: largest difference over largest value; integers: share
  bool operator==(const Probe&) const = default;
};

struct Plan {
  std::string model_name;
  std::string source_sha256;   // of the ONNX file that was sharded
  std::string strategy;        // "tensor", "single", ...
  std::string engine;          // "openvino" or "tensorrt"
  std::vector<MeshAxis> mesh;  // product of sizes = ranks.size()
  std::vector<RankPlan> ranks;
  std::vector<TensorPlan> inputs;
  std::vector<TensorPlan> outputs;
  std::vector<CollectivePlan> collectives;
  double predicted_us = 0;     // of one step at nominal sizes; 0 = not predicted
  std::optional<Build> build;  // then ranks[].model are engines, not ONNX files
  std::optional<Probe> probe;

  int world_size() const { return static_cast<int>(ranks.size()); }
  bool operator==(const Plan&) const = default;
};

// Checks what a reader relies on: at least one rank, as many as the mesh has places; every axis, rank and
// divided dimension exists and divides; names are there and unique; sha256 are 64 hex digits (source_sha256
// may be "": not known); file names stay inside the directory. kInvalidArgument with a line that names the
// field.
Result<void> Validate(const Plan& plan);

// Reads `directory`/plan.json. Errors name the file and what was got and wanted: kNotFound, kInvalidArgument
// (not JSON, a missing or wrong field), kUnsupported (a version newer than kPlanVersion).
Result<Plan> ReadPlan(const std::filesystem::path& directory);

// Writes `directory`/plan.json atomically (a temporary file beside it, then rename). Errors: kInvalidArgument
// (not valid, or a name that is not UTF-8) and nothing is written.
Result<void> WritePlan(const Plan& plan, const std::filesystem::path& directory);

// The same as text, as plan.json has it. FromJson knows every field: a missing, a wrong and an unknown one
// are errors, and the plan that it returns is valid.
std::string ToJson(const Plan& plan);
Result<Plan> FromJson(std::string_view text);

// Compares size and sha256 of every artifact with the plan. Reads them all once: about 1 s per GB.
// Errors: kNotFound (missing), kInvalidArgument (differs) with a line naming the file, the got and the
// wanted.
Result<void> VerifyArtifacts(const Plan& plan, const std::filesystem::path& directory);

}  // namespace tessera::plan
