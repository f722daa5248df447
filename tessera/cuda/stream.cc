#include "tessera/cuda/stream.h"

#include <thread>

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {

Result<Stream> Stream::Create(DeviceId device, Priority priority) {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(device));
  int least = 0;
  int greatest = 0;
  CUDA_TRY(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  cudaStream_t handle = nullptr;
  CUDA_TRY(cudaStreamCreateWithPriority(&handle, cudaStreamNonBlocking,
                                        priority == Priority::kHigh ? greatest : least));
  return Stream(device, handle);
}

Result<void> Stream::After(const Event& event) const {
  CUDA_TRY(cudaStreamWaitEvent(get(), event.get(), 0));
  return {};
}

Result<bool> Stream::Idle() const {
  const cudaError_t status = cudaStreamQuery(get());
  if (status == cudaErrorNotReady) {
    (void)cudaGetLastError();
    return false;
  }
  CUDA_TRY(status);
  return true;
}

Result<void> Stream::Drain(Deadline deadline) const {
  while (true) {
    TRY_ASSIGN(bool idle, Idle());
    if (idle) return {};
    if (deadline.passed()) return Fail(Code::kDeadline, "GPU {} is still at work", device_.value());
    std::this_thread::yield();
  }
}

}  // namespace tessera::cuda
