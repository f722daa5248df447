#include "tessera/engine/tensorrt/transfer.h"

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

Result<void> StepTransfer::SendInputs(const StepPlan& plan, const Step& step) {
  inbound_.Begin();
  for (size_t i = 0; i < plan.shape.replication.size(); ++i) {
    for (size_t r = 0; r < runners_.size(); ++r) {
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

Result<void> StepTransfer::FetchOutputs(const Places& places) {
  outbound_.Begin();
  for (size_t r = 0; r < places.size(); ++r) {
    for (size_t i = 0; i < places[r].size(); ++i) {
      const Region& place = places[r][i];
      if (place.data == nullptr) continue;
      TRY(runners_[r]->CopyOutput(i, place.kind == MemoryKind::kHost ? outbound_.Receive(place) : place));
    }
  }
  return {};
}

}  // namespace tessera::engine
