// First collectives: one call on every rank of a group, by one thread.
#pragma once

#include <nccl.h>

#include <functional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/comm/nccl/lane.h"

namespace tessera::comm {

using IssueOnLane = std::function<ncclResult_t(size_t rank, const Lane& lane)>;

// Issues on every rank's lane within an NCCL group, so that no rank waits for another, and waits for the
// work. Errors: kDeadline, those of NCCL and CUDA.
Result<void> RunGrouped(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms,
                        const IssueOnLane& issue, Deadline deadline);

// Blocks until no call on any of `comms` is in progress. Errors: kDeadline, kInternal (NCCL's).
Result<void> WaitReady(const std::vector<ncclComm_t>& comms, Deadline deadline);

}  // namespace tessera::comm
