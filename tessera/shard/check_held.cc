#include "tessera/shard/check_held.h"

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/check_conversion.h"

namespace tessera::shard {
namespace {

std::optional<Held> AfterCollective(const check::Conversion& c) {
  const auto op = CollectiveOpFromName(c.node.String(plan::dist_collective::kOperation, ""));
  const auto reduce = ReduceOpFromName(c.node.String(plan::dist_collective::kReduceOp, ""));
  if (!op || !reduce) return c.Wrong("its operation is not known");
  Held to = c.from;
  if (*op == CollectiveOp::kAllToAll) {
    to.kind = Held::Kind::kOpaque;
    return to;
  }
  if (c.from.kind != Held::Kind::kState) return c.Wrong("what it sends is not known");
  const bool reduces = *op == CollectiveOp::kAllReduce || *op == CollectiveOp::kReduceScatter;
  if (reduces && (!c.from.state.partial() || c.from.state.reduce != *reduce))
    return c.Wrong("it reduces what is not partial in this way");
  if (*op == CollectiveOp::kAllReduce) {
    to.state = State::Replicated();
    return to;
  }
  if (*op == CollectiveOp::kReduceScatter) {
    to.state = State::Split(c.from.front, c.from.in_blocks ? c.from.blocks : Cut());
    to.in_blocks = false;
    return to;
  }
  if (*op != CollectiveOp::kAllGather) return c.Wrong("no conversion needs this collective");
  if (!c.from.state.split() || c.from.state.axis != c.from.front)
    return c.Wrong("it gathers along an axis that is not cut");
  to.state = State::Replicated();
  to.in_blocks = !c.from.state.cut.plain();
  to.blocks = c.from.state.cut;
  return to;
}

std::optional<Held> Transposed(const check::Conversion& c) {
  const std::vector<int64_t> order = c.node.Ints("perm");
  Held to = c.from;
  for (int axis = 1; axis < c.Dims(); ++axis) {
    if (c.from.front == 0 && order == check::ToFront(axis, c.Dims())) {
      to.front = axis;
      return to;
    }
    if (c.from.front == axis && order == check::FromFront(axis, c.Dims())) {
      to.front = 0;
      return to;
    }
  }
  return c.Wrong("its permutation brings no axis to the front, or back to where it was");
}

}  // namespace

std::optional<Held> Converted(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                              const graph::Node& node, std::string& why) {
  const check::Conversion c{model, ranks, held, node, held.at(node.inputs[0]), why};
  if (node.op_type == plan::dist_collective::kOpType) return AfterCollective(c);
  if (node.op_type == "Transpose") return Transposed(c);
  if (node.op_type == "Gather") return Gathered(c);
  if (node.op_type == "Slice") return Sliced(c);
  if (node.op_type == "Concat" && node.inputs.size() > 1) return Exchanged(c);
  if (node.op_type == "Split") return c.Opaque();
  return c.Wrong("no conversion has this op");
}

}  // namespace tessera::shard
