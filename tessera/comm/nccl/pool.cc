#include "tessera/comm/nccl/pool.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <utility>

#include "tessera/base/log.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/unfinished.h"

namespace tessera::comm {
namespace {

void TellNone(const Error& why) {
  TESSERA_LOG(kWarning, "GPUs were not connected in advance; the next model there does it itself: {}",
              why.ToString());
}

}  // namespace

NcclPool& NcclPool::OfProcess() {
  static NcclPool* const pool = new NcclPool;  // never destroyed: models may outlive static destructors
  return *pool;
}

Result<std::shared_ptr<NcclGroup>> NcclPool::Take(const std::vector<DeviceId>& devices, Deadline deadline,
                                                  const NcclGroup::BeforeWork& before_work,
                                                  NcclGroup::Use use) {
  TRY_ASSIGN(std::shared_ptr<NcclGroup> group, TakeIdle(devices, deadline));
  if (group) {
    TRY(group->Connect(use, deadline, before_work));
  } else {
    TRY_ASSIGN(group, NcclGroup::Create(devices, NcclGroup::Calls::kBlocking, deadline, before_work, use));
  }
  return Lend(devices, std::move(group));
}

Result<std::shared_ptr<NcclGroup>> NcclPool::TakeIdle(const std::vector<DeviceId>& devices,
                                                      Deadline deadline) {
  Groups broken;  // end behind the lock
  MutexLock lock(mutex_);
  Shelf& shelf = shelves_[devices];
  while (shelf.being_made && shelf.idle.empty() && !shelf.made_by.passed()) {
    if (deadline.passed())
      return Fail(Code::kDeadline, "NCCL did not connect {} GPUs in its time", devices.size());
    lock.Wait(made_, Sooner(deadline, shelf.made_by));
  }
  while (!shelf.idle.empty()) {
    std::shared_ptr<NcclGroup> last = std::move(shelf.idle.back());
    shelf.idle.pop_back();
    if (last->Poll()) return last;  // an error may have come meanwhile
    broken.push_back(std::move(last));
  }
  return std::shared_ptr<NcclGroup>();
}

std::shared_ptr<NcclGroup> NcclPool::Lend(const std::vector<DeviceId>& devices,
                                          std::shared_ptr<NcclGroup> group) {
  NcclGroup* const lent = group.get();
  return {lent, [this, devices, owner = std::move(group)](NcclGroup*) mutable {
            GiveBack(devices, std::move(owner));
          }};
}

void NcclPool::GiveBack(const std::vector<DeviceId>& devices, std::shared_ptr<NcclGroup> group) {
  if (group->aborted() || !group->Poll()) return;
  MutexLock lock(mutex_);
  Groups& idle = shelves_[devices].idle;
  if (idle.size() < kMostIdle) idle.push_back(std::move(group));  // else it ends behind the lock
}

void NcclPool::Prepare(const std::vector<DeviceId>& devices, NcclGroup::BeforeWork before_work) {
  MutexLock lock(mutex_);
  Shelf& shelf = shelves_[devices];
  if (shelf.being_made || !shelf.idle.empty()) return;
  // Behind CUDA's and NCCL's beginning, so that exit() comes here before it takes them from that thread.
  [[maybe_unused]] static const int registered = std::atexit([] { OfProcess().AwaitSpares(); });
  Result<std::thread> thread = StartNamedThread(
      "tessera-connect",
      [this, devices, before_work = std::move(before_work)] { MakeSpare(devices, before_work); });
  if (!thread) return TellNone(thread.error());
  thread->detach();
  shelf.made_by = Deadline::In(2 * kPrepareLimit);  // it waits for engines on their way, too
  shelf.being_made = true;                          // the thread waits for the lock before it clears this
}

void NcclPool::MakeSpare(const std::vector<DeviceId>& devices, const NcclGroup::BeforeWork& before_work) {
  const Unfinished may_hang;
  Result<std::shared_ptr<NcclGroup>> made =
      NcclGroup::Create(devices, NcclGroup::Calls::kBlocking, Deadline::In(kPrepareLimit), before_work,
                        NcclGroup::Use::kCollectives, kSpareWorkLimit);
  if (!made) TellNone(made.error());
  MutexLock lock(mutex_);
  Shelf& shelf = shelves_[devices];
  shelf.being_made = false;
  if (made && shelf.idle.size() < kMostIdle) shelf.idle.push_back(std::move(*made));
  made_.notify_all();
}

void NcclPool::AwaitSpares() {
  const Deadline deadline = Deadline::In(kPrepareLimit);
  MutexLock lock(mutex_);
  while (
      std::any_of(shelves_.begin(), shelves_.end(), [](const auto& one) { return one.second.being_made; }) &&
      !deadline.passed()) {
    lock.Wait(made_, deadline);
  }
}

void NcclPool::Clear() {
  AwaitSpares();
  Groups ended;  // behind the lock
  MutexLock lock(mutex_);
  for (auto& [devices, shelf] : shelves_) {
    std::move(shelf.idle.begin(), shelf.idle.end(), std::back_inserter(ended));
    shelf.idle.clear();
  }
}

}  // namespace tessera::comm
