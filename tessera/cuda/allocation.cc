#include "tessera/cuda/allocation.h"

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

using GetAttribute = CUresult (*)(void*, CUpointer_attribute, CUdeviceptr);

// By way of the runtime, as in signal.cc: no link with libcuda.
GetAttribute FindGetAttribute() noexcept {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t status =
      cudaGetDriverEntryPointByVersion("cuPointerGetAttribute", &function, 12000, cudaEnableDefault, &found);
  if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) {
    (void)cudaGetLastError();
    return nullptr;
  }
  return reinterpret_cast<GetAttribute>(function);
}

}  // namespace

Result<uint64_t> AllocationOf(const void* address) {
  static const GetAttribute get = FindGetAttribute();
  if (get == nullptr) return Fail(Code::kUnavailable, "the CUDA driver has no cuPointerGetAttribute");
  unsigned long long id = 0;  // as the driver writes it
  const CUresult status = get(&id, CU_POINTER_ATTRIBUTE_BUFFER_ID, reinterpret_cast<CUdeviceptr>(address));
  if (status != CUDA_SUCCESS || id == 0) {
    return Fail(Code::kUnavailable, "the CUDA driver names no allocation for {}: error {}", address,
                static_cast<int>(status));
  }
  return uint64_t{id};
}

}  // namespace tessera::cuda
