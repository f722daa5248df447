// Pinned host memory between a request's pageable memory and the GPUs, used anew by each step.
#pragma once

#include <vector>

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/cuda/memory.h"

namespace tessera::engine {

class HostStage {
 public:
  // Whether a step that asks for at most `bytes` in `pieces` pieces finds room.
  bool HasRoom(size_t bytes, size_t pieces) const;
  // Makes that room. Nothing of the step before is in use any more. Waits for every GPU: see
  // DeviceOrder::Quiet.
  Result<void> MakeRoom(size_t bytes, size_t pieces);

  // Starts a step.
  void Begin();

  // The content of `from` (kHost) in pinned memory, dense; the same region twice is copied once.
  ConstRegion Put(const ConstRegion& from);

  // Pinned memory that becomes the content of `to` at Finish.
  Region Receive(const Region& to);
  // Copies what was received to where it belongs.
  void Finish();

 private:
  static constexpr size_t kAlignment = 256;
  std::byte* Take(size_t bytes);

  struct Sent {
    ConstRegion from;
    std::byte* at;
  };
  struct Received {
    Region to;
    std::byte* at;
  };
  cuda::PinnedBuffer memory_;
  size_t used_ = 0;
  std::vector<Sent> sent_;
  std::vector<Received> received_;
};

}  // namespace tessera::engine
