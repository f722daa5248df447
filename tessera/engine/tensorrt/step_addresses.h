// Memory of a request that a step uses in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tessera/cuda/graph.h"

namespace tessera::engine {

// The allocation is part of it: freed and made anew at the same address, memory may have other mappings on
// the other GPUs, which NCCL makes when it is captured.
struct UsedMemory {
  std::byte* at = nullptr;
  uint64_t allocation = 0;
  bool operator==(const UsedMemory&) const = default;
};

// Where the engines read and write, by rank: its inputs, then its outputs. No memory: the rank's own buffer,
// with a copy in front of or behind the inference.
class StepAddresses {
 public:
  StepAddresses() = default;
  StepAddresses(size_t ranks, size_t inputs, size_t outputs)
      : inputs_(inputs), tensors_(inputs + outputs), used_(ranks * tensors_) {}

  UsedMemory& input(size_t rank, size_t index) { return used_[rank * tensors_ + index]; }
  UsedMemory& output(size_t rank, size_t index) { return used_[rank * tensors_ + inputs_ + index]; }
  const UsedMemory& input(size_t rank, size_t index) const { return used_[rank * tensors_ + index]; }
  const UsedMemory& output(size_t rank, size_t index) const {
    return used_[rank * tensors_ + inputs_ + index];
  }

  bool any() const;
  void Clear() { used_.assign(used_.size(), UsedMemory{}); }
  bool operator==(const StepAddresses&) const = default;

 private:
  size_t inputs_ = 0;
  size_t tensors_ = 0;
  std::vector<UsedMemory> used_;
};

using Graphs = std::vector<cuda::Graph>;  // [rank]
// For each slot that a step in flight may have the same work, with the events of that slot.
using SlotGraphs = std::vector<Graphs>;

// A step captured on certain addresses.
struct CapturedStep {
  StepAddresses at;
  SlotGraphs graphs;  // collectives inside
};

}  // namespace tessera::engine
