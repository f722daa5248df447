// Every connection of a group made before it is used.
#pragma once

#include <nccl.h>

#include <functional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::comm {

// Makes collectives in flight give up.
using AbortCollectives = std::function<void(const Error& reason)>;

// Runs all-reduce, all-gather, reduce-scatter, broadcast and reduce once on all communicators, small and
// large (NCCL connects each of its algorithms at first use). From one thread, within NCCL's groups, so no
// rank waits for another. An error goes to `abort` before lanes are given back, which waits for what is in
// flight.
Result<void> ConnectCollectives(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                                Deadline deadline, const AbortCollectives& abort);

// Sends between every pair, both ways, in the same manner: what all-to-all, gather and scatter are made of.
// Costs as much time as all collectives together, and more than half of the memory.
Result<void> ConnectPairs(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                          Deadline deadline, const AbortCollectives& abort);

}  // namespace tessera::comm
