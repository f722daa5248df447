// A point in a stream's work.
#pragma once

#include <cuda_runtime_api.h>

#include <chrono>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/base/unique_handle.h"

namespace tessera::cuda {

struct EventTraits {
  using Handle = cudaEvent_t;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaEventDestroy(handle); }
};

class Event {
 public:
  enum class Timing { kOff, kOn };

  static Result<Event> Create(DeviceId device, Timing timing = Timing::kOff);

  cudaEvent_t get() const noexcept { return handle_.get(); }
  DeviceId device() const noexcept { return device_; }

  Result<void> Record(cudaStream_t stream) const;
  // Records as a node of the graph being captured: the event tells of each launch of the graph.
  Result<void> RecordInGraph(cudaStream_t stream) const;
  // Whether all work before the last Record is done. An error of that work shows here.
  Result<bool> Done() const;
  // Polls until Done. Errors: kDeadline, or that of the work.
  Result<void> Wait(Deadline deadline) const;

 private:
  Event(DeviceId device, cudaEvent_t handle) : device_(device), handle_(handle) {}
  DeviceId device_;
  UniqueHandle<EventTraits> handle_;
};

// GPU time between two done events, both with Timing::kOn, of one device.
Result<std::chrono::nanoseconds> Elapsed(const Event& start, const Event& end);

}  // namespace tessera::cuda
