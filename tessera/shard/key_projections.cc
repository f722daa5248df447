#include "tessera/shard/key_projections.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tessera/shard/rule.h"

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

// Between a projection and where its heads are used.
constexpr std::array kBetween{"Transpose",
                              "Reshape",
                              "Unsqueeze",
                              "Squeeze",
                              "Expand",
                              "Mul",
                              "Add",
                              "Sub",
                              "Div",
                              "Neg",
                              "Cast",
                              "Identity",
                              "RotaryEmbedding",
                              "RMSNormalization",
                              "LayerNormalization"};

class Finder {
 public:
  Finder(const Graph& graph, int parts) : graph_(graph), parts_(parts) {}

  std::set<NodeId> Run() {
    for (const Node& node : graph_.nodes()) {
      if (node.op_type == "Attention") FromAttention(node);
      if (node.op_type == "Expand") FromSpread(node);
      if (node.op_type == "MatMul") FromBroadcast(node);
    }
    return std::move(found_);
  }

 private:
  const Shape& ShapeOf(ValueId id) const { return graph_.value(id).shape; }
  bool Few(int64_t keys, int64_t queries) const {
    return keys > 0 && keys < parts_ && parts_ % keys == 0 && queries % parts_ == 0 && queries % keys == 0;
  }

  void FromAttention(const Node& node) {
    if (node.inputs.size() < 3 || !graph_.value(node.inputs[0]).has_shape ||
        !graph_.value(node.inputs[1]).has_shape)
      return;
    const bool flat = ShapeOf(node.inputs[0]).size() == 3;
    const int64_t queries = flat ? node.Int("q_num_heads", 0) : ShapeOf(node.inputs[0])[1];
    const int64_t keys = flat ? node.Int("kv_num_heads", 0) : ShapeOf(node.inputs[1])[1];
    if (!Few(keys, queries)) return;
    Back(node.inputs[1]);
    Back(node.inputs[2]);
  }

  // [batch, keys, 1, ..] to [batch, keys, queries a key, ..]
  void FromSpread(const Node& node) {
    const graph::Value& from = graph_.value(node.inputs[0]);
    const graph::Value& to = graph_.value(node.outputs[0]);
    const bool spreads = from.has_shape && to.has_shape && from.shape.size() == 5 && to.shape.size() == 5 &&
                         from.shape[2] == 1 && to.shape[2] > 1 && from.shape[1] == to.shape[1];
    if (spreads && Few(to.shape[1], to.shape[1] * to.shape[2])) Back(node.inputs[0]);
  }

  // [batch, queries, ..] times [batch, 1, ..]
  void FromBroadcast(const Node& node) {
    const graph::Value& a = graph_.value(node.inputs[0]);
    const graph::Value& b = graph_.value(node.inputs[1]);
    const bool broadcasts = a.has_shape && b.has_shape && a.shape.size() == 4 && b.shape.size() == 4 &&
                            a.shape[1] > 1 && b.shape[1] == 1;
    if (broadcasts && Few(1, a.shape[1])) Back(node.inputs[1]);
  }

  void Back(ValueId from) {
    std::vector<ValueId> open{from};
    while (!open.empty()) {
      const ValueId id = open.back();
      open.pop_back();
      const NodeId producer = id == graph::kNoValue ? graph::kNoNode : graph_.value(id).producer;
      if (producer == graph::kNoNode || !seen_.insert(producer).second) continue;
      const Node& node = graph_.node(producer);
      const auto rule = RuleFor(OpView(graph_, node));
      if (rule && rule->contraction) {
        if (!ConstantWeights(graph_, node, *rule).empty()) found_.insert(producer);
      } else if (std::ranges::find(kBetween, node.op_type) != kBetween.end()) {
        open.insert(open.end(), node.inputs.begin(), node.inputs.end());
      }
    }
  }

  const Graph& graph_;
  int64_t parts_;
  std::set<NodeId> seen_;
  std::set<NodeId> found_;
};

}  // namespace

std::set<NodeId> SharedKeyProjections(const Graph& graph, int parts) {
  return Finder(graph, parts).Run();
}

}  // namespace tessera::shard
