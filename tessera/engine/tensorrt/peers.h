// What connects the GPUs of one model: NCCL, in builds that have it.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine {

class Peers {
 public:
  // As comm::NcclGroup::BeforeWork.
  using BeforeWork = std::function<Result<std::shared_ptr<void>>()>;

  // Whether this build connects GPUs. Errors: kUnsupported; the line names the switch.
  static Result<void> Supported();
  // Connects the ranks' GPUs; `pairs`: for all-to-all, gather and scatter too. Blocks. Errors: kUnsupported
  // (as Supported), those of comm::NcclGroup::Create.
  static Result<std::shared_ptr<Peers>> Connect(const std::vector<DeviceId>& devices, bool pairs,
                                                Deadline deadline, const BeforeWork& before_work);
  // Has a thread make what the next Connect of these GPUs will find; nothing where it is there already.
  static void Prepare(const std::vector<DeviceId>& devices, BeforeWork before_work);
  virtual ~Peers() = default;

  virtual int world_size() const = 0;
  // What setCommunicator of TensorRT is given. Valid until Abort.
  virtual void* communicator(Rank rank) const = 0;
  // Gathers every rank's `bytes` at `mine` to `all` on every rank. Within WhileUsable.
  virtual Result<void> AllGather(Rank rank, const std::byte* mine, std::byte* all, size_t bytes,
                                 cudaStream_t stream) = 0;
  // Runs `call`, which calls NCCL; the communicators stay meanwhile. After Abort: its reason.
  virtual Result<void> WhileUsable(const std::function<Result<void>()>& call) = 0;
  // Errors that came since; the first one aborts.
  virtual Result<void> Poll() = 0;
  // Every collective in flight gives up. Any thread.
  virtual void Abort(const Error& reason) noexcept = 0;
};

}  // namespace tessera::engine
