#include "tessera/shard/converter.h"

#include <algorithm>

namespace tessera::shard {
namespace {

using graph::Constant;
using graph::ValueId;

// Position in the blocks of all ranks one after the other, for each element of the whole dimension.
std::vector<int64_t> WholeFromBlocks(const Cut& cut, int64_t size, int parts) {
  std::vector<int64_t> position(static_cast<size_t>(size));
  int64_t at = 0;
  for (int rank = 0; rank < parts; ++rank) {
    for (const int64_t element : cut.Indices(size, parts, rank))
      position[static_cast<size_t>(element)] = at++;
  }
  return position;
}

// The elements of the whole dimension in the order of the ranks' blocks.
std::vector<int64_t> BlocksFromWhole(const Cut& cut, int64_t size, int parts) {
  std::vector<int64_t> elements;
  for (int rank = 0; rank < parts; ++rank) {
    const auto held = cut.Indices(size, parts, rank);
    elements.insert(elements.end(), held.begin(), held.end());
  }
  return elements;
}

// A dimension that is `parts` times smaller or larger on a rank, where it is known.
int64_t Part(int64_t size, int parts) {
  return size == kDynamic ? kDynamic : size / parts;
}

// The sizes of a shape with `axis` brought to the front, that dimension set to `size`.
Shape Front(Shape shape, int axis, int64_t size) {
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin(), size);
  return shape;
}

}  // namespace

Result<ValueId> Converter::Convert(ValueId value, ValueId original, const graph::Value& whole,
                                   const State& from, const State& to, const std::string& name) {
  TRY_ASSIGN(const ValueId made, Emit(value, original, whole, from, to, name));
  RankModel& model = emitter_.model();
  model.collective_us.resize(model.collectives.size(), cost_.Convert(original, from, to).us);
  return made;
}

Result<ValueId> Converter::Emit(ValueId value, ValueId original, const graph::Value& whole, const State& from,
                                const State& to, const std::string& name) {
  const double bytes = cost_.NominalBytes(original);
  if (from.replicated() && to.split()) return Slice(value, whole, to, name);
  if (Refines(from, to)) return OwnCopy(value, whole, from, to, name);
  if (from.partial() && to.replicated()) {
    return emitter_.Collective(CollectiveOp::kAllReduce, from.reduce, value, whole.shape, bytes, name);
  }
  if (from.split() && to.replicated()) return AllGather(value, whole, from, bytes, name);
  if (from.partial() && to.split()) return ReduceScatter(value, whole, from, to, bytes, name);
  if (ExchangesDirectly(from, to)) return Exchange(value, whole, from, to, bytes, name);
  if (from.split() && to.split()) {
    return Slice(AllGather(value, whole, from, bytes, name + ".whole"), whole, to, name);
  }
  return Fail(Code::kInternal, "value '{}': no way from {} to {}", whole.name, from.ToString(),
              to.ToString());
}

// Each rank's own piece. The cut one, too, is a lookup with one list of indices a rank; the plain one is a
// Slice.
ValueId Converter::Slice(ValueId value, const graph::Value& whole, const State& to, const std::string& name) {
  RankModel& model = emitter_.model();
  const int64_t size = whole.shape[static_cast<size_t>(to.axis)];
  if (size == kDynamic) return SliceAtRunTime(value, whole, to, name);
  if (!to.cut.plain() || model.graph.opset() < 10) {
    std::vector<std::vector<int64_t>> indices;
    for (int rank = 0; rank < model.parts; ++rank) indices.push_back(to.cut.Indices(size, model.parts, rank));
    return emitter_.Take(value, to.axis, std::move(indices), name);
  }
  std::vector<Constant> starts;
  std::vector<Constant> ends;
  const int64_t piece = size / model.parts;
  for (int rank = 0; rank < model.parts; ++rank) {
    starts.push_back(Constant::OfInt64({rank * piece}, {1}));
    ends.push_back(Constant::OfInt64({(rank + 1) * piece}, {1}));
  }
  return emitter_.Op(
      "Slice", name,
      {value, emitter_.PerRank(name + "/start", std::move(starts)),
       emitter_.PerRank(name + "/end", std::move(ends)), emitter_.Integers(name + "/axis", {to.axis})},
      LocalShape(whole.shape, to, model.parts));
}

// Each rank's own part of a piece that several of them hold.
ValueId Converter::OwnCopy(ValueId value, const graph::Value& whole, const State& from, const State& to,
                           const std::string& name) {
  const int parts = emitter_.model().parts;
  const int64_t size = whole.shape[static_cast<size_t>(to.axis)];
  std::vector<std::vector<int64_t>> places;
  for (int rank = 0; rank < parts; ++rank) {
    const auto held = from.cut.Indices(size, parts, rank);
    places.emplace_back();
    for (const int64_t element : to.cut.Indices(size, parts, rank))
      places.back().push_back(std::lower_bound(held.begin(), held.end(), element) - held.begin());
  }
  return emitter_.Take(value, to.axis, std::move(places), name);
}

ValueId Converter::AllGather(ValueId value, const graph::Value& whole, const State& from, double bytes,
                             const std::string& name) {
  const int parts = emitter_.model().parts;
  const int64_t size = whole.shape[static_cast<size_t>(from.axis)];
  const bool last = from.axis == 0 && from.cut.plain();
  ValueId at = emitter_.ToFront(value, from.axis, name + ".front");
  at = emitter_.Collective(CollectiveOp::kAllGather, ReduceOp::kNone, at, Front(whole.shape, from.axis, size),
                           bytes / parts, last ? name : name + ".blocks");
  if (!from.cut.plain()) {
    at = emitter_.Take(at, 0, {WholeFromBlocks(from.cut, size, parts)},
                       from.axis == 0 ? name : name + ".ordered");
  }
  return emitter_.FromFront(at, from.axis, name);
}

ValueId Converter::ReduceScatter(ValueId value, const graph::Value& whole, const State& from, const State& to,
                                 double bytes, const std::string& name) {
  const int parts = emitter_.model().parts;
  const int64_t size = whole.shape[static_cast<size_t>(to.axis)];
  ValueId at = emitter_.ToFront(value, to.axis, name + ".front");
  if (!to.cut.plain()) at = emitter_.Take(at, 0, {BlocksFromWhole(to.cut, size, parts)}, name + ".ordered");
  at = emitter_.Collective(CollectiveOp::kReduceScatter, from.reduce, at,
                           Front(whole.shape, to.axis, Part(size, parts)), bytes,
                           to.axis == 0 ? name : name + ".block");
  return emitter_.FromFront(at, to.axis, name);
}

// A dynamic dimension: each rank's bounds are made of the size at hand; it divides, the executor saw to that.
ValueId Converter::SliceAtRunTime(ValueId value, const graph::Value& whole, const State& to,
                                  const std::string& name) {
  RankModel& model = emitter_.model();
  std::vector<Constant> first;
  for (int rank = 0; rank < model.parts; ++rank) first.push_back(Constant::OfInt64({rank}, {1}));
  const auto integers = [&](ValueId id) {
    model.graph.value(id).type = DType::kInt64;
    return id;
  };
  const ValueId shape =
      integers(emitter_.Op("Shape", name + "/shape", {value}, {static_cast<int64_t>(whole.shape.size())}));
  const ValueId size = emitter_.Take(shape, 0, {{to.axis}}, name + "/size");
  const ValueId piece =
      emitter_.Op("Div", name + "/piece", {size, emitter_.Integers(name + "/ranks", {model.parts})}, {1});
  const ValueId start =
      emitter_.Op("Mul", name + "/start", {piece, emitter_.PerRank(name + "/rank", std::move(first))}, {1});
  const ValueId end = emitter_.Op("Add", name + "/end", {start, piece}, {1});
  return emitter_.Op("Slice", name, {value, start, end, emitter_.Integers(name + "/axis", {to.axis})},
                     LocalShape(whole.shape, to, model.parts));
}

// An all-to-all: the blocks of `to`'s axis are stacked in front, exchanged, and laid side by side along
// `from`'s axis. Pieces are cut and joined by Split and Concat, which need no sizes of the other dimensions.
ValueId Converter::Exchange(ValueId value, const graph::Value& whole, const State& from, const State& to,
                            double bytes, const std::string& name) {
  RankModel& model = emitter_.model();
  const int parts = model.parts;
  Shape block = LocalShape(LocalShape(whole.shape, from, parts), to, parts);
  const auto blocks = emitter_.Split(value, to.axis, block, name + ".block");
  // Stacked along axis 0 (no new dimension): rows 0 .. n-1 of block 0, then block 1 ...
  Shape stacked = block;
  stacked[0] = block[0] == kDynamic ? kDynamic : block[0] * parts;
  const ValueId sent = emitter_.Concat(blocks, 0, stacked, name + ".sent");
  const ValueId received = emitter_.Collective(CollectiveOp::kAllToAll, ReduceOp::kNone, sent, stacked,
                                               bytes / parts, name + ".received");
  const auto pieces = emitter_.Split(received, 0, block, name + ".piece");
  return emitter_.Concat(pieces, from.axis, LocalShape(whole.shape, to, parts), name);
}

}  // namespace tessera::shard
