// Whether what GPUs send each other arrives.
#pragma once

#include <nccl.h>

#include <functional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/comm/nccl/preconnect.h"
#include "tessera/cuda/peer_check.h"

namespace tessera::comm {

// Copies directly between the GPUs of `devices` that no NVLink links and compares what arrived
// (cuda::PeerCopiesArrive): where the driver offers a way on which writes are lost, NCCL may take it, and
// wait for ever for what does not come. A warning in the log names each pair. False: there is one.
Result<bool> CheckPairs(const std::vector<DeviceId>& devices, Deadline deadline,
                        const cuda::TamperWithCopy& tamper = {});

// For tests: changes what arrived on `to` of what rank `from` sent.
using TamperWithGather = std::function<void(Rank from, Rank to, MutableBytes arrived)>;

// All-gathers over connected communicators, small and large (NCCL moves them differently), and compares what
// every rank got. An error goes to `abort` before lanes are given back, which waits for what is in flight.
// Errors: kUnavailable (wrong: the line names the GPUs and the way out), kDeadline, those of CUDA and NCCL.
Result<void> CheckGathers(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                          Deadline deadline, const AbortCollectives& abort,
                          const TamperWithGather& tamper = {});

// What may help where GPUs do not reach each other, as the end of a line.
inline constexpr const char* kWithoutPeerAccess =
    "with NCCL_P2P_DISABLE=1 in its environment the server does without peer access (an IOMMU between the "
    "GPUs, or ACS, may be the cause: nccl#2335)";

}  // namespace tessera::comm
