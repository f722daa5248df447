// When a model's GPUs are connected: beside its engines' way up, or before there is a model.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/plan/plan.h"

namespace tessera::engine {

// Whether a model sends between pairs of ranks. One whose collectives are not listed may.
bool SendsBetweenPairs(const plan::Plan& plan);

// Held while a model's engines are loaded: those threads allocate, and CUDA may make an allocation wait for
// half a collective whose other half waits for the allocation. A model's own first collectives wait for its
// engines; those made in advance, for nobody in particular, wait until no engines are being loaded.
std::shared_lock<std::shared_mutex> LoadingEngines();

// Connects GPUs on a thread of its own, so that the next model that is loaded on them finds it done.
void ConnectInAdvance(const std::vector<DeviceId>& devices);

}  // namespace tessera::engine
