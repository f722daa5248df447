// Whole buffers on GPUs, as steps and copies take them.
#pragma once

#include "tessera/base/deadline.h"
#include "tessera/cuda/memory.h"

namespace tessera::gputest {

Region Whole(const cuda::DeviceBuffer& buffer);

// Copies, on a stream of its own of `device`, and waits.
Result<void> CopyNow(const ConstRegion& from, const Region& to, DeviceId device, Deadline deadline);

}  // namespace tessera::gputest
