#include "tessera/shard/check_across.h"

#include <algorithm>

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/check_rank_graph.h"

namespace tessera::shard::check {
namespace {

namespace dist = plan::dist_collective;
using graph::Node;
using graph::ValueId;
using Integers = std::vector<int64_t>;

// Walks from the end of the pattern to its beginning.
class AcrossReading {
 public:
  AcrossReading(const graph::Graph& model, const RankModel& ranks, const HeldValues& held, const Node& node,
                const Node& copied)
      : model_(model), ranks_(ranks), held_(held), node_(node), copied_(copied) {}

  bool Holds() {
    const bool softmax = copied_.op_type == "Softmax" || copied_.op_type == "LogSoftmax";
    const bool argument = copied_.op_type == "ArgMax" || copied_.op_type == "ArgMin";
    if (!softmax && !argument && copied_.op_type != "TopK") return false;
    const auto even = EvenAxisOf(model_, copied_, argument ? 0 : -1, ranks_.parts);
    if (!even) return false;
    along_ = *even;
    const State wanted = softmax ? State::Split(static_cast<int>(along_.axis)) : State::Replicated();
    if (!(held_.at(node_.outputs[0]).state == wanted)) return false;
    if (softmax) return model_.opset() >= 13 && Softmax();
    const bool values = copied_.op_type == "TopK" && held_.at(node_.outputs[0]).of == copied_.outputs[0];
    return values ? BestOf(Turned(node_)) : PlacesOf(Turned(node_));
  }

 private:
  const Node* Maker(ValueId id) const { return MakerOf(ranks_, id); }
  const Node* Maker(ValueId id, const char* op, size_t inputs) const {
    return MakerOf(ranks_, id, op, inputs);
  }

  // `id` comes out of this collective; gives what goes in.
  ValueId Sent(ValueId id, CollectiveOp op, ReduceOp reduce) const {
    const Node* node = Maker(id);
    const bool fits = node != nullptr && node->op_type == dist::kOpType &&
                      node->String(dist::kOperation, "") == Name(op) &&
                      node->String(dist::kReduceOp, "") == Name(reduce);
    return fits ? node->inputs[0] : graph::kNoValue;
  }

  // The model's input, in plain parts along the axis.
  bool Part(ValueId id) const {
    const Held& held = held_.at(id);
    return held.Plainly() && held.of == copied_.inputs[0] &&
           held.state == State::Split(static_cast<int>(along_.axis));
  }

  // -- the best of an axis --

  // What is turned back to give an output, the axis standing in front.
  ValueId Turned(const Node& end) const {
    if (end.op_type == "Transpose" && end.domain.empty())
      return end.Ints("perm") == FromFront(along_.axis, along_.rank) && copied_.Int("keepdims", 1) != 0
                 ? end.inputs[0]
                 : graph::kNoValue;
    if (end.op_type != "Squeeze" || copied_.op_type == "TopK" || copied_.Int("keepdims", 1) != 0)
      return graph::kNoValue;
    return ToldIntegers(ranks_, end, 1, "axes") == Integers{0} ? end.inputs[0] : graph::kNoValue;
  }

  // What was gathered from all ranks, one behind the other along the axis.
  ValueId Gathered(ValueId id) const {
    const ValueId front = Sent(id, CollectiveOp::kAllGather, ReduceOp::kNone);
    if (front == graph::kNoValue || along_.axis == 0) return front;
    const Node* turn = Maker(front, "Transpose", 1);
    return turn != nullptr && turn->Ints("perm") == ToFront(along_.axis, along_.rank) ? turn->inputs[0]
                                                                                      : graph::kNoValue;
  }

  // `node` finds what the model's does, along `axis`: as many of the same end, the first of equal ones.
  bool Finds(const Node* node, int64_t axis) const {
    if (node == nullptr || node->op_type != copied_.op_type || !node->domain.empty()) return false;
    if (copied_.op_type != "TopK")
      return node->Int("axis", 0) == axis && node->Int("keepdims", 1) == 1 &&
             node->Int("select_last_index", 0) == 0 && copied_.Int("select_last_index", 0) == 0;
    const auto count = SharedIntegers(ranks_, node->inputs[1]);
    const auto& told = model_.value(copied_.inputs[1]).constant;
    return node->Int("axis", -1) == axis && node->Int("sorted", 1) == 1 && copied_.Int("sorted", 1) == 1 &&
           node->Int("largest", 1) == copied_.Int("largest", 1) && count && count->size() == 1 && told &&
           count == graph::AsInt64(*told) && (*count)[0] <= along_.size / ranks_.parts;
  }

  // The node that found, in a rank's part of the axis, what was gathered as `id`.
  const Node* LocalOf(ValueId id) const {
    const ValueId values = Gathered(id);
    const Node* local = values == graph::kNoValue ? nullptr : Maker(values);
    if (local == nullptr) return nullptr;
    if (copied_.op_type == "TopK")
      return Finds(local, along_.axis) && local->outputs[0] == values && Part(local->inputs[0]) ? local
                                                                                                : nullptr;
    const bool picks = local->op_type == "GatherElements" && local->Int("axis", 0) == along_.axis;
    const Node* found = picks ? Maker(local->inputs[1]) : nullptr;
    const bool same =
        Finds(found, along_.axis) && found->inputs[0] == local->inputs[0] && Part(found->inputs[0]);
    return same ? found : nullptr;
  }

  // `id` is the first output of the best of all ranks' best.
  bool BestOf(ValueId id) const {
    const Node* best = id == graph::kNoValue ? nullptr : Maker(id);
    return Finds(best, 0) && best->outputs[0] == id && LocalOf(best->inputs[0]) != nullptr;
  }

  bool PlacesOf(ValueId id) const {
    const Node* found = id == graph::kNoValue ? nullptr : Maker(id, "GatherElements", 2);
    const Node* best = found == nullptr || found->Int("axis", 0) != 0 ? nullptr : Maker(found->inputs[1]);
    if (!Finds(best, 0) || best->outputs.back() != found->inputs[1]) return false;
    const Node* local = LocalOf(best->inputs[0]);
    const ValueId places = Gathered(found->inputs[0]);
    const Node* global = places == graph::kNoValue ? nullptr : Maker(places, "Add", 2);
    return local != nullptr && global != nullptr && global->inputs[0] == local->outputs.back() &&
           FirstPlaces(global->inputs[1]);
  }

  bool FirstPlaces(ValueId id) const {
    const auto first = ranks_.constants.find(id);
    if (first == ranks_.constants.end()) return false;
    for (int rank = 0; rank < ranks_.parts; ++rank) {
      const graph::Constant own = OnRank(first->second, rank, ranks_.parts);
      if (graph::AsInt64(own) != Integers{rank * (along_.size / ranks_.parts)}) return false;
    }
    return true;
  }

  // -- softmax --

  bool Softmax() const {
    const bool log = copied_.op_type == "LogSoftmax";
    if (node_.op_type != (log ? "Sub" : "Div") || node_.inputs.size() != 2) return false;
    const Node* end = log ? Maker(node_.inputs[1], "Log", 1) : &node_;
    if (end == nullptr) return false;
    const ValueId exp = Reduced(end->inputs[log ? 0 : 1], ReduceOp::kSum, "ReduceSum");
    const Node* exponential = exp == graph::kNoValue ? nullptr : Maker(exp, "Exp", 1);
    if (exponential == nullptr || (!log && node_.inputs[0] != exp)) return false;
    const ValueId shifted = exponential->inputs[0];
    if (log && node_.inputs[0] != shifted) return false;
    const Node* shift = Maker(shifted, "Sub", 2);
    return shift != nullptr && Part(shift->inputs[0]) &&
           Reduced(shift->inputs[1], ReduceOp::kMax, "ReduceMax") == shift->inputs[0];
  }

  // What was reduced along the axis, on each rank and then over all of them.
  ValueId Reduced(ValueId id, ReduceOp reduce, const char* op) const {
    const ValueId part = Sent(id, CollectiveOp::kAllReduce, reduce);
    const Node* node = part == graph::kNoValue ? nullptr : Maker(part);
    if (node == nullptr || node->op_type != op || node->Int("keepdims", 1) != 1) return graph::kNoValue;
    return ToldIntegers(ranks_, *node, 1, "axes") == Integers{along_.axis} ? node->inputs[0]
                                                                           : graph::kNoValue;
  }

  const graph::Graph& model_;
  const RankModel& ranks_;
  const HeldValues& held_;
  const Node& node_;
  const Node& copied_;
  EvenAxis along_;
};

}  // namespace

bool IsFoundAcross(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                   const Node& node, const Node& copied) {
  return AcrossReading(model, ranks, held, node, copied).Holds();
}

}  // namespace tessera::shard::check
