// The NCCL communicators of one model: one for each of its GPUs, all in this process. While a CUDA graph with
// collectives of a group is under way, none other of the group is issued, and other graphs only behind it on
// the same streams.
#pragma once

#include <nccl.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/comm/nccl/anchor.h"
#include "tessera/comm/nccl/preconnect.h"
#include "tessera/comm/nccl/reaper.h"

namespace tessera::comm {

class NcclGroup : public std::enable_shared_from_this<NcclGroup> {
 public:
  // How NCCL's calls behave.
  enum class Calls {
    kNonBlocking,  // every call returns at once: for host-driven use, where a peer may never come
    kBlocking,     // for TensorRT, which wants a communicator "initialised with ncclCommInitRank"
  };

  // What a group is used for.
  enum class Use {
    kCollectives,  // all-reduce, all-gather, reduce-scatter, broadcast, reduce
    kAll,          // and what is made of sends between pairs: all-to-all, gather, scatter
  };

  // Called when the communicators are there and before anything runs on the GPUs; what it returns lives until
  // those first collectives are done. For keeping other threads' work off the GPUs meanwhile: CUDA may make a
  // thread that allocates wait for a collective, and the thread that launches its other half wait for that
  // one.
  using BeforeWork = std::function<Result<std::shared_ptr<void>>()>;

  // Rank r on devices[r], each device once (more often with NCCL_MULTI_RANK_GPU_ENABLE=1). Runs each
  // operation of `use` once, so that later calls need no peer to make progress and can be captured in
  // CUDA graphs at once (facts: the first call cannot). That is given up after `work_limit`, since other
  // models may have to wait for it: so is a call of CUDA or NCCL that does not return, kStuckAfter later; it
  // is left to itself. Errors: kInvalidArgument (no device, one twice), kUnavailable (no such GPU),
  // kDeadline, kInternal (NCCL's).
  static Result<std::shared_ptr<NcclGroup>> Create(std::vector<DeviceId> devices, Calls calls,
                                                   Deadline deadline, const BeforeWork& before_work = {},
                                                   Use use = Use::kAll,
                                                   std::chrono::milliseconds work_limit = kWorkLimit);
  // Connects what `use` wants beyond what is connected. From one thread, while nothing else uses the group.
  // An error aborts it.
  Result<void> Connect(Use use, Deadline deadline, const BeforeWork& before_work);

  // Everything that uses the communicators must be gone: engines' contexts and CUDA graphs with collectives
  // inside. Blocks until NCCL has let go, at most kEndLimit.
  ~NcclGroup();
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  int world_size() const { return static_cast<int>(devices_.size()); }
  DeviceId device(Rank rank) const { return devices_[static_cast<size_t>(rank.value())]; }
  // Valid until Abort; what setCommunicator of TensorRT is given.
  ncclComm_t comm(Rank rank) const { return comms_[static_cast<size_t>(rank.value())]; }

  // Asks every communicator for errors that came since; the first one aborts the group.
  Result<void> Poll();

  // Makes the group unusable and every collective in flight give up; returns at once. The first reason stays.
  // The caller sees to it that no thread is about to issue NCCL calls: whoever issues holds an `InFlight`.
  void Abort(const Error& reason) noexcept;
  bool aborted() const noexcept { return aborted_.load(std::memory_order_acquire); }
  // The reason given to Abort.
  std::optional<Error> failure() const;

  // Held while a thread calls NCCL: communicators are not freed under it.
  class InFlight {
   public:
    explicit InFlight(NcclGroup& group) : group_(group) { group_.in_flight_->fetch_add(1); }
    ~InFlight() { group_.in_flight_->fetch_sub(1); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    // False: aborted; NCCL must not be called.
    bool usable() const noexcept { return !group_.aborted(); }

   private:
    NcclGroup& group_;
  };

  static constexpr std::chrono::seconds kEndLimit{10};
  static constexpr std::chrono::seconds kWorkLimit{60};  // far more than a GPU that answers needs
  static constexpr std::chrono::seconds kStuckAfter{5};  // lanes whose work does not end take as long

 private:
  explicit NcclGroup(std::vector<DeviceId> devices) : devices_(std::move(devices)), comms_(devices_.size()) {}
  Result<void> Init(Calls calls, Deadline deadline, const BeforeWork& before_work, Use use,
                    std::chrono::milliseconds work_limit);
  struct GpuWork {
    Deadline deadline;
    AbortCollectives abort;
  };
  using OnGpusCall = std::function<Result<void>(NcclGroup& self, const GpuWork& work)>;
  Result<void> OnGpus(const BeforeWork& before_work, Deadline deadline, std::chrono::milliseconds limit,
                      OnGpusCall call);
  Result<void> ConnectFirst(Calls calls, Use use, const GpuWork& work);
  Result<void> InitNonBlocking(Deadline deadline);
  Result<void> InitBlocking(Deadline deadline);
  void StartEnd(Reaper::How how) REQUIRES(mutex_);

  const std::vector<DeviceId> devices_;
  std::vector<ncclComm_t> comms_;
  bool has_pairs_ = false;
  Anchors anchors_;  // keep aborted communicators in memory for those who still hold a pointer to them
  std::atomic<bool> anchored_{false};
  std::atomic<bool> aborted_{false};
  std::shared_ptr<std::atomic<int>> in_flight_ = std::make_shared<std::atomic<int>>(0);
  mutable Mutex mutex_;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  std::shared_ptr<Reaper> reaper_ GUARDED_BY(mutex_);
};

}  // namespace tessera::comm
