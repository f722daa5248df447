#include "tessera/cuda/driver.h"

#include "tessera/cuda/status.h"

namespace tessera::cuda {

Result<void*> FindDriverFunction(const char* name, unsigned version) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  CUDA_TRY(cudaGetDriverEntryPointByVersion(name, &function, version, cudaEnableDefault, &found));
  if (found != cudaDriverEntryPointSuccess || function == nullptr)
    return Fail(Code::kUnavailable, "the CUDA driver has no {}", name);
  return function;
}

}  // namespace tessera::cuda
