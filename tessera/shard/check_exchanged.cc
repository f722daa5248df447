#include "tessera/plan/dist_collective.h"
#include "tessera/shard/check_conversion.h"

namespace tessera::shard::check {
namespace {

using graph::Node;

// `concat` joins all outputs of one Split in their order; gives that Split.
const Node* SplitBehind(const RankModel& ranks, const Node& concat) {
  const Node* split = MakerOf(ranks, concat.inputs[0], "Split", 1);
  const bool even = split != nullptr && split->Find("split") == nullptr && split->outputs == concat.inputs &&
                    static_cast<int>(split->outputs.size()) == ranks.parts;
  return even ? split : nullptr;
}

}  // namespace

// Blocks along one axis were sent, and are laid side by side along the other.
std::optional<Held> Exchanged(const Conversion& c) {
  if (!c.model.value(c.from.of).has_shape) return c.Wrong("the shape of its value is not known");
  const Node* pieces = SplitBehind(c.ranks, c.node);
  if (pieces == nullptr) return c.Opaque();
  const Node* exchange = MakerOf(c.ranks, pieces->inputs[0]);
  if (exchange == nullptr || exchange->op_type != plan::dist_collective::kOpType) return c.Opaque();
  const Node* sent = MakerOf(c.ranks, exchange->inputs[0], "Concat", static_cast<size_t>(c.ranks.parts));
  const Node* blocks = sent == nullptr ? nullptr : SplitBehind(c.ranks, *sent);
  if (blocks == nullptr || sent->Int("axis", 0) != 0 || pieces->Int("axis", 0) != 0)
    return c.Wrong("the blocks are not sent as they are received");
  const Held& source = c.held.at(blocks->inputs[0]);
  const auto from = static_cast<int>(c.node.Int("axis", 0));
  const auto to_axis = static_cast<int>(blocks->Int("axis", 0));
  if (!source.Plainly() || !(source.state == State::Split(from)) || from == to_axis || to_axis >= c.Dims())
    return c.Wrong("the value is not cut along the axis that is put together");
  if (c.SizeOf(to_axis) != kDynamic && c.SizeOf(to_axis) % c.ranks.parts != 0)
    return c.Wrong("the blocks are not equal");
  Held to = source;
  to.state = State::Split(to_axis);
  return to;
}

}  // namespace tessera::shard::check
