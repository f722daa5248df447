// Whether this process keeps a context on a GPU: half a gigabyte there, and the GPU counted as in use.
#pragma once

#include <cuda.h>
#include <gtest/gtest.h>

#include "tessera/base/types.h"
#include "tessera/cuda/driver.h"

namespace tessera::cuda {

inline bool HasContext(DeviceId device) {
  using GetState = CUresult (*)(CUdevice, unsigned int*, int*);
  const auto get = DriverFunction<GetState>("cuDevicePrimaryCtxGetState").value();
  unsigned int flags = 0;
  int active = 0;
  EXPECT_EQ(get(device.value(), &flags, &active), CUDA_SUCCESS);
  return active != 0;
}

}  // namespace tessera::cuda
