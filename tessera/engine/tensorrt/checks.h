// What must hold between the ranks' engines and the plan before anything is enqueued: a rank that differs
// would hang the others, or answer wrongly without a word.
#pragma once

#include <optional>
#include <vector>

#include "tessera/engine/tensorrt/tensor_info.h"
#include "tessera/plan/plan.h"

namespace tessera::engine {

// What a rank's engine says of itself.
struct Declared {
  Rank rank{0};
  EngineTensors tensors;
  int profiles = 1;
  std::optional<int> collectives{};  // as CollectiveLayersOf
};

// Layers that communicate, as the inspector tells them; nullopt for an engine that does not tell its layers'
// kinds, which it does if built with ProfilingVerbosity::kDETAILED: names alone are TensorRT's default.
std::optional<int> CollectiveLayersOf(const nvinfer1::ICudaEngine& engine);

// The ranks have the same inputs and outputs (names, types, order; inputs of the same shape), as many
// profiles and, those that tell, as many collectives; and as many as the plan lists. Errors: kInvalidArgument
// naming the rank, the got and the wanted.
Result<void> CheckRanksAgree(const std::vector<Declared>& engines, const plan::Plan& plan);

// Whether engines of `plan` are given a communicator: those of a plan without collectives refuse it, as those
// of a directory without a plan do that are not multi-device.
bool WantsCommunicator(const plan::Plan& plan);

// The model's inputs and outputs are those of the plan. Errors: kInvalidArgument.
Result<void> CheckTensors(const EngineTensors& tensors, const plan::Plan& plan);

}  // namespace tessera::engine
