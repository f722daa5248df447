// What a replication probe works with on the GPUs.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/cuda/graph.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"

namespace tessera::engine {

// Made and freed while no step of the process is half issued: neither within a turn of DeviceOrder.
class ProbeBuffers {
 public:
  struct Lane {
    cuda::Stream stream;
    cuda::DeviceBuffer buffer;  // room for a gathered tensor
  };

  // For tensors of up to `bytes`, brought to `devices`.
  static Result<std::shared_ptr<ProbeBuffers>> Create(const std::vector<DeviceId>& devices, size_t bytes);
  // What a GPU that hangs may use is left behind: see LetGo.
  ~ProbeBuffers();
  ProbeBuffers(const ProbeBuffers&) = delete;
  ProbeBuffers& operator=(const ProbeBuffers&) = delete;

  const std::vector<Lane>& lanes() const { return lanes_; }  // [rank]
  // Pinned; different everywhere, so that nothing is right in a wrong place.
  const std::byte* source() const { return source_.data(); }
  // The first `bytes` of the pinned place for what is read back.
  MutableBytes arrived(size_t bytes) const { return {arrived_.data(), bytes}; }

  // Graphs that are launched on the lanes, by rank, go with the memory: when none of them runs any more.
  const std::vector<cuda::Graph>& Keep(std::vector<cuda::Graph> graphs) {
    return graphs_.emplace_back(std::move(graphs));
  }

 private:
  ProbeBuffers() = default;
  void FillSource();

  cuda::PinnedBuffer source_;
  cuda::PinnedBuffer arrived_;
  std::vector<Lane> lanes_;
  std::deque<std::vector<cuda::Graph>> graphs_;
};

}  // namespace tessera::engine
