// What keeps communicators in memory after an abort.
#pragma once

#include <nccl.h>

#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/cuda/graph.h"
#include "tessera/cuda/stream.h"

namespace tessera::comm {

// One captured collective per communicator. ncclCommAbort makes kernels give up at once, but frees a
// communicator only when no CUDA graph refers to it any more: with these alive, an engine's context may still
// hold its pointer. Source: NCCL 2.28, init.cc, commDestroySync, localPersistentRefs.
class Anchors {
 public:
  Anchors() = default;
  // The communicators must have run a collective before (the first one cannot be captured).
  static Result<Anchors> Capture(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms);

 private:
  struct One {
    cuda::Stream stream;
    cuda::Graph graph;
  };
  std::vector<One> ranks_;
};

}  // namespace tessera::comm
