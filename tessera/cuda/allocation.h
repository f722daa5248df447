// Telling allocations apart that had the same address one after the other.
#pragma once

#include <cstdint>

#include "tessera/base/result.h"

namespace tessera::cuda {

// The number of the device allocation that `address` lies in, unique in this process for all time. Costs some
// hundred nanoseconds. Errors: kUnavailable (the driver does not tell for this kind of memory).
Result<uint64_t> AllocationOf(const void* address);

}  // namespace tessera::cuda
