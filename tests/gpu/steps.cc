#include "tests/gpu/steps.h"

namespace tessera::gputest {

Result<Region> Taker::Place(Rank rank, int index, DType type, const Shape& shape) {
  const std::pair<int, int> key{rank.value(), index};
  if (auto told = regions_.find(key); told != regions_.end()) return told->second;
  if (!regions_.empty() || (rank.value() != 0 && !all_)) return Region{};
  std::vector<std::byte>& bytes = taken_[key];
  bytes.resize(BytesOf(type, shape).value());
  shapes_[key] = shape;
  return HostRegion(MutableBytes(bytes));
}

engine::Step Common(std::vector<TensorView> tensors, int ranks, engine::OutputSink& sink, Deadline deadline) {
  engine::Step step;
  step.ranks.assign(static_cast<size_t>(ranks), engine::RankInputs{std::move(tensors)});
  step.sink = &sink;
  step.deadline = deadline;
  return step;
}

}  // namespace tessera::gputest
