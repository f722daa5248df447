// How fast a model is at the executor's level: what speeds through a server are compared with.
#pragma once

#include <vector>

#include "tests/gpu/bench.h"
#include "tests/gpu/workloads.h"

namespace tessera::gputest {

struct ExecutorSpeed {
  Spread in_place;    // a step whose input lies where it is needed: each rank's part on its GPU
  Spread from_first;  // all of x lies on the first GPU, and y goes there
};

// ExecutorSpeed::in_place on the first `world` GPUs, [of work.sizes].
Result<std::vector<Spread>> MeasureInPlace(const Workload& work, int world);
// Both, in the same way.
Result<std::vector<ExecutorSpeed>> MeasureExecutor(const Workload& work, int world);

}  // namespace tessera::gputest
