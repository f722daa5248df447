// What an engine's file itself tells of where it can be loaded.
#pragma once

#include <NvInferRuntime.h>

#include <string>

#include "tessera/engine/tensorrt/plan_reader.h"

namespace tessera::engine {

// Why `runtime` cannot load the engine on the current device, from its header alone: "" = nothing speaks
// against it. Only TensorRT-RTX tells; TensorRT finds out, and says so, when it deserialises.
Result<std::string> WhyNotForHere(const nvinfer1::IRuntime& runtime, const PlanReader& engine);

}  // namespace tessera::engine
