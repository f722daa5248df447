#include "tessera/graph/openvino/inference_model.h"

#include "tessera/graph/onnx.h"

namespace tessera::graph {
namespace {

constexpr size_t kSmallBytes = 1024;
constexpr size_t kSmallIntegerBytes = 64 * 1024;  // shapes and positions: computed with, so worth their copy

// Types that OpenVINO's frontend refuses to read. Given without a type, such a value is merely unknown to it.
bool IsOpaque(DType type) {
  switch (type) {
    case DType::kInt2:
    case DType::kUInt2:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2FNUZ:
    case DType::kComplex64:
    case DType::kComplex128:
      return true;
    default:
      return false;
  }
}

void AddValues(const Graph& graph, const InferenceChoices& choices, Graph& model) {
  for (size_t i = 0; i < graph.values().size(); ++i) {
    const Value& value = graph.values()[i];
    const ValueId id = model.AddValue(value.name, value.type, value.shape);
    Value& copy = model.value(id);
    copy.has_shape = value.has_shape;
    copy.symbols = value.symbols;
    copy.rest = value.rest;
    copy.constant = value.constant;
    if (IsOpaque(value.type)) {
      copy.type = DType::kUndefined;
      copy.has_shape = false;
      copy.rest.clear();
      if (value.constant != nullptr) model.inputs().push_back(id);
      copy.constant = nullptr;
    }
    if (copy.constant == nullptr || choices.keep[i] || !IsLargeWeight(*copy.constant)) continue;
    copy.constant = nullptr;
    model.inputs().push_back(id);
  }
}

// Makes the outputs of a node that is left out inputs of the model, with as much of their type as is
// declared.
void AddAsInputs(const Node& node, Graph& model) {
  for (ValueId output : node.outputs) {
    if (output != kNoValue) model.inputs().push_back(output);
  }
}

// What no output depends on would be dropped: every value that nobody reads becomes an output. OpenVINO is to
// find their types by itself.
void MakeAllLive(Graph& model) {
  const auto consumers = model.Consumers();
  for (const Node& node : model.nodes()) {
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      Value& value = model.value(output);
      value.type = DType::kUndefined;
      value.has_shape = false;
      value.rest.clear();
      if (consumers[static_cast<size_t>(output.value())].empty()) model.outputs().push_back(output);
    }
  }
}

}  // namespace

bool IsLargeWeight(const Constant& constant) {
  if (constant.raw != nullptr) return false;
  const bool computed_with =
      constant.type == DType::kBool || constant.type == DType::kInt32 || constant.type == DType::kInt64;
  return constant.bytes.size() > (computed_with ? kSmallIntegerBytes : kSmallBytes);
}

Result<std::string> InferenceModelOf(const Graph& graph, const InferenceChoices& choices) {
  Graph model;
  model.name = graph.name;
  model.ir_version = graph.ir_version;
  model.opsets = graph.opsets;
  model.symbol_names = graph.symbol_names;
  model.rest = graph.rest;
  model.inputs() = graph.inputs();
  AddValues(graph, choices, model);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    if (choices.cut[i]) {
      AddAsInputs(graph.nodes()[i], model);
    } else {
      model.AddNode(graph.nodes()[i]);
    }
  }
  MakeAllLive(model);
  return SerializeOnnx(model);
}

}  // namespace tessera::graph
