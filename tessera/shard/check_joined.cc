#include "tessera/shard/check_joined.h"

#include <algorithm>

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/check_op.h"
#include "tessera/shard/check_rank_graph.h"

namespace tessera::shard::check {
namespace {

using graph::Graph;
using graph::Node;
using graph::Value;
using graph::ValueId;

// Alike but for the size along `axis`, which is known.
bool Fit(const Value& a, const Value& b, size_t axis) {
  if (!a.has_shape || !b.has_shape || a.shape.size() != b.shape.size() || a.type != b.type ||
      axis >= a.shape.size() || b.shape[axis] == kDynamic)
    return false;
  for (size_t d = 0; d < a.shape.size(); ++d) {
    if (d != axis && !Same(a, d, b, d)) return false;
  }
  return true;
}

std::optional<Held> SideBySide(const Graph& model, const HeldValues& held, const Node& node) {
  const auto axis = node.Int("axis", -1);
  if (axis < 0 || node.inputs.size() < 2) return std::nullopt;
  const Held& first = held.at(node.inputs[0]);
  Held row{Held::Kind::kOpaque, first.state, graph::kNoValue};
  row.front = static_cast<int>(axis);
  for (const ValueId id : node.inputs) {
    const Held& term = held.at(id);
    const bool fits = term.Plainly() && term.of != graph::kNoValue && term.state.partial() &&
                      term.state == first.state &&
                      Fit(model.value(first.of), model.value(term.of), static_cast<size_t>(axis));
    if (!fits) return std::nullopt;
    row.row.push_back(term.of);
  }
  return row;
}

}  // namespace

std::optional<Held> Joined(const Graph& model, const HeldValues& held, const Node& node) {
  if (node.op_type == "Concat") return SideBySide(model, held, node);
  namespace dist = plan::dist_collective;
  if (node.op_type != dist::kOpType || held.at(node.inputs[0]).row.empty()) return std::nullopt;
  Held sum = held.at(node.inputs[0]);
  const bool reduces = node.String(dist::kOperation, "") == Name(CollectiveOp::kAllReduce) &&
                       sum.state.partial() && node.String(dist::kReduceOp, "") == Name(sum.state.reduce);
  if (!reduces) return std::nullopt;
  sum.state = State::Replicated();
  return sum;
}

bool TakesApart(const HeldValues& held, const Node& node) {
  return node.op_type == "Split" && !held.at(node.inputs[0]).row.empty();
}

Result<void> CheckTakenApart(const Graph& model, const RankModel& ranks, const HeldValues& held,
                             const Node& node) {
  const auto wrong = [&](const char* why) {
    return Fail(Code::kInternal, "node '{}' ({}): {}", node.name, node.op_type, why);
  };
  const Held& row = held.at(node.inputs[0]);
  if (!row.state.replicated()) return wrong("cuts a row of values that is not summed");
  if (node.Int("axis", 0) != row.front || node.outputs.size() != row.row.size())
    return wrong("does not cut a row of values as it was joined");
  const auto sizes = ToldIntegers(ranks, node, 1, "split");
  if (!sizes || sizes->size() != row.row.size()) return wrong("has not a size for each value of the row");
  for (size_t i = 0; i < row.row.size(); ++i) {
    const auto origin = ranks.origin.find(node.outputs[i]);
    if (origin == ranks.origin.end() || origin->second.first != row.row[i] ||
        !origin->second.second.replicated())
      return wrong("gives the values of a row in another order or state");
    if (model.value(row.row[i]).shape[static_cast<size_t>(row.front)] != (*sizes)[i])
      return wrong("has another size for a value of the row");
  }
  return {};
}

}  // namespace tessera::shard::check
