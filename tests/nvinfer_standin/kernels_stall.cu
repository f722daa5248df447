#include "tests/nvinfer_standin/kernels.h"

namespace tessera::standin {
namespace {

__device__ uint64_t Nanoseconds() {
  uint64_t now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

__global__ void StallKernel(volatile uint32_t* runs, uint32_t at, int64_t nanoseconds) {
  const uint32_t run = *runs;
  *runs = run + 1;
  if (run != at) return;
  const uint64_t start = Nanoseconds();
  while (Nanoseconds() - start < static_cast<uint64_t>(nanoseconds)) {
  }
}

}  // namespace

void LaunchStall(uint32_t* runs, uint32_t at, int64_t nanoseconds, cudaStream_t stream) {
  StallKernel<<<1, 1, 0, stream>>>(runs, at, nanoseconds);
}

}  // namespace tessera::standin
