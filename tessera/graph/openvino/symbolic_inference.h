// Runs OpenVINO's conversion and shape inference over a serialized model.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <openvino/core/model.hpp>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// A node that OpenVINO did not convert.
struct Unconverted {
  std::string output;         // the name of one of its outputs
  std::string message;        // one line; empty: it does not know the operator
  bool inconsistent = false;  // the inference of shapes found a contradiction
};

struct ConvertedModel {
  std::shared_ptr<ov::Model> model;
  std::vector<Unconverted> unconverted;
};

// `domains`: where DistCollective nodes live. Errors: kInvalidArgument (OpenVINO cannot read it at all).
Result<ConvertedModel> ConvertForInference(std::string onnx, const std::set<std::string>& domains);

// Infers all shapes anew with a symbol on every dynamic dimension: on inputs those of `symbols` by input name
// (equal numbers = the same symbol, -1 = one of its own), elsewhere a new one where nothing is known. Errors:
// kInvalidArgument (a contradiction).
Result<void> InferSymbols(const std::unordered_map<std::string, std::vector<int32_t>>& symbols,
                          ov::Model& model);

// Every output of the model's operations by its ONNX names.
std::unordered_map<std::string, ov::Output<ov::Node>> OutputsByName(const ov::Model& model);

}  // namespace tessera::graph
