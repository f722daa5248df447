#include "tessera/shard/slices.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tessera/shard/known_elements.h"
#include "tessera/shard/rule.h"

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

// Between a projection and where it is taken apart: a bias, a scale, an activation.
constexpr std::array kElementwise{
    "Add", "Sub",  "Mul",     "Div",  "Cast",      "Identity", "DequantizeLinear",
    "Erf", "Gelu", "Sigmoid", "Relu", "HardSwish", "Tanh",     "BatchNormalization"};
constexpr int kMostElementwise = 6;

bool IsProjection(const Graph& graph, ValueId id, int most = kMostElementwise) {
  if (id == graph::kNoValue || most < 0) return false;
  const NodeId producer = graph.value(id).producer;
  if (producer == graph::kNoNode) return false;
  const Node& node = graph.node(producer);
  const auto rule = RuleFor(OpView(graph, node));
  if (rule && !ConstantWeights(graph, node, *rule).empty()) return rule->contraction;
  if (std::ranges::find(kElementwise, node.op_type) == kElementwise.end()) return false;
  return std::ranges::any_of(node.inputs,
                             [&](ValueId input) { return IsProjection(graph, input, most - 1); });
}

struct Piece {
  int64_t start = 0;
  int64_t end = 0;
  NodeId slice = graph::kNoNode;  // kNoNode: nobody reads it
};

class Bounds {
 public:
  explicit Bounds(const Graph& graph) : graph_(graph), known_(KnownElements(graph)) {}

  // What a Slice along one axis takes; nullopt where that is not known before the run.
  std::optional<std::pair<size_t, Piece>> Of(const Node& node) const {
    if (!graph_.value(node.inputs[0]).has_shape) return std::nullopt;
    const Shape& shape = graph_.value(node.inputs[0]).shape;
    const auto start = Number(node, "starts", 1);
    const auto end = Number(node, "ends", 2);
    auto axis = Number(node, "axes", 3);
    if (!axis && shape.size() == 1 && Absent(node, "axes", 3)) axis = 0;
    const bool steps = node.inputs.size() > 4 && node.inputs[4] != graph::kNoValue;
    if (!start || !end || !axis || (steps && Number(node, "", 4) != 1)) return std::nullopt;
    const auto rank = static_cast<int64_t>(shape.size());
    const auto at = static_cast<size_t>(*axis < 0 ? *axis + rank : *axis);
    if (at >= shape.size() || shape[at] == kDynamic) return std::nullopt;
    const auto clip = [&](int64_t bound) {
      return std::clamp<int64_t>(bound < 0 ? bound + shape[at] : bound, 0, shape[at]);
    };
    const Piece piece{clip(*start), clip(*end)};
    return piece.start < piece.end ? std::optional(std::pair(at, piece)) : std::nullopt;
  }

 private:
  bool Absent(const Node& node, const char* attribute, size_t input) const {
    return node.Find(attribute) == nullptr &&
           (node.inputs.size() <= input || node.inputs[input] == graph::kNoValue);
  }

  // The one element of an input, or before opset 10 of an attribute.
  std::optional<int64_t> Number(const Node& node, const char* attribute, size_t input) const {
    if (graph_.opset() < 10) {
      const auto values = node.Ints(attribute);
      return values.size() == 1 ? std::optional(values[0]) : std::nullopt;
    }
    if (node.inputs.size() <= input || node.inputs[input] == graph::kNoValue) return std::nullopt;
    const Elements& elements = known_[static_cast<size_t>(node.inputs[input].value())];
    return elements.size() == 1 ? elements[0].number : std::nullopt;
  }

  const Graph& graph_;
  std::vector<Elements> known_;
};

// In order, gaps filled; empty where two overlap or there is one only.
std::vector<Piece> InARow(std::vector<Piece> slices, int64_t size) {
  std::ranges::sort(slices, {}, &Piece::start);
  std::vector<Piece> row;
  int64_t at = 0;
  for (const Piece& slice : slices) {
    if (slice.start < at) return {};
    if (slice.start > at) row.push_back({at, slice.start});
    row.push_back(slice);
    at = slice.end;
  }
  if (at < size) row.push_back({at, size});
  return slices.size() > 1 ? row : std::vector<Piece>();
}

class Splitter {
 public:
  explicit Splitter(Graph& graph) : graph_(graph), bounds_(graph) {}

  void Run() {
    std::map<std::pair<ValueId, size_t>, std::vector<Piece>> groups;
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      if (node.op_type != "Slice" || !node.domain.empty()) continue;
      auto taken = bounds_.Of(node);
      if (!taken) continue;
      taken->second.slice = NodeId{static_cast<int32_t>(n)};
      groups[{node.inputs[0], taken->first}].push_back(taken->second);
    }
    for (const auto& [whole, slices] : groups) {
      const auto [id, axis] = whole;
      const std::vector<Piece> row = InARow(slices, graph_.value(id).shape[axis]);
      if (!row.empty() && IsProjection(graph_, id)) Replace(id, axis, row);
    }
    graph_.RemoveNodes(gone_);
  }

 private:
  // The first of the Slices becomes the Split; the others go.
  void Replace(ValueId whole, size_t axis, const std::vector<Piece>& row) {
    NodeId first = graph::kNoNode;
    for (const Piece& piece : row) {
      if (piece.slice != graph::kNoNode && (first == graph::kNoNode || piece.slice < first))
        first = piece.slice;
    }
    Node split;
    split.name = graph_.node(first).name;
    split.op_type = "Split";
    split.inputs = {whole};
    std::vector<int64_t> sizes;
    for (const Piece& piece : row) {
      sizes.push_back(piece.end - piece.start);
      split.outputs.push_back(Output(whole, axis, piece));
      if (piece.slice != graph::kNoNode && piece.slice != first) gone_.insert(piece.slice);
    }
    split.Set("axis", static_cast<int64_t>(axis));
    if (graph_.opset() < 13)
      split.Set("split", sizes);
    else
      split.inputs.push_back(graph_.AddConstant(
          split.name + "/sizes", graph::Constant::OfInt64(sizes, {static_cast<int64_t>(sizes.size())})));
    graph_.node(first) = std::move(split);
  }

  ValueId Output(ValueId whole, size_t axis, const Piece& piece) {
    const graph::Value of = graph_.value(whole);
    ValueId id = graph::kNoValue;
    if (piece.slice != graph::kNoNode) {
      id = graph_.node(piece.slice).outputs[0];
    } else {
      id = graph_.AddValue(of.name + "/unread", of.type, of.shape);
      graph_.value(id).symbols = of.symbols;
    }
    graph::Value& value = graph_.value(id);
    if (!value.has_shape || value.shape.size() != of.shape.size()) {
      value.has_shape = true;
      value.shape = of.shape;
      value.symbols = of.symbols;
    }
    value.shape[axis] = piece.end - piece.start;
    return id;
  }

  Graph& graph_;
  Bounds bounds_;
  std::set<NodeId> gone_;
};

}  // namespace

void SplitWhereSliced(Graph& graph) {
  Splitter(graph).Run();
}

}  // namespace tessera::shard
