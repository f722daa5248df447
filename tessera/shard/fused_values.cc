#include "tessera/shard/fused_values.h"

#include <set>
#include <string_view>

namespace tessera::shard {
namespace {

using graph::Node;

bool IsElementwise(const Node& node) {
  static const std::set<std::string_view> kOps{
      "Abs",   "Add",     "Cast", "Ceil",        "Clip",      "Div",       "Elu",        "Erf",
      "Exp",   "Floor",   "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log",        "Max",
      "Min",   "Mish",    "Mul",  "Neg",         "PRelu",     "Pow",       "Reciprocal", "Relu",
      "Round", "Sigmoid", "Sqrt", "Sub",         "Swish",     "Tanh",      "Where"};
  return node.domain.empty() && kOps.contains(node.op_type);
}

bool TakesOthersIn(const Node& node) {
  static const std::set<std::string_view> kProducts{"Conv", "Gemm", "MatMul"};
  return IsElementwise(node) || (node.domain.empty() && kProducts.contains(node.op_type));
}

}  // namespace

std::vector<bool> FusedValues(const graph::Graph& graph) {
  const auto consumers = graph.Consumers();
  std::vector<bool> fused(graph.values().size(), false);
  for (const Node& node : graph.nodes()) {
    if (node.outputs.size() != 1 || !TakesOthersIn(node)) continue;
    const auto v = static_cast<size_t>(node.outputs[0].value());
    if (consumers[v].size() != 1) continue;
    const Node& reader = graph.node(consumers[v][0]);
    fused[v] =
        IsElementwise(reader) && graph.value(node.outputs[0]).shape == graph.value(reader.outputs[0]).shape;
  }
  for (const graph::ValueId output : graph.outputs()) fused[static_cast<size_t>(output.value())] = false;
  return fused;
}

}  // namespace tessera::shard
