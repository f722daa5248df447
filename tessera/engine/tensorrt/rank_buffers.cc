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
  // Grows by half at least, where there is room: a client that raises its batch size one by one must not void
  // every graph each time.
  const size_t least = std::max(bytes, size_t{256});
  const size_t wanted = std::max(least, buffer.size() + buffer.size() / 2);
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device_));
  buffer = cuda::DeviceBuffer();
  Result<cuda::DeviceBuffer> grown = cuda::DeviceBuffer::Create(device_, wanted);
  if (!grown && wanted > least) grown = cuda::DeviceBuffer::Create(device_, least);
  TRY_ASSIGN(buffer, std::move(grown));
  CUDA_TRY(cudaMemsetAsync(buffer.data(), 0, buffer.size(), stream.get()));
  return true;
}

}  // namespace tessera::engine
