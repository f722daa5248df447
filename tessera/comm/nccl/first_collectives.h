// The first work of new communicators on the GPUs.
#pragma once

#include <nccl.h>

#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/comm/nccl/preconnect.h"

namespace tessera::comm {

// Makes the connections of collectives (preconnect.h) and proves that what is sent arrives (content_check.h).
// GPUs on whose direct ways writes are lost get no longer than kUnsoundLimit: NCCL waits for ever there.
// Errors: those of ConnectCollectives and CheckGathers, after `abort`; a line about time tells the way out.
Result<void> RunFirstCollectives(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                                 Deadline deadline, const AbortCollectives& abort);

inline constexpr std::chrono::seconds kUnsoundLimit{20};

}  // namespace tessera::comm
