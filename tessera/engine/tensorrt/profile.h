// Optimisation profiles: which shapes an engine takes.
#pragma once

#include <NvInferRuntime.h>

#include <vector>

#include "tessera/base/result.h"
#include "tessera/engine/tensorrt/tensor_info.h"

namespace tessera::engine {

// An input's minimum, optimum or maximum shape; the declared one for an input without free dimensions.
Shape ProfileShape(const nvinfer1::ICudaEngine& engine, int profile, const TensorInfo& input,
                   nvinfer1::OptProfileSelector which);

// The profiles that `listed` names, each once; all if it is empty. Errors: kInvalidArgument (the engine has
// no such profile, or none at all).
Result<std::vector<int32_t>> ListedProfiles(const nvinfer1::ICudaEngine& engine,
                                            const std::vector<int>& listed);

// By input, the maximum shape of that of `profiles` which takes most rows of all inputs at once.
std::vector<Shape> LargestShapesOf(const nvinfer1::ICudaEngine& engine, const std::vector<int32_t>& profiles,
                                   const std::vector<TensorInfo>& inputs);

// Whether the profile takes these shapes of all inputs. kInvalidArgument naming the input, the shape got and
// the range.
Result<void> ProfileTakes(const nvinfer1::ICudaEngine& engine, int profile,
                          const std::vector<TensorInfo>& inputs, const std::vector<Shape>& shapes);

// How far the shapes are from the profile's optimum: the sum of differences of dimensions.
int64_t DistanceToOptimum(const nvinfer1::ICudaEngine& engine, int profile,
                          const std::vector<TensorInfo>& inputs, const std::vector<Shape>& shapes);

}  // namespace tessera::engine
