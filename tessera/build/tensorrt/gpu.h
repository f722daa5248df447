// The GPU that an engine is built for when none is named.
#pragma once

#include "tessera/base/result.h"

namespace tessera::build {

// The compute capability of this machine's first GPU: 90 for 9.0. Asked of CUDA's driver, which is opened at
// run time. Errors: kUnavailable (no driver, no GPU).
Result<int> CapabilityOfFirstGpu();

}  // namespace tessera::build
