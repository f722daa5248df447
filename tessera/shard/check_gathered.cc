#include "tessera/shard/check_conversion.h"
#include "tessera/shard/check_elements.h"

namespace tessera::shard::check {
namespace {

using Integers = std::vector<int64_t>;

// Places in copies that several ranks hold, made those of the whole axis.
bool OfTheirCopies(const Conversion& c, int axis, std::vector<Integers>& places) {
  if (!c.from.Plainly() || !c.from.state.split() || c.from.state.axis != axis ||
      c.from.state.cut.copies() < 2)
    return false;
  const auto held = ElementsOfRanks(c.from.state.cut, c.SizeOf(axis), c.ranks.parts);
  if (held.size() != places.size()) return false;
  for (size_t rank = 0; rank < held.size(); ++rank) {
    for (int64_t& place : places[rank]) {
      if (place < 0 || place >= static_cast<int64_t>(held[rank].size())) return false;
      place = held[rank][static_cast<size_t>(place)];
    }
  }
  return true;
}

// Each rank picks its own elements of a whole value.
std::optional<Held> Picked(const Conversion& c, const RankConstant& constant, int axis) {
  std::vector<Integers> indices;
  for (const graph::Constant& own : constant.by_rank)
    indices.push_back(graph::AsInt64(own).value_or(Integers{}));
  if (axis < 0 || axis >= c.Dims() || c.SizeOf(axis) == kDynamic)
    return c.Wrong("the size of its axis is not known");
  if (!c.from.Whole() && !OfTheirCopies(c, axis, indices))
    return c.Wrong("the ranks pick from what is not whole");
  const auto cut = CutOfElements(indices, c.SizeOf(axis));
  if (!cut) return c.Wrong("the ranks' indices are no cut of the axis");
  Held to = c.from;
  to.state = State::Split(axis, *cut);
  return to;
}

// Blocks back in the order of the elements.
std::optional<Held> Ordered(const Conversion& c, const Integers& indices) {
  if (!c.from.in_blocks) return c.Wrong("there are no blocks to be put in order");
  const auto held = ElementsOfRanks(c.from.blocks, c.SizeOf(c.from.front), c.ranks.parts);
  Integers blocks;
  for (const Integers& rank : held) blocks.insert(blocks.end(), rank.begin(), rank.end());
  if (blocks.size() != indices.size())
    return c.Wrong("it has another number of indices than the axis elements");
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (indices[static_cast<size_t>(blocks[i])] != static_cast<int64_t>(i))
      return c.Wrong("its indices are another order");
  }
  Held to = c.from;
  to.in_blocks = false;
  return to;
}

// Partial terms in the order of the blocks that will be scattered.
std::optional<Held> Blocked(const Conversion& c, const Integers& indices) {
  if (!c.from.state.partial() || c.from.in_blocks || indices.size() % static_cast<size_t>(c.ranks.parts) != 0)
    return c.Wrong("it orders what is not to be scattered");
  std::vector<Integers> held;
  const auto piece = static_cast<std::ptrdiff_t>(indices.size()) / c.ranks.parts;
  for (int rank = 0; rank < c.ranks.parts; ++rank)
    held.emplace_back(indices.begin() + rank * piece, indices.begin() + (rank + 1) * piece);
  const auto cut = CutOfElements(held, c.SizeOf(c.from.front));
  if (!cut) return c.Wrong("its indices are no cut of the axis");
  Held to = c.from;
  to.in_blocks = true;
  to.blocks = *cut;
  return to;
}

}  // namespace

std::optional<Held> Gathered(const Conversion& c) {
  const auto constant = c.ranks.constants.find(c.node.inputs[1]);
  const int64_t axis = c.node.Int("axis", 0);
  if (constant == c.ranks.constants.end()) return c.Wrong("its indices are no constant");
  if (c.held.at(c.node.inputs[1]).kind == Held::Kind::kPerRank)
    return Picked(c, constant->second, static_cast<int>(axis));
  const auto indices = SharedIntegers(c.ranks, c.node.inputs[1]);
  if (!indices || axis != 0) return c.Wrong("it orders no axis that stands in front");
  return c.from.state.replicated() ? Ordered(c, *indices) : Blocked(c, *indices);
}

}  // namespace tessera::shard::check
