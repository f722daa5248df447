#include "tessera/engine/tensorrt/rank_buffers.h"

#include <algorithm>

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::engine {

Result<bool> RankBuffers::EnsureInput(size_t index, size_t bytes, const cuda::Stream& stream) {
  return Ensure(inputs_[index], bytes, stream);
}

Result<bool> RankBuffers::EnsureOutput(size_t index, size_t bytes, const cuda::Stream& stream) {
  return Ensure(outputs_[index], bytes, stream);
}

Result<bool> RankBuffers::Ensure(cuda::DeviceBuffer& buffer, size_t bytes, const cuda::Stream& stream) {
  if (buffer.size() >= std::max<size_t>(bytes, 1)) return false;
  // Grows by half at least: a client that raises its batch size one by one must not void every graph each
  // time.
  const size_t wanted = std::max({bytes, buffer.size() + buffer.size() / 2, size_t{256}});
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device_));
  buffer = cuda::DeviceBuffer();
  TRY_ASSIGN(buffer, cuda::DeviceBuffer::Create(device_, wanted));
  CUDA_TRY(cudaMemsetAsync(buffer.data(), 0, wanted, stream.get()));
  return true;
}

}  // namespace tessera::engine
