// The compiler's front door: an ONNX model in, N rank models and the plan out.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/graph/shape_oracle.h"
#include "tessera/plan/plan.h"
#include "tessera/shard/machine.h"

namespace tessera::shard {

// What becomes of embedding tables (see tables.h) under strategies that split weights.
enum class Embeddings {
  kSplit,  // those of more than a tenth of the model's weights are weights to be split, too
  kWhole,  // every rank holds all of every table
};

struct Options {
  int ranks = 2;
  std::string strategy = "auto";    // see Strategies()
  std::string engine = "openvino";  // goes into the plan
  std::string name;                 // of the model; "" = the file's stem
  // Sizes that the cost model assumes for dynamic dimensions, by symbol; others get 8 (first dimension) or
  // 128.
  std::map<std::string, int64_t> nominal_dims;
  std::optional<Machine> machine;  // prices the plans; none = DefaultMachine of the engine's device
  bool trace = false;              // writes trace.json as well, for a comparison value by value (see trace.h)
  ByteCount memory_per_rank{0};    // most bytes of weights that a rank may hold; 0 = any
  bool ignore_annotations = false;  // else the model's multi-device annotations are constraints, see hints.h
  std::filesystem::path annotated;  // where to write the model with the plan as its annotations; "" = nowhere
  // Largest table of the exact search. Where it would need a larger one, the plan is the best found, and told
  // how far at most it is from the least.
  size_t search_limit = size_t{1} << 24;
  Embeddings embeddings = Embeddings::kSplit;
};

// The names that Options::strategy may take, "auto" first.
std::vector<std::string_view> Strategies();

// Called with a stage ("reading", "shapes", "searching", "writing", ...) and the fraction of the whole done,
// 0 .. 1.
using Progress = std::function<void(std::string_view stage, double fraction)>;

// Predicted time of a step at nominal sizes, by what a rank does.
struct StepTime {
  double step_us = 0;  // beside what follows: inputs handed in, ranks woken
  double compute_us = 0;
  double collectives_us = 0;
  double slices_us = 0;   // taking a rank's piece of a whole value
  double outputs_us = 0;  // the executor putting cut outputs together

  double sum() const { return step_us + compute_us + collectives_us + slices_us + outputs_us; }
};

// How good a plan is for what its strategy makes small (time, with `tensor` the weights of a rank first).
struct SearchQuality {
  bool exact = true;  // nothing costs less; else the graph was too entangled for the exact search
  double cost = 0;
  double lower_bound = 0;  // nothing costs less than this
};

// A plan that was priced; "single" = one rank.
struct Alternative {
  std::string strategy;
  double predicted_us = 0;         // time.sum()
  ByteCount rank_weight_bytes{0};  // that a rank holds
  std::string refused;             // why it splits nothing; "" = it does
  StepTime time{};
  SearchQuality search{};
};

// What was decided, beside the plan: for the printed summary and the report.
struct Outcome {
  plan::Plan plan;
  ByteCount weight_bytes{0};          // of the unsharded model's initializers
  std::vector<double> collective_us;  // by plan.collectives: predicted time
  Alternative taken;
  std::vector<Alternative> alternatives;  // every strategy that was priced, the taken one among them
  // Plans that nothing priced beats in both time and memory, fastest first; the searches of the sweep between
  // the fastest and the smallest are among what was priced.
  std::vector<Alternative> pareto;
  std::string machine;  // by whose figures
  std::string reason;   // one line: why this strategy, or why nothing was split ("" = as asked)
};

// Shards `model` and writes rank models, weights, plan.json and report.html (see report/report.h) into
// `directory`, which must exist and be empty (the caller makes a temporary one and renames it: nothing
// half-written). Never modifies the model. Errors: kNotFound, kInvalidArgument (not ONNX, ranks, strategy,
// truncated external data), kUnsupported (the strategy asked for can split nothing over this many ranks: the
// line says why; "auto" gives a plan of one rank instead, with the reason).
Result<Outcome> ShardModel(const std::filesystem::path& model, const Options& options,
                           graph::ShapeOracle& oracle, const std::filesystem::path& directory,
                           const Progress& progress);

}  // namespace tessera::shard
