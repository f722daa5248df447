#include "tessera/shard/check.h"

#include <algorithm>

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/check_across.h"
#include "tessera/shard/check_collective.h"
#include "tessera/shard/check_copy.h"
#include "tessera/shard/check_held.h"
#include "tessera/shard/check_joined.h"
#include "tessera/shard/check_lookup.h"

namespace tessera::shard {
namespace {

namespace dist = plan::dist_collective;
using graph::Graph;
using graph::Node;
using graph::ValueId;

class Checker {
 public:
  Checker(const Graph& model, const RankModel& ranks) : model_(model), ranks_(ranks), graph_(ranks.graph) {}

  Result<void> Run() {
    TRY(Inputs());
    for (const auto& [id, constant] : ranks_.constants) TRY(Constant(id, constant));
    for (const Node& node : graph_.nodes()) TRY(Visit(node));
    if (collectives_ != ranks_.collectives.size())
      return Fail(Code::kInternal, "the plan lists {} collectives, the graph has {}",
                  ranks_.collectives.size(), collectives_);
    return Outputs();
  }

 private:
  const graph::Value& Value(ValueId id) const { return graph_.value(id); }

  Result<void> Inputs() {
    if (graph_.inputs().size() != model_.inputs().size() || ranks_.inputs.size() != model_.inputs().size())
      return Fail(Code::kInternal, "the rank graph has {} inputs, the model {}", graph_.inputs().size(),
                  model_.inputs().size());
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const ValueId id = graph_.inputs()[i];
      const State& state = ranks_.inputs[i];
      if (Value(id).name != model_.value(model_.inputs()[i]).name || state.partial() || !state.cut.plain())
        return Fail(Code::kInternal, "input '{}': not one of the model's, or in {}", Value(id).name,
                    state.ToString());
      held_[id] = {Held::Kind::kState, state, model_.inputs()[i]};
      TRY(LocalType(id));
    }
    return {};
  }

  Result<void> Constant(ValueId id, const RankConstant& constant) {
    Held& held = held_[id];
    const auto origin = ranks_.origin.find(id);
    if (!constant.by_rank.empty()) {
      held.kind = Held::Kind::kPerRank;
      return {};
    }
    held = {Held::Kind::kState, constant.state,
            origin == ranks_.origin.end() ? graph::kNoValue : origin->second.first};
    if (origin == ranks_.origin.end())
      return constant.state.replicated()
                 ? Result<void>()
                 : Fail(Code::kInternal, "constant '{}' is cut, but none of the model's", Value(id).name);
    const graph::Value& whole = model_.value(origin->second.first);
    const bool same =
        whole.constant && constant.whole && whole.constant->bytes.data() == constant.whole->bytes.data() &&
        whole.constant->shape == constant.whole->shape && origin->second.second == constant.state;
    if (!same) return Fail(Code::kInternal, "constant '{}' is not the model's", Value(id).name);
    if (constant.state.split() &&
        !constant.state.cut.Divides(whole.shape.at(static_cast<size_t>(constant.state.axis)), ranks_.parts))
      return Fail(Code::kInternal, "constant '{}' does not divide over {} ranks", Value(id).name,
                  ranks_.parts);
    return LocalType(id);
  }

  // Type and shape are those of the state.
  Result<void> LocalType(ValueId id) const {
    const Held& held = held_.at(id);
    const graph::Value& whole = model_.value(held.of);
    const graph::Value& value = Value(id);
    if (value.type != whole.type)
      return Fail(Code::kInternal, "value '{}' is {}, in the model {}", value.name, DTypeName(value.type),
                  DTypeName(whole.type));
    if (!value.has_shape || !whole.has_shape) return {};
    const Shape wanted = LocalShape(whole.shape, held.state, ranks_.parts);
    if (value.shape == wanted) return {};
    return Fail(Code::kInternal, "value '{}' is {}, a rank holds {} of {} in {}", value.name,
                ToString(value.shape), ToString(wanted), ToString(whole.shape), held.state.ToString());
  }

  Result<void> Visit(const Node& node) {
    for (const ValueId id : node.inputs) {
      if (id != graph::kNoValue && !held_.contains(id))
        return Fail(Code::kInternal, "node '{}' reads '{}' before it is made", node.name, Value(id).name);
    }
    for (const auto& attribute : node.attributes) {
      for (const ValueId id : attribute.captured) {
        const auto found = held_.find(id);
        if (found == held_.end() || !found->second.Whole())
          return Fail(Code::kInternal, "a subgraph of node '{}' reads '{}', which is not whole", node.name,
                      Value(id).name);
      }
    }
    if (node.op_type == dist::kOpType) TRY(Collective(node));
    const ValueId first = FirstOutput(node);
    const auto origin = first == graph::kNoValue ? ranks_.origin.end() : ranks_.origin.find(first);
    if (origin == ranks_.origin.end()) return Helper(node);
    return Bearing(node, origin->second.first);
  }

  static ValueId FirstOutput(const Node& node) {
    const auto found = std::ranges::find_if(node.outputs, [](ValueId id) { return id != graph::kNoValue; });
    return found == node.outputs.end() ? graph::kNoValue : *found;
  }

  bool ConvertsA(const Node& node) const {
    return !node.inputs.empty() && node.inputs[0] != graph::kNoValue &&
           held_.at(node.inputs[0]).of != graph::kNoValue;
  }

  // A node none of whose outputs is a value of the model.
  Result<void> Helper(const Node& node) {
    const bool whole = std::ranges::all_of(
        node.inputs, [&](ValueId id) { return id == graph::kNoValue || held_.at(id).Whole(); });
    Held to{whole ? Held::Kind::kState : Held::Kind::kOpaque, {}, graph::kNoValue};
    // Places that are computed are those of a lookup in parts, which is looked at as a whole at its end.
    const bool looks_up = node.op_type == "Gather" && !ranks_.constants.contains(node.inputs[1]);
    if (const auto joined = whole ? std::nullopt : check::Joined(model_, held_, node)) {
      to = *joined;
    } else if (!whole && !looks_up && ConvertsA(node) &&
               check::OneOf(node.op_type, {"Transpose", "Gather", "Split", "Concat", dist::kOpType})) {
      TRY_ASSIGN(to, Convert(node));
    } else if (node.op_type == dist::kOpType && (whole || ConvertsA(node))) {
      return Fail(Code::kInternal, "collective '{}' is given a value that is whole, or none of the model's",
                  node.name);
    }
    for (const ValueId id : node.outputs) {
      if (id != graph::kNoValue) held_[id] = to;
    }
    return {};
  }

  Result<Held> Convert(const Node& node) const {
    std::string why;
    auto held = Converted(model_, ranks_, held_, node, why);
    if (!held) return Fail(Code::kInternal, "node '{}' ({}): {}", node.name, node.op_type, why);
    return *held;
  }

  // A node that makes values of the model: by their own op, or from another state of the same value.
  Result<void> Bearing(const Node& node, ValueId original) {
    if (check::TakesApart(held_, node)) return TakenApart(node);
    const ValueId first = FirstOutput(node);
    if (ConvertsA(node) && held_.at(node.inputs[0]).of == original) {
      TRY_ASSIGN(const Held to, Convert(node));
      if (!to.Plainly() || !(to.state == ranks_.origin.at(first).second))
        return Fail(Code::kInternal, "node '{}' ({}): makes {} of '{}', wanted {}", node.name, node.op_type,
                    to.Plainly() ? to.state.ToString() : "a part of a conversion",
                    model_.value(original).name, ranks_.origin.at(first).second.ToString());
      held_[first] = to;
      return LocalType(first);
    }
    const graph::NodeId producer = model_.value(original).producer;
    if (producer == graph::kNoNode)
      return Fail(Code::kInternal, "node '{}' makes '{}', which no node of the model does", node.name,
                  Value(first).name);
    for (const ValueId id : node.outputs) {
      if (id == graph::kNoValue) continue;
      const auto origin = ranks_.origin.find(id);
      if (origin == ranks_.origin.end())
        return Fail(Code::kInternal, "output '{}' of node '{}' is none of the model's", Value(id).name,
                    node.name);
      held_[id] = {Held::Kind::kState, origin->second.second, origin->second.first};
    }
    const Node& copied = model_.node(producer);
    if (check::IsScaledShape(model_, ranks_, held_, node, copied)) return {};
    if (check::IsFoundAcross(model_, ranks_, held_, node, copied)) return LocalType(first);
    if (check::IsLookupInParts(model_, ranks_, held_, node, copied)) return LocalType(first);
    TRY(check::Copy(model_, ranks_, held_, copied, node).Check());
    for (const ValueId id : node.outputs) {
      if (id != graph::kNoValue) TRY(LocalType(id));
    }
    return {};
  }

  Result<void> TakenApart(const Node& node) {
    TRY(check::CheckTakenApart(model_, ranks_, held_, node));
    for (const ValueId id : node.outputs) {
      held_[id] = {Held::Kind::kState, State::Replicated(), ranks_.origin.at(id).first};
      TRY(LocalType(id));
    }
    return {};
  }

  // The next one of the plan.
  Result<void> Collective(const Node& node) {
    if (collectives_ == ranks_.collectives.size())
      return Fail(Code::kInternal, "collective '{}': is not in the plan", node.name);
    return check::CheckCollective(graph_, node, ranks_.collectives[collectives_++], ranks_.parts);
  }

  Result<void> Outputs() const {
    if (graph_.outputs().size() != model_.outputs().size() ||
        ranks_.outputs.size() != model_.outputs().size())
      return Fail(Code::kInternal, "the rank graph has {} outputs, the model {}", graph_.outputs().size(),
                  model_.outputs().size());
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId wanted = model_.outputs()[i];
      const auto found = held_.find(graph_.outputs()[i]);
      const std::string& name = model_.value(wanted).name;
      if (found == held_.end() || !found->second.Plainly() || found->second.of != wanted)
        return Fail(Code::kInternal, "output '{}' is another value", name);
      const State& state = found->second.state;
      if (!(state == ranks_.outputs[i]) || state.partial() || !state.cut.plain())
        return Fail(Code::kInternal, "output '{}' is left in {}, the plan says {}", name, state.ToString(),
                    ranks_.outputs[i].ToString());
      if (Value(graph_.outputs()[i]).name != name)
        return Fail(Code::kInternal, "output '{}' is called '{}'", name, Value(graph_.outputs()[i]).name);
    }
    return {};
  }

  const Graph& model_;
  const RankModel& ranks_;
  const Graph& graph_;
  HeldValues held_;
  size_t collectives_ = 0;
};

}  // namespace

Result<void> CheckRankModel(const Graph& model, const RankModel& ranks) {
  return Checker(model, ranks).Run();
}

}  // namespace tessera::shard
