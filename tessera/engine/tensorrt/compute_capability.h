// What engines are built for.
#pragma once

#include <string>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine {

// "9.0", of a GPU. Errors: kUnavailable (no such GPU).
Result<std::string> ComputeCapabilityOf(DeviceId gpu);

}  // namespace tessera::engine
