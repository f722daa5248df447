// The compiler's front door: an ONNX model in, N rank models and the plan out.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/graph/shape_oracle.h"
#include "tessera/plan/plan.h"

namespace tessera::shard {

struct Options {
  int ranks = 2;
  std::string strategy = "auto";    // see Strategies()
  std::string engine = "openvino";  // goes into the plan
  std::string name;                 // of the model; "" = the file's stem
  // Sizes that the cost model assumes for dynamic dimensions, by symbol; others get 8 (first dimension) or
  // 128.
  std::map<std::string, int64_t> nominal_dims;
  bool trace = false;            // writes trace.json as well, for a comparison value by value (see trace.h)
  ByteCount memory_per_rank{0};  // most bytes of weights that a rank may hold; 0 = any
};

// The names that Options::strategy may take, "auto" first.
std::vector<std::string_view> Strategies();

// Called with a stage ("reading", "shapes", "searching", "writing", ...) and the fraction of the whole done,
// 0 .. 1.
using Progress = std::function<void(std::string_view stage, double fraction)>;

// A strategy that was priced.
struct Alternative {
  std::string strategy;
  double predicted_us = 0;         // of a step at nominal sizes
  ByteCount rank_weight_bytes{0};  // that a rank holds
  std::string refused;             // why it splits nothing; "" = it does
};

// What was decided, beside the plan: for the printed summary and the report.
struct Outcome {
  plan::Plan plan;
  ByteCount weight_bytes{0};              // of the unsharded model's initializers
  std::vector<Alternative> alternatives;  // all that were priced, the taken one among them
  std::string reason;  // one line: why this strategy, or why nothing was split ("" = as asked)
};

// Shards `model` and writes rank models, weights and plan.json into `directory`, which must exist and be
// empty (the caller makes a temporary one and renames it: nothing half-written). Never modifies the model.
// Errors: kNotFound, kInvalidArgument (not ONNX, ranks, strategy, truncated external data), kUnsupported
// (the strategy asked for can split nothing over this many ranks: the line says why; "auto" gives a plan of
// one rank instead, with the reason).
Result<Outcome> ShardModel(const std::filesystem::path& model, const Options& options,
                           graph::ShapeOracle& oracle, const std::filesystem::path& directory,
                           const Progress& progress);

}  // namespace tessera::shard
