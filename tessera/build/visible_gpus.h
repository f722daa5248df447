// The GPUs that a CUDA program started from here would find, as CUDA's driver tells: CUDA_VISIBLE_DEVICES,
// MPS and MIG decide that, which NVIDIA's management library does not look at.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::build {

struct VisibleGpu {
  std::string uuid;  // "GPU-8d7c3a52-..", as CUDA_VISIBLE_DEVICES takes it
  std::string name;
  int compute_capability = 0;  // 90 for 9.0
};

// In CUDA's order, without those that no program may use; one at least. Opens `driver`; makes no context.
// Errors: kNotFound (no driver), kUnavailable (no GPU, or what the driver says of it).
// Source: CUDA driver API, device management.
Result<std::vector<VisibleGpu>> VisibleGpus(const std::string& driver = "libcuda.so.1");

}  // namespace tessera::build
