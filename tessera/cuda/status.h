// CUDA's results as tessera's.
#pragma once

#include <cuda_runtime_api.h>

#include "tessera/base/result.h"

namespace tessera::cuda {

// The error of a failed call, naming the call, the current device and CUDA's own text. kUnavailable when this
// machine lacks something (a GPU, a driver, memory), else kInternal. Clears CUDA's last-error slot, so that
// an error that was handled does not show up in a later, innocent call.
tl::unexpected<Error> FailedCall(cudaError_t status, const char* call, const char* file = __builtin_FILE(),
                                 int line = __builtin_LINE());

}  // namespace tessera::cuda

// CUDA_TRY(cudaStreamSynchronize(stream)): returns the error from the enclosing function.
#define CUDA_TRY(...)                                                        \
  do {                                                                       \
    const cudaError_t tessera_cuda_status = (__VA_ARGS__);                   \
    if (tessera_cuda_status != cudaSuccess)                                  \
      return ::tessera::cuda::FailedCall(tessera_cuda_status, #__VA_ARGS__); \
  } while (false)
