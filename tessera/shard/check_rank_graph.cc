#include "tessera/shard/check_rank_graph.h"

namespace tessera::shard::check {

using graph::Node;
using graph::ValueId;
using Integers = std::vector<int64_t>;

std::optional<Integers> SharedIntegers(const RankModel& ranks, ValueId id) {
  const auto found = ranks.constants.find(id);
  if (found == ranks.constants.end()) return std::nullopt;
  std::optional<Integers> all;
  for (int rank = 0; rank < ranks.parts; ++rank) {
    if (rank > 0 && found->second.shared()) break;
    auto own = graph::AsInt64(OnRank(found->second, rank, ranks.parts));
    if (!own || (all && *all != *own)) return std::nullopt;
    all = std::move(own);
  }
  return all;
}

std::optional<Integers> ToldIntegers(const RankModel& ranks, const Node& node, size_t input,
                                     const char* attribute) {
  return node.inputs.size() > input ? SharedIntegers(ranks, node.inputs[input]) : node.Ints(attribute);
}

bool EachRankHas(const RankModel& ranks, ValueId id, const std::function<Integers(int rank)>& wanted) {
  const auto constant = ranks.constants.find(id);
  if (constant == ranks.constants.end()) return false;
  for (int rank = 0; rank < ranks.parts; ++rank) {
    if (graph::AsInt64(OnRank(constant->second, rank, ranks.parts)) != wanted(rank)) return false;
  }
  return true;
}

const Node* MakerOf(const RankModel& ranks, ValueId id) {
  const graph::NodeId producer = ranks.graph.value(id).producer;
  return producer == graph::kNoNode ? nullptr : &ranks.graph.node(producer);
}

const Node* MakerOf(const RankModel& ranks, ValueId id, const char* op, size_t inputs) {
  const Node* node = MakerOf(ranks, id);
  const bool fits =
      node != nullptr && node->op_type == op && node->domain.empty() && node->inputs.size() == inputs;
  return fits ? node : nullptr;
}

std::optional<EvenAxis> EvenAxisOf(const graph::Graph& model, const Node& node, int64_t otherwise,
                                   int parts) {
  const graph::Value& whole = model.value(node.inputs[0]);
  if (!whole.has_shape) return std::nullopt;
  EvenAxis along;
  along.rank = static_cast<int64_t>(whole.shape.size());
  along.axis = node.Int("axis", otherwise);
  if (along.axis < 0) along.axis += along.rank;
  if (along.axis < 0 || along.axis >= along.rank) return std::nullopt;
  along.size = whole.shape[static_cast<size_t>(along.axis)];
  return along.size > 0 && along.size % parts == 0 ? std::optional(along) : std::nullopt;
}

Integers ToFront(int64_t axis, int64_t dims) {
  Integers order{axis};
  for (int64_t d = 0; d < dims; ++d) {
    if (d != axis) order.push_back(d);
  }
  return order;
}

Integers FromFront(int64_t axis, int64_t dims) {
  Integers order;
  for (int64_t d = 0; d < dims; ++d) order.push_back(d < axis ? d + 1 : (d == axis ? 0 : d));
  return order;
}

}  // namespace tessera::shard::check
