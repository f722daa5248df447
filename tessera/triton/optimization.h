// ModelOptimizationPolicy of config.pbtxt, as far as it means something to ranks on GPUs.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::triton {

// Shapes to run while the model is loaded, so that their first request finds them captured.
struct GraphSpec {
  int64_t batch_size = 0;               // 0: requests have no batch dimension of Triton's
  std::map<std::string, Shape> inputs;  // by name, without the batch dimension; others have their fixed sizes
};

struct Optimization {
  std::optional<bool> cuda_graphs;  // cuda.graphs; none: there is no `cuda` that could say it
  std::vector<GraphSpec> graph_specs;
  bool least_priority = false;  // PRIORITY_MIN: after other models' work on the same GPUs
};

Optimization ReadOptimization(const nlohmann::json& config);

// Errors: kInvalidArgument (a graph_spec that does not fit max_batch_size).
Result<void> CheckGraphSpecs(const Optimization& optimization, int64_t max_batch_size);

// A line for each key of `optimization` that is set and has no effect here: the key, and why.
std::vector<std::string> OptimizationWithoutEffect(const nlohmann::json& config);

// The shape of input `name`, `declared` by the model (its batch dimension included), in a step of `spec`.
// Errors: kInvalidArgument (a size that is free and that the spec does not give).
Result<Shape> ShapeInGraph(const GraphSpec& spec, const std::string& name, const Shape& declared);

}  // namespace tessera::triton
