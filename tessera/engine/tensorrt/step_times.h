// Where the host's time of a step went.
#pragma once

#include <chrono>
#include <optional>

#include "tessera/engine/rank_group.h"

namespace tessera::engine {

struct StepTimes {
  std::chrono::nanoseconds prepare{0};  // checks, places, the turn on the GPUs
  std::chrono::nanoseconds send{0};     // issuing copies of inputs
  std::chrono::nanoseconds launch{0};   // every rank's graph, or its thread's issuing
  std::chrono::nanoseconds fetch{0};    // issuing copies of outputs and the end signals
  std::chrono::nanoseconds wait{0};     // until the last rank's signal is seen, and host copies
  std::chrono::nanoseconds report{0};   // reading the GPU's times
  bool direct = false;                  // on the request's own memory
};

// Of the last step of a TensorRT group that succeeded, nullopt for another adapter's group. Not while a step
// runs.
std::optional<StepTimes> LastStepTimes(const RankGroup& group);

}  // namespace tessera::engine
