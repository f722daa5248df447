#include "tessera/engine/tensorrt/compute_capability.h"

#include "tessera/cuda/device.h"

namespace tessera::engine {

Result<std::string> ComputeCapabilityOf(DeviceId gpu) {
  TRY_ASSIGN(const cuda::DeviceInfo info, cuda::GetDeviceInfo(gpu));
  return fmt::format("{}.{}", info.major, info.minor);
}

}  // namespace tessera::engine
