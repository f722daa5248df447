// A queue of work on one GPU. Never the legacy default stream, which would order itself against everybody
// else's.
#pragma once

#include <cuda_runtime_api.h>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/base/unique_handle.h"
#include "tessera/cuda/event.h"

namespace tessera::cuda {

struct StreamTraits {
  using Handle = cudaStream_t;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaStreamDestroy(handle); }  // work in flight still runs
};

class Stream {
 public:
  enum class Priority { kNormal, kHigh };

  static Result<Stream> Create(DeviceId device, Priority priority = Priority::kNormal);

  cudaStream_t get() const noexcept { return handle_.get(); }
  DeviceId device() const noexcept { return device_; }

  // Work issued here from now on waits for what `event` recorded, on the GPU.
  Result<void> After(const Event& event) const;
  // Whether all work issued so far is done; its errors show here.
  Result<bool> Idle() const;
  // Polls until Idle. Errors: kDeadline (the work is still there), or that of the work.
  Result<void> Drain(Deadline deadline) const;

 private:
  Stream(DeviceId device, cudaStream_t handle) : device_(device), handle_(handle) {}
  DeviceId device_;
  UniqueHandle<StreamTraits> handle_;
};

}  // namespace tessera::cuda
