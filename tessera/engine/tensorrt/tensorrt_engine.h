// The engine adapter for TensorRT (>= 11) and TensorRT-RTX: one engine per rank on a GPU of its own,
// collectives by NCCL inside the engines.
#pragma once

#include <memory>

#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/options.h"

namespace tessera::engine {

// Loads nothing yet: the library and the GPUs are asked for by Load, whose errors say what is missing.
std::unique_ptr<Engine> MakeTensorRtEngine(TensorRtOptions options = {});

}  // namespace tessera::engine
