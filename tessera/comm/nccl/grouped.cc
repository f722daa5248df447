#include "tessera/comm/nccl/grouped.h"

#include <thread>

#include "tessera/comm/nccl/status.h"

namespace tessera::comm {

Result<void> RunGrouped(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms,
                        const IssueOnLane& issue, Deadline deadline) {
  NCCL_TRY(nullptr, ncclGroupStart());
  ncclResult_t issued = ncclSuccess;
  for (size_t r = 0; r < lanes.size() && IsFine(issued); ++r) issued = issue(r, lanes[r]);
  NCCL_TRY(nullptr, ncclGroupEnd());
  NCCL_TRY(nullptr, issued);
  TRY(WaitReady(comms, deadline));
  for (const Lane& lane : lanes) TRY(lane.stream().Drain(deadline));
  // A call that came back late must not be followed by another: others may have the GPUs by now.
  if (deadline.passed()) return Fail(Code::kDeadline, "NCCL's call did not return in its time");
  return {};
}

Result<void> WaitReady(const std::vector<ncclComm_t>& comms, Deadline deadline) {
  for (ncclComm_t comm : comms) {
    ncclResult_t status = ncclInProgress;
    while (status == ncclInProgress) {
      const ncclResult_t asked = ncclCommGetAsyncError(comm, &status);
      if (asked != ncclSuccess && asked != ncclInProgress)
        return FailedNccl(asked, "ncclCommGetAsyncError", comm);
      if (status == ncclInProgress && deadline.passed()) {
        return Fail(Code::kDeadline, "NCCL did not connect the GPUs in its time");
      }
      std::this_thread::yield();
    }
    NCCL_TRY(comm, status);
  }
  return {};
}

}  // namespace tessera::comm
