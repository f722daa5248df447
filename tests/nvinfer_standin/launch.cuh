// How the kernels are launched, and how one with a thread an element finds its elements.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>

namespace tessera::standin {

inline constexpr int kThreads = 256;  // a block

// For `count` elements; where that would be very many blocks, threads take several elements.
inline dim3 Blocks(int64_t count) {
  return dim3(static_cast<unsigned>(std::clamp<int64_t>((count + kThreads - 1) / kThreads, 1, 1 << 20)));
}

// Calls `each(i)` for this thread's share of 0 to `count` - 1, of a grid of Blocks(count).
template <class Each>
__device__ void ForEachElement(int64_t count, Each each) {
  const int64_t all_threads = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < count; i += all_threads) each(i);
}

}  // namespace tessera::standin
