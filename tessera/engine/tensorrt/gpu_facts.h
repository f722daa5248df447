// What a server asks of a GPU beside the engines on it.
#pragma once

#include <string>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine {

// Errors of all: kUnavailable (no such GPU).
Result<std::string> ComputeCapabilityOf(DeviceId gpu);  // "9.0"
Result<std::string> UuidOf(DeviceId gpu);    // "GPU-3b0c..", as NVIDIA's tools and Triton's metrics have it
Result<double> MemoryInUseOf(DeviceId gpu);  // 0 to 1, of all processes; begins CUDA on the GPU

}  // namespace tessera::engine
