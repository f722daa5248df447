#include "tessera/engine/tensorrt/transfer.h"

#include <algorithm>

#include "tessera/cuda/allocation.h"
#include "tessera/engine/step_check.h"

namespace tessera::engine {
namespace {

// Pageable memory goes through pinned memory: CUDA would copy it while the caller waits, rank after rank.
struct PinnedNeed {
  size_t bytes = 0;
  size_t pieces = 0;

  template <class AnyRegion>
  void Add(const AnyRegion& region) {
    if (region.data == nullptr || region.kind != MemoryKind::kHost) return;
    bytes += region.bytes();
    ++pieces;
  }
};

bool SameSource(const ConstRegion& one, const ConstRegion& other) {
  return one.data == other.data && one.bytes() == other.bytes();
}

// Memory that the driver knows no allocation of is copied: no error.
template <class AnyRegion>
UsedMemory UsableBy(const cuda::Stream& stream, const AnyRegion& region) {
  constexpr uintptr_t kAlignment = 256;  // TensorRT's
  if (region.kind != MemoryKind::kDevice || region.device != stream.device() || region.data == nullptr) {
    return {};
  }
  if (!region.contiguous() || region.bytes() == 0) return {};
  if (reinterpret_cast<uintptr_t>(region.data) % kAlignment != 0) return {};
  const Result<uint64_t> allocation = cuda::AllocationOf(region.data);
  if (!allocation) return {};
  return {const_cast<std::byte*>(region.data), *allocation};  // engines do not write inputs
}

template <class AnyRegion>
size_t Extent(const AnyRegion& region) {
  return region.rows <= 1 ? region.bytes() : (region.rows - 1) * region.pitch + region.row_bytes;
}

bool Overlap(const ConstRegion& input, const Region& output) {
  const auto from = reinterpret_cast<uintptr_t>(input.data);
  const auto to = reinterpret_cast<uintptr_t>(output.data);
  return from < to + Extent(output) && to < from + Extent(input);
}

// Any rank's: a peer may still be copying it.
bool IsOverAnInput(const Region& output, const Step& step) {
  return std::any_of(step.ranks.begin(), step.ranks.end(), [&](const RankInputs& rank) {
    return std::any_of(rank.tensors.begin(), rank.tensors.end(),
                       [&](const TensorView& input) { return Overlap(input.data, output); });
  });
}

PinnedNeed NeedOfInputs(const Step& step) {
  PinnedNeed need;
  for (size_t r = 0; r < step.ranks.size(); ++r) {
    for (size_t i = 0; i < step.ranks[r].tensors.size(); ++i) {
      const ConstRegion& data = step.ranks[r].tensors[i].data;
      const bool put_before = r > 0 && SameSource(data, step.ranks[r - 1].tensors[i].data);
      if (!put_before) need.Add(data);
    }
  }
  return need;
}

PinnedNeed NeedOfOutputs(const Places& places) {
  PinnedNeed need;
  for (const std::vector<Region>& rank : places) {
    for (const Region& place : rank) need.Add(place);
  }
  return need;
}

}  // namespace

bool StepTransfer::HasRoom(const Step& step) const {
  const PinnedNeed need = NeedOfInputs(step);
  return inbound_.HasRoom(need.bytes, need.pieces);
}

bool StepTransfer::HasRoom(const Places& places) const {
  const PinnedNeed need = NeedOfOutputs(places);
  return outbound_.HasRoom(need.bytes, need.pieces);
}

Result<void> StepTransfer::MakeRoom(const Step& step) {
  const PinnedNeed need = NeedOfInputs(step);
  return inbound_.MakeRoom(need.bytes, need.pieces);
}

Result<void> StepTransfer::MakeRoom(const Places& places) {
  const PinnedNeed need = NeedOfOutputs(places);
  return outbound_.MakeRoom(need.bytes, need.pieces);
}

void StepTransfer::FindDirect(const StepPlan& plan, const Step& step, const Places& places,
                              StepAddresses& at) const {
  at.Clear();
  for (size_t r = 0; r < runners_.size(); ++r) {
    const RankInputs& inputs = step.ranks[r];
    for (size_t i = 0; i < inputs.tensors.size(); ++i) {
      if (plan.shape.replication[i] != Replication::kCopies) continue;
      at.input(r, i) = UsableBy(runners_[r]->stream(), inputs.tensors[i].data);
    }
    for (size_t i = 0; i < places[r].size(); ++i) {
      if (IsOverAnInput(places[r][i], step)) continue;
      at.output(r, i) = UsableBy(runners_[r]->stream(), places[r][i]);
    }
  }
}

Result<void> StepTransfer::SendInputs(const StepPlan& plan, const Step& step, const StepAddresses& at) {
  inbound_.Begin();
  for (size_t i = 0; i < plan.shape.replication.size(); ++i) {
    if (plan.shape.replication[i] == Replication::kOnHost) continue;
    for (size_t r = 0; r < runners_.size(); ++r) {
      if (at.input(r, i).at != nullptr) continue;
      const ConstRegion& data = step.ranks[r].tensors[i].data;
      TRY(runners_[r]->CopyInput(plan, i, data.kind == MemoryKind::kHost ? inbound_.Put(data) : data));
    }
  }
  return {};
}

Result<Places> StepTransfer::AskSink(const Step& step, const OutputShapes& shapes) const {
  Places places(shapes.size());
  const std::vector<TensorInfo>& outputs = runners_.front()->engine().tensors().outputs;
  for (size_t r = 0; r < shapes.size(); ++r) {
    for (size_t i = 0; i < shapes[r].size(); ++i) {
      const TensorSpec& spec = outputs[i].spec;
      const Shape& shape = shapes[r][i];
      TRY_ASSIGN(Region place,
                 step.sink->Place(Rank(static_cast<int>(r)), static_cast<int>(i), spec.type, shape));
      TRY(CheckPlace(place, spec, spec.type, shape));
      places[r].push_back(place);
    }
  }
  return places;
}

Result<void> StepTransfer::FetchOutputs(const Places& places, const StepAddresses& at) {
  outbound_.Begin();
  for (size_t r = 0; r < places.size(); ++r) {
    for (size_t i = 0; i < places[r].size(); ++i) {
      const Region& place = places[r][i];
      if (place.data == nullptr || at.output(r, i).at != nullptr) continue;
      TRY(runners_[r]->CopyOutput(i, place.kind == MemoryKind::kHost ? outbound_.Receive(place) : place));
    }
  }
  return {};
}

}  // namespace tessera::engine
