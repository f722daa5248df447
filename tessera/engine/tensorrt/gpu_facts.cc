#include "tessera/engine/tensorrt/gpu_facts.h"

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::engine {

Result<std::string> ComputeCapabilityOf(DeviceId gpu) {
  TRY_ASSIGN(const cuda::DeviceInfo info, cuda::GetDeviceInfo(gpu));
  return fmt::format("{}.{}", info.major, info.minor);
}

Result<std::string> UuidOf(DeviceId gpu) {
  TRY_ASSIGN(const cuda::DeviceInfo info, cuda::GetDeviceInfo(gpu));
  return info.uuid;
}

Result<double> MemoryInUseOf(DeviceId gpu) {
  TRY(cuda::GetDeviceInfo(gpu));
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(gpu));
  size_t free = 0;
  size_t total = 0;
  CUDA_TRY(cudaMemGetInfo(&free, &total));
  return 1 - static_cast<double>(free) / static_cast<double>(total);
}

}  // namespace tessera::engine
