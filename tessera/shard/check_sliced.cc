#include "tessera/shard/check_conversion.h"

namespace tessera::shard::check {
namespace {

using graph::Node;
using Integers = std::vector<int64_t>;

bool ConstantBounds(const Conversion& c, int axis) {
  if (c.SizeOf(axis) % c.ranks.parts != 0) return false;
  const int64_t piece = c.SizeOf(axis) / c.ranks.parts;
  return EachRankHas(c.ranks, c.node.inputs[1], [&](int rank) { return Integers{rank * piece}; }) &&
         EachRankHas(c.ranks, c.node.inputs[2], [&](int rank) { return Integers{(rank + 1) * piece}; });
}

// Whether `id` is the size of the sliced value's axis over the number of ranks.
bool IsPiece(const Conversion& c, graph::ValueId id, int axis) {
  const Node* piece = MakerOf(c.ranks, id, "Div", 2);
  if (piece == nullptr || SharedIntegers(c.ranks, piece->inputs[1]) != Integers{c.ranks.parts}) return false;
  const Node* size = MakerOf(c.ranks, piece->inputs[0], "Gather", 2);
  if (size == nullptr || size->Int("axis", 0) != 0 ||
      SharedIntegers(c.ranks, size->inputs[1]) != Integers{axis})
    return false;
  const Node* shape = MakerOf(c.ranks, size->inputs[0], "Shape", 1);
  return shape != nullptr && shape->inputs[0] == c.node.inputs[0] && shape->attributes.empty();
}

// start = piece * rank and end = start + piece.
bool ComputedBounds(const Conversion& c, int axis) {
  const Node* start = MakerOf(c.ranks, c.node.inputs[1], "Mul", 2);
  const Node* end = MakerOf(c.ranks, c.node.inputs[2], "Add", 2);
  return start != nullptr && end != nullptr && end->inputs[0] == c.node.inputs[1] &&
         end->inputs[1] == start->inputs[0] && IsPiece(c, start->inputs[0], axis) &&
         EachRankHas(c.ranks, start->inputs[1], [](int rank) { return Integers{rank}; });
}

}  // namespace

std::optional<Held> Sliced(const Conversion& c) {
  if (c.node.inputs.size() != 4 || !c.from.Whole()) return c.Wrong("it slices what is not whole");
  const auto axes = SharedIntegers(c.ranks, c.node.inputs[3]);
  if (!axes || axes->size() != 1 || (*axes)[0] < 0 || (*axes)[0] >= c.Dims())
    return c.Wrong("it has not one axis");
  const auto axis = static_cast<int>((*axes)[0]);
  if (!ConstantBounds(c, axis) && !ComputedBounds(c, axis))
    return c.Wrong("its bounds are not each rank's part of the axis");
  Held to = c.from;
  to.state = State::Split(axis);
  return to;
}

}  // namespace tessera::shard::check
