#include "tessera/cuda/signal.h"

#include <cuda.h>

#include <atomic>
#include <cstring>

#include "tessera/cuda/device.h"
#include "tessera/cuda/driver.h"

namespace tessera::cuda {
namespace {

using WriteValue32 = CUresult (*)(CUstream, CUdeviceptr, cuuint32_t, unsigned int);

}  // namespace

Result<Signals> Signals::Create(int count) {
  TRY_ASSIGN(void* write_value, DriverFunction<void*>("cuStreamWriteValue32"));
  TRY_ASSIGN(PinnedBuffer memory, PinnedBuffer::Create(static_cast<size_t>(count) * kStride));
  std::memset(memory.data(), 0, memory.size());
  return Signals(std::move(memory), write_value);
}

Result<void> Signals::Set(int index, uint32_t value, const Stream& stream) const {
  // The driver wants the stream's context current.
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(stream.device()));
  const auto address = reinterpret_cast<CUdeviceptr>(memory_.data() + static_cast<size_t>(index) * kStride);
  const CUresult status = reinterpret_cast<WriteValue32>(write_value_)(stream.get(), address, value,
                                                                       CU_STREAM_WRITE_VALUE_DEFAULT);
  if (status != CUDA_SUCCESS) {
    return Fail(Code::kInternal, "cuStreamWriteValue32 on device {}: CUDA driver error {}",
                stream.device().value(), static_cast<int>(status));
  }
  return {};
}

uint32_t Signals::Get(int index) const noexcept {
  auto* counter = reinterpret_cast<uint32_t*>(memory_.data() + static_cast<size_t>(index) * kStride);
  return std::atomic_ref<uint32_t>(*counter).load(std::memory_order_acquire);
}

}  // namespace tessera::cuda
