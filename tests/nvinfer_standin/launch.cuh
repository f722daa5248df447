// How the kernels are launched that have a thread an element.
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

}  // namespace tessera::standin
