#include "tessera/engine/tensorrt/output_allocator.h"

#include <algorithm>

#include "tessera/base/log.h"
#include "tessera/engine/tensorrt/tensor_info.h"

namespace tessera::engine {

void* OutputAllocator::reallocateOutputAsync(const char* name, void*, uint64_t size, uint64_t,
                                             cudaStream_t) noexcept {
  if (buffer_.size() >= std::max<uint64_t>(size, 1)) return buffer_.data();
  Result<cuda::DeviceBuffer> grown = cuda::DeviceBuffer::Create(device_, std::max<uint64_t>(size, 256));
  if (!grown) {
    TESSERA_LOG(kError, "output '{}': {}", name, grown.error().message);
    return nullptr;
  }
  if (buffer_.data() != nullptr) outgrown_.push_back(std::move(buffer_));
  buffer_ = *std::move(grown);
  return buffer_.data();
}

void OutputAllocator::notifyShape(const char*, const nvinfer1::Dims& dims) noexcept {
  shape_ = FromTensorRt(dims);
}

}  // namespace tessera::engine
