// A build without NCCL: TensorRT on one GPU.
#include "tessera/engine/tensorrt/peers.h"

namespace tessera::engine {

Result<void> Peers::Supported() {
  return Fail(Code::kUnsupported,
              "a TensorRT model on several GPUs is not in this build: configure with "
              "-DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON");
}

Result<std::shared_ptr<Peers>> Peers::Connect(const std::vector<DeviceId>&, bool, Deadline,
                                              const BeforeWork&) {
  TRY(Supported());
  return Fail(Code::kInternal, "supported, but not connected");
}

void Peers::Prepare(const std::vector<DeviceId>&, BeforeWork) {}

}  // namespace tessera::engine
