// What every rank gave in one step.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/engine/rank_group.h"

namespace tessera::exec {

class RankOutputs final : public engine::OutputSink {
 public:
  struct Output {
    bool kept = false;
    DType type = DType::kUndefined;
    Shape shape;  // local
    std::vector<std::byte> bytes;
  };

  // Outputs of more than `most_bytes` are not kept.
  RankOutputs(int ranks, size_t outputs, uint64_t most_bytes)
      : outputs_(static_cast<size_t>(ranks), std::vector<Output>(outputs)), most_bytes_(most_bytes) {}

  // Each rank's thread writes to entries of its own.
  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override;

  // By the engine's index.
  const Output& at(Rank rank, size_t index) const {
    return outputs_.at(static_cast<size_t>(rank.value())).at(index);
  }

 private:
  std::vector<std::vector<Output>> outputs_;
  const uint64_t most_bytes_;
};

}  // namespace tessera::exec
