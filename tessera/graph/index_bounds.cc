#include "tessera/graph/index_bounds.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace tessera::graph {
namespace {

// Ops whose output has the elements of input 0, moved or repeated.
constexpr std::array<std::string_view, 10> kMovers{"Cast",    "Reshape",   "Unsqueeze", "Squeeze", "Identity",
                                                   "Flatten", "Transpose", "Slice",     "Expand",  "Tile"};

// The number of entries that `value` can pick as an index of `node`; nullopt when it is no index there.
std::optional<int64_t> TableLength(const Graph& graph, const Node& node, ValueId value) {
  const bool gathers = node.op_type == "Gather" || node.op_type == "GatherElements";
  if (!gathers || node.inputs.size() < 2 || node.inputs[1] != value) return std::nullopt;
  const Value& table = graph.value(node.inputs[0]);
  const Shape& shape = table.constant ? table.constant->shape : table.shape;
  const auto rank = static_cast<int64_t>(shape.size());
  int64_t axis = node.Int("axis", 0);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || shape[static_cast<size_t>(axis)] == kDynamic) return std::nullopt;
  return shape[static_cast<size_t>(axis)];
}

// The number of entries of a one-hot code: the value is compared with each of 0, 1, .. by an Equal.
std::optional<int64_t> CodeLength(const Graph& graph, const Node& node, ValueId value) {
  if (node.op_type != "Equal" || node.inputs.size() != 2) return std::nullopt;
  const ValueId other = node.inputs[node.inputs[0] == value ? 1 : 0];
  const auto& constant = graph.value(other).constant;
  const auto codes = constant ? AsInt64(*constant) : std::nullopt;
  if (!codes || codes->size() < 2) return std::nullopt;
  std::vector<int64_t> sorted = *codes;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i)) return std::nullopt;
  }
  return static_cast<int64_t>(sorted.size());
}

bool Moves(const Node& node, ValueId value) {
  return std::find(kMovers.begin(), kMovers.end(), node.op_type) != kMovers.end() &&
         node.inputs.front() == value;
}

}  // namespace

std::map<std::string, int64_t> IndexBounds(const Graph& graph) {
  std::map<std::string, int64_t> bounds;
  const auto consumers = graph.Consumers();
  for (ValueId input : graph.inputs()) {
    if (!IsInteger(graph.value(input).type)) continue;
    std::optional<int64_t> bound;
    std::vector<ValueId> open{input};  // ops only lead forward, so this ends
    while (!open.empty()) {
      const ValueId value = open.back();
      open.pop_back();
      for (NodeId id : consumers[static_cast<size_t>(value.value())]) {
        const Node& node = graph.node(id);
        if (auto length = TableLength(graph, node, value)) bound = std::min(bound.value_or(*length), *length);
        if (auto length = CodeLength(graph, node, value)) bound = std::min(bound.value_or(*length), *length);
        if (Moves(node, value)) open.push_back(node.outputs.front());
      }
    }
    if (bound) bounds[graph.value(input).name] = *bound;
  }
  return bounds;
}

}  // namespace tessera::graph
