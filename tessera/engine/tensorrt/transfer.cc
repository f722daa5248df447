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

Result<StepTransfer> StepTransfer::Create(const Runners& runners) {
  StepTransfer transfer(runners);
  for (const auto& runner : runners) {
    if (runner->lanes() == nullptr) continue;
    const EngineTensors& tensors = runner->engine().tensors();
    TRY_ASSIGN(SideCopies side, SideCopies::Create(*runner->lanes(), runner->stream(), tensors.inputs.size(),
                                                   tensors.outputs.size()));
    transfer.sides_.push_back(std::move(side));
  }
  return transfer;
}

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
  for (size_t r = 0; r < runners_->size(); ++r) {
    const RankInputs& inputs = step.ranks[r];
    for (size_t i = 0; i < inputs.tensors.size(); ++i) {
      if (plan.shape.replication[i] != Replication::kCopies) continue;
      at.input(r, i) = UsableBy((*runners_)[r]->stream(), inputs.tensors[i].data);
    }
    for (size_t i = 0; i < places[r].size(); ++i) {
      if (IsOverAnInput(places[r][i], step)) continue;
      at.output(r, i) = UsableBy((*runners_)[r]->stream(), places[r][i]);
    }
  }
}

// Input by input, so that memory which all ranks read is put into pinned memory once.
template <class Visit>
Result<void> StepTransfer::VisitInputs(const StepPlan& plan, const Step& step, const StepAddresses& at,
                                       Visit visit) {
  for (size_t i = 0; i < plan.shape.replication.size(); ++i) {
    if (plan.shape.replication[i] == Replication::kOnHost) continue;
    for (size_t r = 0; r < runners_->size(); ++r) {
      if (at.input(r, i).at == nullptr) TRY(visit(r, i, step.ranks[r].tensors[i].data));
    }
  }
  return {};
}

template <class Visit>
Result<void> StepTransfer::VisitOutputs(const Places& places, const StepAddresses& at, Visit visit) {
  for (size_t r = 0; r < places.size(); ++r) {
    for (size_t i = 0; i < places[r].size(); ++i) {
      const Region& place = places[r][i];
      if (place.data != nullptr && at.output(r, i).at == nullptr) TRY(visit(r, i, place));
    }
  }
  return {};
}

Result<void> StepTransfer::SendInputs(const StepPlan& plan, const Step& step, const StepAddresses& at,
                                      bool beside) {
  inbound_.Begin();
  TRY(VisitInputs(plan, step, at, [&](size_t r, size_t i, const ConstRegion& data) -> Result<void> {
    const ConstRegion source = data.kind == MemoryKind::kHost ? inbound_.Put(data) : data;
    const RankRunner::Inbound part = (*runners_)[r]->InputPart(plan, i, source);
    if (beside && sides_[r].Pays(part.from)) return sides_[r].Bring(i, part.from, part.to);
    return (*runners_)[r]->CopyInput(part);
  }));
  if (!beside) return {};
  for (SideCopies& side : sides_) TRY(side.Deliver());
  return {};
}

Result<Places> StepTransfer::AskSink(const Step& step, const OutputShapes& shapes) const {
  Places places(shapes.size());
  const std::vector<TensorInfo>& outputs = runners_->front()->engine().tensors().outputs;
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

Result<void> StepTransfer::FetchOutputs(const Places& places, const StepAddresses& at, bool beside) {
  outbound_.Begin();
  TRY(VisitOutputs(places, at, [&](size_t r, size_t i, const Region& place) -> Result<void> {
    const RankRunner& runner = *(*runners_)[r];
    const Region target = place.kind == MemoryKind::kHost ? outbound_.Receive(place) : place;
    if (beside && sides_[r].Pays(target)) return sides_[r].Fetch(i, runner.OutputAt(i), target);
    return runner.CopyOutput(i, target);
  }));
  for (size_t r = 0; r < runners_->size(); ++r) {
    last_streams_[r] = &(*runners_)[r]->stream();
    if (beside) {
      TRY_ASSIGN(last_streams_[r], sides_[r].Leave());
    }
  }
  return {};
}

// What goes beside needs room there, whether it lies in pinned memory by then or not.
Result<void> StepTransfer::MakeSideRoom(const StepPlan& plan, const Step& step, const Places& places,
                                        const StepAddresses& at) {
  TRY(VisitInputs(plan, step, at, [&](size_t r, size_t i, const ConstRegion& data) -> Result<void> {
    const ConstRegion part = (*runners_)[r]->InputPart(plan, i, data).from;
    return sides_[r].Pays(part) ? sides_[r].MakeInput(i, part.bytes()) : Result<void>();
  }));
  return VisitOutputs(places, at, [&](size_t r, size_t i, const Region& place) -> Result<void> {
    return sides_[r].Pays(place) ? sides_[r].MakeOutput(i, place.bytes()) : Result<void>();
  });
}

bool StepTransfer::HasSideRoom(const StepPlan& plan, const Step& step, const Places& places,
                               const StepAddresses& at) {
  bool has = true;
  (void)VisitInputs(plan, step, at, [&](size_t r, size_t i, const ConstRegion& data) -> Result<void> {
    const ConstRegion part = (*runners_)[r]->InputPart(plan, i, data).from;
    has = has && (!sides_[r].Pays(part) || sides_[r].HasInput(i, part.bytes()));
    return {};
  });
  (void)VisitOutputs(places, at, [&](size_t r, size_t i, const Region& place) -> Result<void> {
    has = has && (!sides_[r].Pays(place) || sides_[r].HasOutput(i, place.bytes()));
    return {};
  });
  return has;
}

}  // namespace tessera::engine
