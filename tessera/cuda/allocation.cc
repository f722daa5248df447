#include "tessera/cuda/allocation.h"

#include <cuda.h>

#include "tessera/cuda/driver.h"

namespace tessera::cuda {
namespace {

using GetAttribute = CUresult (*)(void*, CUpointer_attribute, CUdeviceptr);

}  // namespace

Result<uint64_t> AllocationOf(const void* address) {
  static const auto found = DriverFunction<GetAttribute>("cuPointerGetAttribute");
  TRY_ASSIGN(const GetAttribute get, found);
  unsigned long long id = 0;  // as the driver writes it
  const CUresult status = get(&id, CU_POINTER_ATTRIBUTE_BUFFER_ID, reinterpret_cast<CUdeviceptr>(address));
  if (status != CUDA_SUCCESS || id == 0) {
    return Fail(Code::kUnavailable, "the CUDA driver names no allocation for {}: error {}", address,
                static_cast<int>(status));
  }
  return uint64_t{id};
}

}  // namespace tessera::cuda
