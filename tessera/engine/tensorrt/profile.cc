#include "tessera/engine/tensorrt/profile.h"

#include <cstdlib>

namespace tessera::engine {
namespace {

using nvinfer1::OptProfileSelector;

bool Within(const Shape& shape, const Shape& least, const Shape& most) {
  if (shape.size() != least.size() || shape.size() != most.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < least[i] || shape[i] > most[i]) return false;
  }
  return true;
}

}  // namespace

Shape ProfileShape(const nvinfer1::ICudaEngine& engine, int profile, const TensorInfo& input,
                   OptProfileSelector which) {
  if (IsStatic(input.spec.shape)) return input.spec.shape;
  return FromTensorRt(engine.getProfileShape(input.spec.name.c_str(), profile, which));
}

Result<void> ProfileTakes(const nvinfer1::ICudaEngine& engine, int profile,
                          const std::vector<TensorInfo>& inputs, const std::vector<Shape>& shapes) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape least = ProfileShape(engine, profile, inputs[i], OptProfileSelector::kMIN);
    const Shape most = ProfileShape(engine, profile, inputs[i], OptProfileSelector::kMAX);
    if (Within(shapes[i], least, most)) continue;
    return Fail(Code::kInvalidArgument, "input '{}' is {}, the engine takes {} to {}", inputs[i].spec.name,
                ToString(shapes[i]), ToString(least), ToString(most));
  }
  return {};
}

int64_t DistanceToOptimum(const nvinfer1::ICudaEngine& engine, int profile,
                          const std::vector<TensorInfo>& inputs, const std::vector<Shape>& shapes) {
  int64_t distance = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape best = ProfileShape(engine, profile, inputs[i], OptProfileSelector::kOPT);
    for (size_t d = 0; d < best.size(); ++d) distance += std::abs(best[d] - shapes[i][d]);
  }
  return distance;
}

}  // namespace tessera::engine
