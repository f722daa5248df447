#include "tessera/cuda/memory.h"

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {

Result<DeviceBuffer> DeviceBuffer::Create(DeviceId device, size_t bytes) {
  DeviceBuffer buffer;
  buffer.device_ = device;
  if (bytes == 0) return buffer;
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(device));
  void* address = nullptr;
  const cudaError_t status = cudaMalloc(&address, bytes);
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    size_t free = 0;
    size_t total = 0;
    CUDA_TRY(cudaMemGetInfo(&free, &total));
    return Fail(Code::kUnavailable, "GPU {} is out of memory: {} bytes wanted, {} of {} free", device.value(),
                bytes, free, total);
  }
  CUDA_TRY(status);
  buffer.size_ = bytes;
  buffer.handle_.Reset(address);
  return buffer;
}

Result<PinnedBuffer> PinnedBuffer::Create(size_t bytes) {
  PinnedBuffer buffer;
  if (bytes == 0) return buffer;
  void* address = nullptr;
  CUDA_TRY(cudaHostAlloc(&address, bytes, cudaHostAllocPortable | cudaHostAllocMapped));
  buffer.size_ = bytes;
  buffer.handle_.Reset(address);
  return buffer;
}

}  // namespace tessera::cuda
