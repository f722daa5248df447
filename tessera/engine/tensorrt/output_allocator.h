// Memory for an output whose shape the engine finds out while it runs.
#pragma once

#include <NvInferRuntime.h>

#include "tessera/base/types.h"
#include "tessera/cuda/memory.h"

namespace tessera::engine {

class OutputAllocator final : public nvinfer1::IOutputAllocator {
 public:
  explicit OutputAllocator(DeviceId device) : device_(device) {}

  // Null where there is no memory: the enqueue then fails and says so.
  void* reallocateOutputAsync(const char* name, void* current, uint64_t size, uint64_t alignment,
                              cudaStream_t stream) noexcept override;
  void* reallocateOutput(const char* name, void* current, uint64_t size,
                         uint64_t alignment) noexcept override;
  void notifyShape(const char* name, const nvinfer1::Dims& dims) noexcept override;

  // Of the last step, once its stream is drained.
  const Shape& shape() const { return shape_; }
  const std::byte* data() const { return buffer_.data(); }

 private:
  const DeviceId device_;
  cuda::DeviceBuffer buffer_;
  Shape shape_;
};

}  // namespace tessera::engine
