// Memory for an output whose shape the engine finds out while it runs.
#pragma once

#include <NvInferRuntime.h>

#include <vector>

#include "tessera/base/types.h"
#include "tessera/cuda/memory.h"

namespace tessera::engine {

// Grows while a step is being issued, when other ranks' collectives may be at work already. Freeing memory
// would wait for them, and they wait for this rank: what was outgrown stays until the step is over.
class OutputAllocator final : public nvinfer1::IOutputAllocator {
 public:
  explicit OutputAllocator(DeviceId device) : device_(device) {}

  // Null where there is no memory: the enqueue then fails and says so.
  void* reallocateOutputAsync(const char* name, void* current, uint64_t size, uint64_t alignment,
                              cudaStream_t stream) noexcept override;
  void notifyShape(const char* name, const nvinfer1::Dims& dims) noexcept override;

  // Of the last step, once its stream is drained.
  const Shape& shape() const { return shape_; }
  const std::byte* data() const { return buffer_.data(); }

  bool has_outgrown() const { return !outgrown_.empty(); }
  // While no step of the process is half issued: see DeviceOrder::Quiet.
  void DropOutgrown() { outgrown_.clear(); }

 private:
  const DeviceId device_;
  cuda::DeviceBuffer buffer_;
  std::vector<cuda::DeviceBuffer> outgrown_;
  Shape shape_;
};

}  // namespace tessera::engine
