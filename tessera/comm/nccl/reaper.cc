#include "tessera/comm/nccl/reaper.h"

#include <condition_variable>
#include <thread>

#include "tessera/base/log.h"
#include "tessera/base/mutex.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/unfinished.h"
#include "tessera/cuda/device.h"

namespace tessera::comm {

struct Reaper::State {
  Mutex mutex;
  std::condition_variable ended;
  bool done GUARDED_BY(mutex) = false;
};

namespace {

void EndOne(ncclComm_t comm, Reaper::How how) {
  const bool abort = how == Reaper::How::kAbort;
  const ncclResult_t status = abort ? ncclCommAbort(comm) : ncclCommDestroy(comm);
  if (status == ncclSuccess) return;
  TESSERA_LOG(kWarning, "{}: {}", abort ? "ncclCommAbort" : "ncclCommDestroy", ncclGetErrorString(status));
}

void WaitForCallers(const std::atomic<int>& in_flight, bool anchored) {
  const Deadline deadline = Deadline::In(Reaper::kInFlightLimit);
  while (in_flight.load() > 0 && !deadline.passed())
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  if (in_flight.load() == 0) return;
  TESSERA_LOG(kError, "a thread is stuck inside NCCL; its communicator {}",
              anchored ? "ends all the same" : "does not end before it comes back");
  while (!anchored && in_flight.load() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

// One after the other is right: each call marks its communicator, whose kernels then give up; only the last
// one of a process waits and frees all. Source: NCCL 2.28, init.cc, commReclaim.
void EndAll(const std::vector<ncclComm_t>& comms, Reaper::How how, const std::atomic<int>& in_flight,
            bool anchored) {
  for (size_t i = 0; i < comms.size(); ++i) {
    if (i + 1 == comms.size()) WaitForCallers(in_flight, anchored);
    EndOne(comms[i], how);
  }
}

}  // namespace

std::shared_ptr<Reaper> Reaper::Start(std::vector<ncclComm_t> comms, DeviceId device, How how,
                                      std::shared_ptr<std::atomic<int>> in_flight, bool anchored) {
  auto state = std::make_shared<State>();
  auto end = [state, comms = std::move(comms), device, how, in_flight = std::move(in_flight), anchored] {
    const Unfinished may_hang;
    const Result<cuda::DeviceGuard> guard = cuda::DeviceGuard::Enter(device);  // NCCL tells of errors
    EndAll(comms, how, *in_flight, anchored);
    MutexLock lock(state->mutex);
    state->done = true;
    state->ended.notify_all();
  };
  if (Result<std::thread> thread = StartNamedThread("tessera-ncclend", std::move(end))) {
    thread->detach();
  } else {
    TESSERA_LOG(kError, "communicators are left behind: {}", thread.error().message);
  }
  return std::shared_ptr<Reaper>(new Reaper(std::move(state)));
}

bool Reaper::Wait(Deadline deadline) {
  MutexLock lock(state_->mutex);
  while (!state_->done && !deadline.passed()) lock.Wait(state_->ended, deadline);
  return state_->done;
}

}  // namespace tessera::comm
