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
  std::string output;   // the name of one of its outputs
  std::string message;  // one line; empty: OpenVINO does not know the operator
  std::string
      failed_operator;  // OpenVINO's name of the operation whose shapes contradict each other, else empty
};

struct ConvertedModel {
  std::shared_ptr<ov::Model> model;
  std::vector<Unconverted> unconverted;
};

// `domains`: where DistCollective nodes live. Errors: kInvalidArgument (OpenVINO cannot read it at all).
Result<ConvertedModel> ConvertForInference(std::string onnx, const std::set<std::string>& domains);

// What a model says about a value: sizes (kDynamic: free) and symbols (equal numbers = equal sizes, -1 =
// none).
struct DeclaredShape {
  Shape shape;
  std::vector<int32_t> symbols;
};
using DeclaredShapes = std::unordered_map<std::string, DeclaredShape>;  // by name

// Infers all shapes anew with a symbol on every dynamic dimension, and with what is declared where inference
// knows less. A dimension of which nothing is known gets a symbol of its own. Returns OpenVINO's symbols of
// the declared numbers. Errors: kInvalidArgument (a contradiction).
using SymbolsByNumber = std::unordered_map<int32_t, std::shared_ptr<ov::Symbol>>;
Result<SymbolsByNumber> InferSymbols(const DeclaredShapes& declared, ov::Model& model);

// Every output of the model's operations by its ONNX names.
std::unordered_map<std::string, ov::Output<ov::Node>> OutputsByName(const ov::Model& model);

}  // namespace tessera::graph
