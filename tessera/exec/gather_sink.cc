#include "tessera/exec/gather_sink.h"

#include "tessera/engine/step_check.h"

namespace tessera::exec {
namespace {

using Kind = plan::Layout::Kind;

bool Wanted(const plan::Layout& layout, Rank rank) {
  if (layout.kind == Kind::kSplit) return true;
  return rank == (layout.kind == Kind::kRank ? layout.rank : Rank{0});
}

}  // namespace

Result<Region> GatherSink::Place(Rank rank, int index, DType type, const Shape& shape) {
  const Layout::Output& output = layout_.output(index);
  const plan::Layout& how = output.plan->layout;
  if (!Wanted(how, rank)) return Region{};

  MutexLock lock(mutex_);
  std::optional<Whole>& whole = wholes_[static_cast<size_t>(index)];
  if (!whole) whole = Whole{shape, PlaceWhole(output, type, shape)};
  if (!whole->place || how.kind != Kind::kSplit) return whole->place;
  if (whole->local != shape) {
    return Fail(Code::kInternal, "rank {}: output '{}' is {}, on another rank {}", rank.value(),
                output.plan->spec.name, ToString(shape), ToString(whole->local));
  }
  if (whole->place->data == nullptr) return Region{};
  return Part(*whole->place, layout_.GlobalShape(*output.plan, shape), static_cast<size_t>(BitsOf(type)) / 8,
              how.axis, rank, layout_.world_size());
}

Result<Region> GatherSink::PlaceWhole(const Layout::Output& output, DType type, const Shape& local) {
  const TensorSpec& spec = output.plan->spec;
  if (type != spec.type || local.size() != spec.shape.size()) {
    return Fail(Code::kInternal, "output '{}' came as {} {}, the plan says {} {}", spec.name, DTypeName(type),
                ToString(local), DTypeName(spec.type), ToString(spec.shape));
  }
  const Shape global = layout_.GlobalShape(*output.plan, local);
  if (!engine::Fits(global, spec.shape)) {
    return Fail(Code::kInternal, "output '{}' came as {}, the plan says {}", spec.name, ToString(global),
                ToString(spec.shape));
  }
  TRY_ASSIGN(const Region place, target_.Place(output.index, type, global));
  const uint64_t bytes = BytesOf(type, global).value();
  if (place.data == nullptr) return Region{};
  if (place.bytes() != bytes || !place.contiguous()) {
    return Fail(Code::kInvalidArgument, "output '{}' {} got a place of {} bytes, wanted {} in one piece",
                spec.name, ToString(global), place.bytes(), bytes);
  }
  return place;
}

Result<void> GatherSink::Finish() {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < wholes_.size(); ++i) {
    if (wholes_[i]) continue;
    return Fail(Code::kInternal, "the engine gave no output '{}'",
                layout_.output(static_cast<int>(i)).plan->spec.name);
  }
  return {};
}

}  // namespace tessera::exec
