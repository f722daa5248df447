// Steps for tests and benchmarks: tensors given to all ranks, outputs taken from rank 0.
#pragma once

#include <map>
#include <vector>

#include "tessera/engine/rank_group.h"

namespace tessera::gputest {

// Takes outputs to memory of its own: host memory, or what `Take` was told.
class Taker final : public engine::OutputSink {
 public:
  // Output `index` of `rank` goes to `region` (of the right size); without a call, every output of rank 0 is
  // taken to host memory and the other ranks' are not wanted.
  void TakeTo(Rank rank, int index, Region region) { regions_[{rank.value(), index}] = region; }
  // Every rank's outputs are taken to host memory.
  void TakeAll() { all_ = true; }
  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override;

  template <class T>
  std::vector<T> Values(int rank, int index) const {
    const std::vector<std::byte>& bytes = taken_.at({rank, index});
    std::vector<T> values(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(values.data()));
    return values;
  }
  const Shape& shape(int rank, int index) const { return shapes_.at({rank, index}); }

 private:
  bool all_ = false;
  std::map<std::pair<int, int>, Region> regions_;
  std::map<std::pair<int, int>, std::vector<std::byte>> taken_;
  std::map<std::pair<int, int>, Shape> shapes_;
};

// The same tensors for each of `ranks` ranks.
engine::Step Common(std::vector<TensorView> tensors, int ranks, engine::OutputSink& sink, Deadline deadline);

}  // namespace tessera::gputest
