// How much faster N GPUs are than one through a server in the process, beside the executor's own speed-up.
#pragma once

#include <vector>

#include "tessera/base/result.h"

namespace tessera::gputest {

Result<void> BenchServedSpeed(const std::vector<int>& worlds);

}  // namespace tessera::gputest
