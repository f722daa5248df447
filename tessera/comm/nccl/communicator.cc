#include "tessera/comm/nccl/communicator.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "tessera/base/log.h"
#include "tessera/comm/nccl/issue.h"
#include "tessera/comm/nccl/status.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"

namespace tessera::comm {
namespace {

constexpr std::chrono::seconds kLeaveLimit{5};

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(std::shared_ptr<NcclGroup> group, Rank rank, cuda::Stream stream, cuda::Event done)
      : group_(std::move(group)), rank_(rank), stream_(std::move(stream)), done_(std::move(done)) {}

  Rank rank() const override { return rank_; }
  int world_size() const override { return group_->world_size(); }
  MemoryKind memory() const override { return MemoryKind::kDevice; }
  Result<void> Run(const Collective& what, Bytes send, MutableBytes recv, Deadline deadline) override;
  void Abort(const Error& reason) noexcept override { group_->Abort(reason); }

 private:
  Result<void> Perform(const Collective& what, Bytes send, MutableBytes recv, Deadline deadline);
  Result<Bytes> Unaliased(const Collective& what, Bytes send, MutableBytes recv);
  Result<void> Issue(const Collective& what, Bytes send, MutableBytes recv);
  Result<void> WaitIssued(Deadline deadline);
  Result<void> WaitDone(Deadline deadline);
  Result<bool> CallInProgress();
  void LeaveBuffers() const;
  Error Failure() const;

  const std::shared_ptr<NcclGroup> group_;  // outlives what was issued to it
  const Rank rank_;
  const cuda::Stream stream_;
  const cuda::Event done_;
  cuda::DeviceBuffer scratch_;  // a copy of send where NCCL cannot work in place
  // Freeing memory waits for the GPUs with access to it, and with that for peers that wait for this rank.
  std::vector<cuda::DeviceBuffer> outgrown_;
};

Error WithRank(Error error, Rank rank) {
  if (error.rank < 0) error.rank = rank.value();
  return error;
}

Result<void> NcclCommunicator::Run(const Collective& what, Bytes send, MutableBytes recv, Deadline deadline) {
  if (group_->aborted()) return tl::unexpected<Error>(Failure());
  TRY(Validate(what, rank_, world_size(), send, recv));
  // What NCCL lacks is refused on all ranks alike, before anything is issued: the group stays usable.
  TRY(NcclType(what.type));
  TRY(NcclReduction(what.reduce, what.type));
  Result<void> done = Perform(what, send, recv, deadline);
  if (done) return done;
  group_->Abort(WithRank(done.error(), rank_));  // the peers wait for this rank otherwise
  LeaveBuffers();
  return tl::unexpected<Error>(Failure());
}

Result<void> NcclCommunicator::Perform(const Collective& what, Bytes send, MutableBytes recv,
                                       Deadline deadline) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(stream_.device()));
  TRY_ASSIGN(Bytes from, Unaliased(what, send, recv));
  TRY(Issue(what, from, recv));
  TRY(WaitIssued(deadline));
  TRY(done_.Record(stream_.get()));
  return WaitDone(deadline);
}

Result<Bytes> NcclCommunicator::Unaliased(const Collective& what, Bytes send, MutableBytes recv) {
  const bool in_place_is_wrong = what.op == CollectiveOp::kAllToAll && send.data() == recv.data();
  if (!in_place_is_wrong || send.empty()) return send;
  if (scratch_.size() < send.size()) {
    const size_t wanted = std::max(send.size(), 2 * scratch_.size());
    if (scratch_.size() > 0) outgrown_.push_back(std::move(scratch_));
    TRY_ASSIGN(scratch_, cuda::DeviceBuffer::Create(stream_.device(), wanted));
  }
  CUDA_TRY(
      cudaMemcpyAsync(scratch_.data(), send.data(), send.size(), cudaMemcpyDeviceToDevice, stream_.get()));
  return Bytes(scratch_.data(), send.size());
}

Result<void> NcclCommunicator::Issue(const Collective& what, Bytes send, MutableBytes recv) {
  NcclGroup::InFlight call(*group_);
  if (!call.usable()) return tl::unexpected<Error>(Failure());
  TRY(IssueCollective(what, rank_, world_size(), send, recv, group_->comm(rank_), stream_.get()));
  return {};
}

Result<bool> NcclCommunicator::CallInProgress() {
  NcclGroup::InFlight call(*group_);
  if (!call.usable()) return tl::unexpected<Error>(Failure());
  ncclResult_t status = ncclSuccess;
  NCCL_TRY(group_->comm(rank_), ncclCommGetAsyncError(group_->comm(rank_), &status));
  NCCL_TRY(group_->comm(rank_), status);
  return status == ncclInProgress;
}

// A non-blocking call goes on in NCCL's own thread; nothing may follow on the stream before it has returned.
Result<void> NcclCommunicator::WaitIssued(Deadline deadline) {
  while (true) {
    TRY_ASSIGN(bool busy, CallInProgress());
    if (!busy) return {};
    if (deadline.passed())
      return Fail(Code::kDeadline, "rank {}: the other ranks did not come", rank_.value());
    std::this_thread::yield();
  }
}

Result<void> NcclCommunicator::WaitDone(Deadline deadline) {
  while (true) {
    TRY_ASSIGN(bool done, done_.Done());
    if (done) return {};
    TRY(CallInProgress());  // an abort, or an error of NCCL's, while the kernel waits for its peers
    if (deadline.passed()) return Fail(Code::kDeadline, "rank {}: the collective did not end", rank_.value());
    std::this_thread::yield();
  }
}

// The caller may free its buffers when Run returns: the aborted kernel must be out of them.
void NcclCommunicator::LeaveBuffers() const {
  const Result<void> drained = stream_.Drain(Deadline::In(kLeaveLimit));
  if (!drained) TESSERA_LOG(kError, "rank {} after an abort: {}", rank_.value(), drained.error().message);
}

Error NcclCommunicator::Failure() const {
  return group_->failure().value_or(Error{Code::kPeerLost, "the group was aborted", -1, __FILE__, __LINE__});
}

}  // namespace

Result<std::vector<std::unique_ptr<Communicator>>> CreateNcclCommunicators(
    const std::vector<DeviceId>& devices, Deadline deadline) {
  TRY_ASSIGN(std::shared_ptr<NcclGroup> group,
             NcclGroup::Create(devices, NcclGroup::Calls::kNonBlocking, deadline));
  std::vector<std::unique_ptr<Communicator>> ends;
  for (int r = 0; r < group->world_size(); ++r) {
    const DeviceId device = group->device(Rank{r});
    TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device, cuda::Stream::Priority::kHigh));
    TRY_ASSIGN(cuda::Event done, cuda::Event::Create(device));
    ends.push_back(std::make_unique<NcclCommunicator>(group, Rank{r}, std::move(stream), std::move(done)));
  }
  return ends;
}

}  // namespace tessera::comm
