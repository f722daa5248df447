// Where one rank's inputs and outputs lie on its GPU: the same addresses from step to step, so that CUDA
// graphs can be replayed on them.
#pragma once

#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"

namespace tessera::engine {

class RankBuffers {
 public:
  RankBuffers(DeviceId device, size_t inputs, size_t outputs)
      : device_(device), inputs_(inputs), outputs_(outputs) {}

  // Room for `bytes` (at least one, so that every tensor has an address). New memory is zeroed by work on
  // `stream`: a warm-up run reads it. True: the address changed, graphs that know the old one are void. Errors:
  // kUnavailable (the GPU lacks the memory; the old one is gone).
  Result<bool> EnsureInput(size_t index, size_t bytes, const cuda::Stream& stream);
  Result<bool> EnsureOutput(size_t index, size_t bytes, const cuda::Stream& stream);

  std::byte* input(size_t index) const { return inputs_[index].data(); }
  std::byte* output(size_t index) const { return outputs_[index].data(); }

 private:
  Result<bool> Ensure(cuda::DeviceBuffer& buffer, size_t bytes, const cuda::Stream& stream);
  DeviceId device_;
  std::vector<cuda::DeviceBuffer> inputs_;
  std::vector<cuda::DeviceBuffer> outputs_;
};

}  // namespace tessera::engine
