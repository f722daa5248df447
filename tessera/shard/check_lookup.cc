#include "tessera/shard/check_lookup.h"

#include <algorithm>

#include "tessera/shard/check_rank_graph.h"

namespace tessera::shard::check {
namespace {

using graph::Node;
using graph::ValueId;
using Integers = std::vector<int64_t>;

class LookupReading {
 public:
  LookupReading(const graph::Graph& model, const RankModel& ranks, const HeldValues& held, const Node& node,
                const Node& copied)
      : model_(model), ranks_(ranks), held_(held), node_(node), copied_(copied) {}

  bool Holds() {
    if (node_.op_type != "Where" || node_.inputs.size() != 3 || copied_.op_type != "Gather" ||
        !(held_.at(node_.outputs[0]).state == State::Partial(ReduceOp::kSum)) || !Zero(node_.inputs[2]))
      return false;
    const Node* found = Producer(node_.inputs[1], "Gather", 2);
    if (found == nullptr || found->Int("axis", 0) != copied_.Int("axis", 0) || !Table(*found)) return false;
    const Node* local = Producer(found->inputs[1], "Where", 3);
    if (local == nullptr || SharedIntegers(ranks_, local->inputs[2]) != Integers{0}) return false;
    return Masks(node_.inputs[0], local->inputs[0]) && Inside(local->inputs[0], local->inputs[1]) &&
           Shifted(local->inputs[1]);
  }

 private:
  const Node* Producer(ValueId id, const char* op, size_t inputs) const {
    return MakerOf(ranks_, id, op, inputs);
  }

  bool Zero(ValueId id) const {
    const auto constant = ranks_.constants.find(id);
    return constant != ranks_.constants.end() && constant->second.shared() &&
           constant->second.whole->shape.empty() &&
           std::ranges::all_of(constant->second.whole->bytes, [](std::byte b) { return b == std::byte{0}; });
  }

  // The model's, in equal parts along the axis.
  bool Table(const Node& found) {
    const Held& table = held_.at(found.inputs[0]);
    const auto even = EvenAxisOf(model_, copied_, 0, ranks_.parts);
    if (!table.Plainly() || table.of != copied_.inputs[0] || !even) return false;
    along_ = *even;
    return table.state == State::Split(static_cast<int>(along_.axis));
  }

  // `mask` is `here`, spread over the dimensions of the table behind its axis.
  bool Masks(ValueId mask, ValueId here) const {
    const auto places = static_cast<int64_t>(model_.value(copied_.inputs[1]).shape.size());
    const int64_t behind = along_.rank - along_.axis - 1;
    if (mask == here) return behind == 0 || places == 0;
    const Node* spread = MakerOf(ranks_, mask);
    if (spread == nullptr || spread->op_type != "Unsqueeze" || spread->inputs[0] != here) return false;
    Integers wanted;
    for (int64_t i = 0; i < behind; ++i) wanted.push_back(places + i);
    return ToldIntegers(ranks_, *spread, 1, "axes") == wanted;
  }

  bool Inside(ValueId here, ValueId place) const {
    const Node* less = Producer(here, "Less", 2);
    return less != nullptr && less->inputs[0] == place &&
           SharedIntegers(ranks_, less->inputs[1]) == Integers{along_.size / ranks_.parts};
  }

  // Counted from the rank's first element on, around the end of the table.
  bool Shifted(ValueId place) const {
    const Node* around = Producer(place, "Mod", 2);
    if (around == nullptr || around->Int("fmod", 0) != 0 ||
        SharedIntegers(ranks_, around->inputs[1]) != Integers{along_.size})
      return false;
    const Node* shift = Producer(around->inputs[0], "Sub", 2);
    if (shift == nullptr) return false;
    const Held& indices = held_.at(shift->inputs[0]);
    const auto first = ranks_.constants.find(shift->inputs[1]);
    if (!indices.Whole() || indices.of != copied_.inputs[1] || first == ranks_.constants.end()) return false;
    for (int rank = 0; rank < ranks_.parts; ++rank) {
      const graph::Constant own = OnRank(first->second, rank, ranks_.parts);
      if (!own.shape.empty() || graph::AsInt64(own) != Integers{rank * (along_.size / ranks_.parts)})
        return false;
    }
    return true;
  }

  const graph::Graph& model_;
  const RankModel& ranks_;
  const HeldValues& held_;
  const Node& node_;
  const Node& copied_;
  EvenAxis along_;
};

}  // namespace

bool IsLookupInParts(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                     const Node& node, const Node& copied) {
  return LookupReading(model, ranks, held, node, copied).Holds();
}

}  // namespace tessera::shard::check
