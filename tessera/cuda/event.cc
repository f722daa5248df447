#include "tessera/cuda/event.h"

#include <thread>

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {

Result<Event> Event::Create(DeviceId device, Timing timing) {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(device));
  cudaEvent_t handle = nullptr;
  CUDA_TRY(
      cudaEventCreateWithFlags(&handle, timing == Timing::kOn ? cudaEventDefault : cudaEventDisableTiming));
  return Event(device, handle);
}

Result<void> Event::Record(cudaStream_t stream) const {
  CUDA_TRY(cudaEventRecord(get(), stream));
  return {};
}

Result<void> Event::RecordInGraph(cudaStream_t stream) const {
  CUDA_TRY(cudaEventRecordWithFlags(get(), stream, cudaEventRecordExternal));
  return {};
}

Result<bool> Event::Done() const {
  const cudaError_t status = cudaEventQuery(get());
  if (status == cudaErrorNotReady) {
    (void)cudaGetLastError();
    return false;
  }
  CUDA_TRY(status);
  return true;
}

Result<void> Event::Wait(Deadline deadline) const {
  while (true) {
    TRY_ASSIGN(bool done, Done());
    if (done) return {};
    if (deadline.passed())
      return Fail(Code::kDeadline, "work on GPU {} did not end in its time", device_.value());
    std::this_thread::yield();
  }
}

Result<std::chrono::nanoseconds> Elapsed(const Event& start, const Event& end) {
  float milliseconds = 0;
  CUDA_TRY(cudaEventElapsedTime(&milliseconds, start.get(), end.get()));
  return std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(milliseconds) * 1e6));
}

}  // namespace tessera::cuda
