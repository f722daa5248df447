// What an engine's file itself tells of where it can be loaded.
#pragma once

#include <NvInferRuntime.h>

#include <string>

#include "tessera/base/memory.h"

namespace tessera::engine {

// Why `runtime` cannot load the engine on the current device, from its header alone: "" = nothing speaks
// against it. Only TensorRT-RTX tells; TensorRT finds out, and says so, when it deserialises.
std::string WhyNotForHere(const nvinfer1::IRuntime& runtime, Bytes engine);

}  // namespace tessera::engine
