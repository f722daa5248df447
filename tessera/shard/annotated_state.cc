#include "tessera/shard/annotated_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>
#include <set>

namespace tessera::shard {
namespace {

using graph::ShardedAxis;
using graph::ShardedTensor;

std::vector<int64_t> AllDevices(int ranks) {
  std::vector<int64_t> devices(static_cast<size_t>(ranks));
  std::iota(devices.begin(), devices.end(), 0);
  return devices;
}

int64_t Shards(const ShardedAxis& axis) {
  int64_t shards = 1;
  for (const auto& factor : axis.factors) shards *= factor.shards;
  return shards;
}

// The devices in the order of the pieces that they hold; groups one after the other.
std::vector<int64_t> Holders(const ShardedTensor& tensor) {
  std::vector<int64_t> holders;
  for (const int64_t device : tensor.devices) {
    const auto group = tensor.groups.find(device);
    if (group == tensor.groups.end())
      holders.push_back(device);
    else
      holders.insert(holders.end(), group->second.begin(), group->second.end());
  }
  return holders;
}

// Whether as many devices hold each piece.
bool EqualGroups(const ShardedTensor& tensor) {
  std::set<size_t> sizes;
  for (const int64_t device : tensor.devices) {
    const auto group = tensor.groups.find(device);
    sizes.insert(group == tensor.groups.end() ? 1 : group->second.size());
  }
  return sizes.size() == 1;
}

// A dimension of `size`, one of whose factors is cut.
Result<Cut> CutOf(const ShardedAxis& axis, int64_t size, int64_t pieces) {
  if (axis.factors.size() == 1) {
    const int64_t told = axis.factors[0].size;
    if (told != kDynamic && size != kDynamic && told != size)
      return Fail(Code::kInvalidArgument, "its dimension {} has {} elements, the annotation says {}",
                  axis.axis, size, told);
    return Cut();
  }
  int64_t outer = 1;  // segments, each cut by itself
  int64_t segment = 1;
  bool cut = false;
  for (const auto& factor : axis.factors) {
    if (factor.size < 1) return Fail(Code::kUnsupported, "one of several factors of a dimension has no size");
    if (factor.shards != 1 && factor.shards != pieces)
      return Fail(Code::kUnsupported, "two factors of a dimension are cut");
    cut = cut || factor.shards == pieces;
    (cut ? segment : outer) *= factor.size;
  }
  if (outer * segment != size)
    return Fail(Code::kInvalidArgument, "its dimension {} has {} elements, the annotation's factors make {}",
                axis.axis, size, outer * segment);
  return Cut::Of({{segment, outer}}, size);
}

// Pieces that neighbours share: a group of devices each, numbered from the number of devices on.
void Share(const Cut& cut, int parts, ShardedTensor& tensor) {
  tensor.devices.clear();
  for (int piece = 0; piece < cut.Pieces(parts); ++piece) {
    const int64_t group = parts + piece;
    tensor.devices.push_back(group);
    for (int i = 0; i < cut.copies(); ++i) tensor.groups[group].push_back(piece * cut.copies() + i);
  }
}

}  // namespace

Result<State> AnnotatedState(const ShardedTensor& tensor, const graph::Value& value, int ranks) {
  if (const auto holders = Holders(tensor); holders != AllDevices(ranks)) {
    return Fail(Code::kUnsupported, "it is on the devices [{}] in this order, wanted all of 0 to {}",
                fmt::format("{}", fmt::join(holders, ",")), ranks - 1);
  }
  std::vector<const ShardedAxis*> cut;
  for (const ShardedAxis& axis : tensor.axes) {
    if (Shards(axis) < 1)
      return Fail(Code::kInvalidArgument, "a dimension is cut into {} pieces", Shards(axis));
    if (Shards(axis) > 1) cut.push_back(&axis);
  }
  if (cut.empty()) return State::Replicated();
  if (cut.size() > 1) return Fail(Code::kUnsupported, "it is cut along {} axes, wanted one", cut.size());
  const auto pieces = static_cast<int64_t>(tensor.devices.size());
  if (Shards(*cut[0]) != pieces || !EqualGroups(tensor))
    return Fail(Code::kUnsupported,
                "it is cut into {} pieces, wanted one for each of {} devices or equal groups of them",
                Shards(*cut[0]), ranks);
  const auto rank = static_cast<int64_t>(value.shape.size());
  const int64_t axis = cut[0]->axis < 0 ? cut[0]->axis + rank : cut[0]->axis;
  if (!value.has_shape || axis < 0 || axis >= rank)
    return Fail(Code::kInvalidArgument, "it is cut along axis {}, it has {} dimensions", cut[0]->axis, rank);
  TRY_ASSIGN(Cut how, CutOf(*cut[0], value.shape[static_cast<size_t>(axis)], pieces));
  return State::Split(static_cast<int>(axis), how.WithCopies(static_cast<int>(ranks / pieces)));
}

std::optional<ShardedTensor> AnnotationOf(const graph::Value& value, const State& state, int parts) {
  ShardedTensor tensor{value.name, AllDevices(parts), {}, {}};
  if (state.replicated()) return tensor;
  if (state.partial() || state.cut.runs().size() > 1) return std::nullopt;
  const int64_t size = value.shape[static_cast<size_t>(state.axis)];
  const int64_t pieces = state.cut.Pieces(parts);
  ShardedAxis axis{state.axis, {}};
  if (state.cut.one_segment()) {
    axis.factors = {{size, pieces}};
  } else {
    const Run& run = state.cut.runs()[0];
    if (run.count == kDynamic) return std::nullopt;
    axis.factors = {{run.count, 1}, {run.size, pieces}};
  }
  if (state.cut.copies() > 1) Share(state.cut, parts, tensor);
  tensor.axes.push_back(std::move(axis));
  return tensor;
}

}  // namespace tessera::shard
