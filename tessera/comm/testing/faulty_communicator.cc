#include "tessera/comm/testing/faulty_communicator.h"

#include <utility>

namespace tessera::comm::testing {

void FaultPlan::FailAt(Rank rank, uint64_t call, Error error) {
  MutexLock lock(mutex_);
  faults_.insert_or_assign({rank, call}, std::move(error));
}

void FaultPlan::HangAt(Rank rank, uint64_t call) {
  MutexLock lock(mutex_);
  faults_.insert_or_assign({rank, call}, Hang{});
}

void FaultPlan::Release() {
  MutexLock lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

uint64_t FaultPlan::calls(Rank rank) const {
  MutexLock lock(mutex_);
  auto found = calls_.find(rank);
  return found == calls_.end() ? 0 : found->second;
}

std::optional<FaultPlan::Fault> FaultPlan::Next(Rank rank) {
  MutexLock lock(mutex_);
  auto found = faults_.find({rank, ++calls_[rank]});
  if (found == faults_.end()) return std::nullopt;
  return found->second;
}

Result<void> FaultPlan::WaitForRelease(Deadline deadline) {
  MutexLock lock(mutex_);
  while (!aborted_ && !released_ && !deadline.passed()) lock.Wait(changed_, deadline);
  if (aborted_) return tl::unexpected<Error>(*aborted_);
  if (!released_) return Fail(Code::kDeadline, "a call that the test lets hang is past its deadline");
  return {};
}

void FaultPlan::Abort(const Error& reason) {
  MutexLock lock(mutex_);
  if (!aborted_) aborted_ = reason;
  changed_.notify_all();
}

class FaultyCommunicator final : public Communicator {
 public:
  FaultyCommunicator(std::unique_ptr<Communicator> inner, std::shared_ptr<FaultPlan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  Rank rank() const override { return inner_->rank(); }
  int world_size() const override { return inner_->world_size(); }
  MemoryKind memory() const override { return inner_->memory(); }

  Result<void> Run(const Collective& what, Bytes send, MutableBytes recv, Deadline deadline) override {
    if (auto fault = plan_->Next(rank())) {
      if (const auto* error = std::get_if<Error>(&*fault)) return tl::unexpected<Error>(*error);
      TRY(plan_->WaitForRelease(deadline));
    }
    return inner_->Run(what, send, recv, deadline);
  }

  void Abort(const Error& reason) noexcept override {
    inner_->Abort(reason);
    plan_->Abort(reason);
  }

 private:
  const std::unique_ptr<Communicator> inner_;
  const std::shared_ptr<FaultPlan> plan_;
};

std::vector<std::unique_ptr<Communicator>> WithFaults(std::vector<std::unique_ptr<Communicator>> ends,
                                                      const std::shared_ptr<FaultPlan>& plan) {
  for (auto& end : ends) end = std::make_unique<FaultyCommunicator>(std::move(end), plan);
  return ends;
}

}  // namespace tessera::comm::testing
