// Optimisation profiles: which values of shape tensors an engine takes.
#pragma once

#include <NvInferRuntime.h>

#include <vector>

#include "tessera/engine/tensorrt/shape_values.h"

namespace tessera::engine {

// A profile's values of all shape tensors.
HostValues ProfileValues(const nvinfer1::ICudaEngine& engine, int profile,
                         const std::vector<TensorSpec>& inputs, nvinfer1::OptProfileSelector which);

// Whether the profile takes the values. kInvalidArgument naming the input, the value and the range.
Result<void> ProfileTakesValues(const nvinfer1::ICudaEngine& engine, int profile,
                                const std::vector<TensorSpec>& inputs, const HostValues& values);

// How far the values are from the profile's optimum: the sum of differences.
int64_t ValuesToOptimum(const nvinfer1::ICudaEngine& engine, int profile,
                        const std::vector<TensorSpec>& inputs, const HostValues& values);

}  // namespace tessera::engine
