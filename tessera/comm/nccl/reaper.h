// Ends communicators without ever holding up who asked: NCCL may wait for GPU work that never ends.
#pragma once

#include <nccl.h>

#include <atomic>
#include <memory>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/types.h"

namespace tessera::comm {

// The end of all communicators of one group, under way on a thread of its own. That thread outlives the
// process' last interest in it only when the GPU itself hangs; what it holds is then leaked, which is said in
// the log.
class Reaper {
 public:
  enum class How {
    kDestroy,  // ncclCommDestroy: all work is done
    kAbort,    // ncclCommAbort: kernels that wait for a peer give up. Returns once no CUDA graph holds a
               // collective.
  };
  // Where the system gives no thread nothing is ended, which the log says. The last communicator, with which
  // all are freed, waits for `in_flight` to be 0: calls of NCCL. At most for kInFlightLimit where they are
  // `anchored`, so that an abort frees none of them under a call. `device` is the GPU of one of them: NCCL
  // leaves current what was, which for a thread that used no GPU is number 0.
  static std::shared_ptr<Reaper> Start(std::vector<ncclComm_t> comms, DeviceId device, How how,
                                       std::shared_ptr<std::atomic<int>> in_flight, bool anchored);
  static constexpr std::chrono::seconds kInFlightLimit{5};

  // Blocks until all are gone; false if `deadline` came first.
  bool Wait(Deadline deadline);

 private:
  struct State;
  explicit Reaper(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace tessera::comm
