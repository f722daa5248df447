// The engine adapter for TensorRT (>= 11) and TensorRT-RTX: one engine per rank on a GPU of its own,
// collectives by NCCL inside the engines.
#pragma once

#include <memory>
#include <string>

#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/options.h"

namespace tessera::engine {

// Loads nothing yet: the library and the GPUs are asked for by Load, whose errors say what is missing.
std::unique_ptr<Engine> MakeTensorRtEngine(TensorRtOptions options = {});

// "11.1.0", of the library that Load would open. Errors: kUnavailable (there is none), kUnsupported (another
// major version than the headers').
Result<std::string> TensorRtVersionHere();

// Errors: kUnsupported (a build without NCCL, which runs engines on one GPU; the line names the switch).
Result<void> SupportsSeveralGpus();

// Begins to connect `devices`, in this order, for a model of that many ranks which is loaded later: what NCCL
// does once a process, half a second or more, is not part of that load then. Returns when CUDA has begun; a
// failure from there on is logged, and a load connects for itself. Errors: kUnsupported (a build without
// NCCL), kUnavailable (no such GPU).
Result<void> ConnectGpus(const std::vector<DeviceId>& devices);

}  // namespace tessera::engine
