#include "tessera/shard/batch.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

size_t Index(ValueId id) {
  return static_cast<size_t>(id.value());
}

// How many collectives lie before each value, and which values are made whole by an all-reduce that somebody
// needs.
class Levels {
 public:
  Levels(const Graph& graph, const Candidates& candidates, const Assignment& assignment)
      : graph_(graph), assignment_(assignment), level_(graph.values().size()), summed_(level_.size()) {
    const std::vector<bool> live = LiveNodes(graph);
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      if (live[n]) Visit(graph.nodes()[n], candidates.rows[n][static_cast<size_t>(assignment.row[n])]);
    }
    for (size_t i = 0; i < graph.outputs().size(); ++i) Take(graph.outputs()[i], assignment.output[i]);
  }

  int Of(ValueId id) const { return level_[Index(id)]; }
  bool Summed(ValueId id) const { return summed_[Index(id)]; }

 private:
  void Visit(const Node& node, const Row& row) {
    int level = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != graph::kNoValue) level = std::max(level, Take(node.inputs[i], row.inputs[i]));
    }
    for (const auto& attribute : node.attributes) {
      for (const ValueId id : attribute.captured) level = std::max(level, Take(id, State::Replicated()));
    }
    for (const ValueId id : node.outputs) {
      if (id != graph::kNoValue) level_[Index(id)] = level;
    }
  }

  // The level of what a consumer takes; any state (nullopt) may mean the one that was made.
  int Take(ValueId id, const std::optional<State>& wanted) {
    const Placement& placement = assignment_.placement[Index(id)];
    if (graph_.value(id).constant || !placement.made || wanted == placement.produced)
      return level_[Index(id)];
    if (wanted && placement.made->replicated() && placement.produced.partial()) summed_[Index(id)] = true;
    return level_[Index(id)] + 1;
  }

  const Graph& graph_;
  const Assignment& assignment_;
  std::vector<int> level_;
  std::vector<bool> summed_;
};

// What values of a batch have in common: all but the size along the axis.
using Alike = std::tuple<int, DType, ReduceOp, Shape, std::vector<int32_t>>;

std::optional<Alike> LikenessAlong(const graph::Value& value, int level, ReduceOp reduce, size_t axis) {
  if (!value.has_shape || axis >= value.shape.size() || value.shape[axis] == kDynamic) return std::nullopt;
  Shape shape = value.shape;
  std::vector<int32_t> symbols(shape.size(), -1);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != kDynamic || d == axis) continue;
    symbols[d] = SymbolOf(value, d);
    if (symbols[d] < 0) return std::nullopt;
  }
  shape[axis] = 0;
  return Alike{level, value.type, reduce, shape, symbols};
}

double Saved(const std::vector<ValueId>& values, const CostModel& cost) {
  double apart = 0;
  double bytes = 0;
  for (const ValueId id : values) {
    apart += cost.AllReduceTime(cost.NominalBytes(id));
    bytes += cost.NominalBytes(id);
  }
  return apart - cost.AllReduceTime(bytes) - 2 * cost.Move(bytes);
}

}  // namespace

std::vector<bool> LiveNodes(const Graph& graph) {
  std::vector<bool> live(graph.nodes().size());
  std::vector<ValueId> open(graph.outputs());
  while (!open.empty()) {
    const graph::NodeId producer = graph.value(open.back()).producer;
    open.pop_back();
    if (producer == graph::kNoNode || live[static_cast<size_t>(producer.value())]) continue;
    live[static_cast<size_t>(producer.value())] = true;
    const Node& node = graph.node(producer);
    for (const ValueId id : node.inputs) {
      if (id != graph::kNoValue) open.push_back(id);
    }
    for (const auto& attribute : node.attributes)
      open.insert(open.end(), attribute.captured.begin(), attribute.captured.end());
  }
  return live;
}

std::vector<Batch> BatchAllReduces(const Graph& graph, const Candidates& candidates,
                                   const Assignment& assignment, const CostModel& cost) {
  const Levels levels(graph, candidates, assignment);
  std::vector<ValueId> left;
  size_t most_dims = 0;
  for (size_t v = 0; v < graph.values().size(); ++v) {
    const ValueId id{static_cast<int32_t>(v)};
    if (!levels.Summed(id)) continue;
    left.push_back(id);
    most_dims = std::max(most_dims, graph.value(id).shape.size());
  }
  std::vector<Batch> batches;
  for (size_t axis = 0; axis < most_dims; ++axis) {
    std::map<Alike, std::vector<ValueId>> alike;
    for (const ValueId id : left) {
      const ReduceOp reduce = assignment.placement[Index(id)].produced.reduce;
      if (auto key = LikenessAlong(graph.value(id), levels.Of(id), reduce, axis)) alike[*key].push_back(id);
    }
    for (auto& [key, values] : alike) {
      const double saved = Saved(values, cost);
      if (values.size() < 2 || saved <= 0) continue;
      std::erase_if(left, [&](ValueId id) { return std::ranges::find(values, id) != values.end(); });
      batches.push_back({std::move(values), static_cast<int>(axis), saved});
    }
  }
  return batches;
}

}  // namespace tessera::shard
