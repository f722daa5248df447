#include "tessera/shard/rule.h"

#include <algorithm>
#include <array>

#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// Ops between a weight as it is stored and as it is used, and how many of them at most.
constexpr std::array kDecoders{"Cast",    "DequantizeLinear", "Mul",     "Div",       "Add",     "Sub",
                               "Neg",     "Reshape",          "Squeeze", "Unsqueeze", "Flatten", "Transpose",
                               "Identity"};
constexpr int kMostDecoders = 8;

bool Decodes(const graph::Graph& graph, const graph::Node& node, int most);

bool IsDecoded(const graph::Graph& graph, graph::ValueId id, int most) {
  if (id == graph::kNoValue) return true;
  const graph::Value& value = graph.value(id);
  if (value.constant) return true;
  return value.producer != graph::kNoNode && Decodes(graph, graph.node(value.producer), most - 1);
}

bool Decodes(const graph::Graph& graph, const graph::Node& node, int most) {
  if (most < 0 || node.inputs.empty()) return false;
  if (std::find(kDecoders.begin(), kDecoders.end(), node.op_type) == kDecoders.end()) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](graph::ValueId id) { return IsDecoded(graph, id, most); });
}

const RuleTable& Table() {
  static const RuleTable table = [] {
    RuleTable made;
    AddElementwise(made);
    AddContractions(made);
    AddMovement(made);
    AddIndexing(made);
    AddNormalization(made);
    AddReductions(made);
    AddConvolution(made);
    AddAttention(made);
    AddSpatial(made);
    AddQuantized(made);
    AddRecurrent(made);
    return made;
  }();
  return table;
}

}  // namespace

std::optional<std::vector<int64_t>> OpView::Integers(int index) const {
  if (!has_input(index) || !input(index).constant) return std::nullopt;
  return graph::AsInt64(*input(index).constant);
}

int OpView::Axis(std::string_view attribute, int64_t otherwise, size_t rank) const {
  const int64_t axis = node_.Int(attribute, otherwise);
  return static_cast<int>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

int32_t SymbolOf(const graph::Value& value, size_t dim) {
  return dim < value.symbols.size() ? value.symbols[dim] : -1;
}

bool SameSize(const graph::Value& a, size_t dim_a, const graph::Value& b, size_t dim_b) {
  if (a.shape[dim_a] != kDynamic) return a.shape[dim_a] == b.shape[dim_b];
  return b.shape[dim_b] == kDynamic && SymbolOf(a, dim_a) >= 0 && SymbolOf(a, dim_a) == SymbolOf(b, dim_b);
}

std::optional<Rule> RuleFor(const OpView& op) {
  if (!op.node().domain.empty()) return std::nullopt;
  const auto found = Table().find(op.node().op_type);
  if (found == Table().end()) return std::nullopt;
  auto rule = found->second(op);
  if (!rule) return rule;
  // What the text does not name is never cut.
  rule->inputs.resize(static_cast<size_t>(op.inputs()));
  rule->outputs.resize(static_cast<size_t>(op.outputs()));
  return rule;
}

bool IsWeight(const graph::Graph& graph, graph::ValueId value) {
  return value != graph::kNoValue && IsDecoded(graph, value, kMostDecoders);
}

int64_t StoredBytes(const graph::Graph& graph, graph::ValueId weight) {
  if (weight == graph::kNoValue) return 0;
  const graph::Value& value = graph.value(weight);
  if (value.constant) return static_cast<int64_t>(value.constant->bytes.size());
  int64_t bytes = 0;
  for (const graph::ValueId id : graph.node(value.producer).inputs) bytes += StoredBytes(graph, id);
  return bytes;
}

bool DecodesWeights(const graph::Graph& graph, const graph::Node& node) {
  return Decodes(graph, node, kMostDecoders);
}

std::vector<size_t> ConstantWeights(const graph::Graph& graph, const graph::Node& node, const Rule& rule) {
  std::vector<size_t> weights;
  for (const int w : rule.weights) {
    const auto i = static_cast<size_t>(w);
    const bool there = i < node.inputs.size() && node.inputs[i] != graph::kNoValue;
    if (there && IsWeight(graph, node.inputs[i])) weights.push_back(i);
  }
  return weights;
}

std::vector<std::string> OpsWithRules() {
  std::vector<std::string> ops;
  for (const auto& [name, maker] : Table()) ops.push_back(name);
  return ops;
}

}  // namespace tessera::shard
