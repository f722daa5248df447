// Whether a GPU's writes to another one's memory arrive.
#pragma once

#include <functional>

#include "tessera/base/deadline.h"
#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::cuda {

// For tests: changes what arrived, as a machine that loses writes would.
using TamperWithCopy = std::function<void(DeviceId from, DeviceId to, MutableBytes arrived)>;

// Copies some content from `from` to `to` directly and compares what then lies on `to`. On some machines the
// driver offers peer access and the writes are lost (nccl#2335, an IOMMU between the GPUs). Right: peer
// access from one to the other stays enabled. Wrong: it is disabled, so that CUDA's copies between the two
// go through the host. False without a copy where the driver offers none. Once a process for each pair, but
// for tests. Errors: kDeadline (a GPU does not answer, for some seconds at most), CUDA's.
Result<bool> PeerCopiesArrive(DeviceId from, DeviceId to, Deadline deadline,
                              const TamperWithCopy& tamper = {});

}  // namespace tessera::cuda
