// One order of multi-GPU steps on every GPU of the process.
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/timed_shared_mutex.h"
#include "tessera/base/types.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/stream.h"

namespace tessera::engine {

// Two models that share GPUs deadlock when GPU 0 runs the first one's collective and GPU 1 the second one's:
// each kernel waits for a peer that cannot start. So steps take turns: a step is issued to all its GPUs
// before the next one is, and on a GPU whose last step was another model's, it starts when that one is done
// there (on the GPU, by an event: the host does not wait). Models without a common GPU do not meet. A thread
// may hang in a driver's call while it has a turn: nobody waits for one without a limit.
class DeviceOrder {
 public:
  static DeviceOrder& OfProcess();

  // Shared while a step is being issued.
  using Issuing = TimedSharedMutex;

  // Held while a step of `owner` is issued; locks its devices in ascending order.
  class Turn {
   public:
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;

   private:
    friend class DeviceOrder;
    Turn() = default;
    std::vector<std::unique_lock<TimedSharedMutex>> locks_;
    std::shared_lock<Issuing> issuing_;
  };

  // For who has no deadline: longer than another model's first step or collectives may keep the GPUs.
  static constexpr std::chrono::seconds kLimit{90};

  // Only keeps other models from issuing to these GPUs: for a load's first collectives. Errors:
  // kUnavailable (another thread keeps a GPU until the deadline).
  Result<Turn> Hold(std::vector<DeviceId> devices, Deadline deadline);
  // streams[i] is where `owner`'s rank i issues, the same ones at each call. Issues the waits. Errors:
  // kUnavailable (as Hold; nothing was issued), those of CUDA.
  Result<Turn> Enter(const void* owner, const std::vector<const cuda::Stream*>& streams, Deadline deadline);
  // The same, and blocks until the other models' steps are done on these GPUs: for work that loads kernels,
  // which waits for the whole GPU, and must not do so between a step's ranks.
  Result<Turn> EnterAlone(const void* owner, const std::vector<const cuda::Stream*>& streams,
                          Deadline deadline);
  // Held while page-locked host memory is made or freed, and device memory freed: CUDA waits for the work of
  // GPUs then and holds up whoever launches, so that a step issued to some of its GPUs only would never end.
  // Blocks until no step of the process is half issued. Not while this thread holds a Turn. Errors:
  // kDeadline. Source: NVIDIA on github.com/NVIDIA/nccl/issues/744 (memory operations wait for all GPUs with
  // access).
  Result<std::unique_lock<Issuing>> Quiet(Deadline deadline = Deadline::In(kLimit));
  // `owner`'s streams are about to go; its work is done. False: a thread that keeps one of its GPUs may use
  // them yet, so they must stay.
  [[nodiscard]] bool Leave(const void* owner, Deadline deadline = Deadline::In(kLimit));

 private:
  static constexpr int kMaxDevices = 64;
  struct Slot {
    TimedSharedMutex mutex;
    std::atomic<const void*> last_owner{nullptr};
    std::vector<cudaStream_t> last_streams;  // more than one where ranks share the GPU
  };
  Slot slots_[kMaxDevices];
  Issuing issuing_;
};

}  // namespace tessera::engine
