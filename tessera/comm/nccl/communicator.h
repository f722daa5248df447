// The Communicator port over NCCL, for host-driven use; `send` and `recv` lie on the rank's GPU. Engines do
// not go through it: they get the raw communicator of an NcclGroup.
#pragma once

#include <memory>
#include <vector>

#include "tessera/comm/communicator.h"
#include "tessera/comm/nccl/group.h"

namespace tessera::comm {

// All ranks' ends of a new group on `devices`. Differences to the port's contract: 16-bit floats are
// accumulated as NCCL does it, rounding at each step and in the order of its ring or tree (every rank still
// gets the same bits). Errors: those of NcclGroup::Create.
Result<std::vector<std::unique_ptr<Communicator>>> CreateNcclCommunicators(
    const std::vector<DeviceId>& devices, Deadline deadline);

}  // namespace tessera::comm
