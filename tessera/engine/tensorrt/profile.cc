#include "tessera/engine/tensorrt/profile.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

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

std::vector<Shape> MaximumShapes(const nvinfer1::ICudaEngine& engine, int profile,
                                 const std::vector<TensorInfo>& inputs) {
  std::vector<Shape> shapes;
  for (const TensorInfo& input : inputs) {
    shapes.push_back(ProfileShape(engine, profile, input, OptProfileSelector::kMAX));
  }
  return shapes;
}

// Of all inputs whose first dimension is free.
int64_t RowsOf(const std::vector<Shape>& shapes, const std::vector<TensorInfo>& inputs) {
  int64_t rows = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& declared = inputs[i].spec.shape;
    if (!declared.empty() && declared.front() == kDynamic) rows = std::min(rows, shapes[i].front());
  }
  return rows;
}

}  // namespace

Shape ProfileShape(const nvinfer1::ICudaEngine& engine, int profile, const TensorInfo& input,
                   OptProfileSelector which) {
  if (IsStatic(input.spec.shape)) return input.spec.shape;
  return FromTensorRt(engine.getProfileShape(input.spec.name.c_str(), profile, which));
}

Result<std::vector<int32_t>> ListedProfiles(const nvinfer1::ICudaEngine& engine,
                                            const std::vector<int>& listed) {
  const int32_t count = engine.getNbOptimizationProfiles();
  if (count == 0) return Fail(Code::kInvalidArgument, "the engine has no profile");
  std::vector<int32_t> profiles;
  for (int32_t profile = 0; listed.empty() && profile < count; ++profile) profiles.push_back(profile);
  for (const int profile : listed) {
    if (profile < 0 || profile >= count) {
      return Fail(
          Code::kInvalidArgument,
          "configuration specified invalid profile {}. Number of profiles supported by TensorRT engine: "
          "{}",
          profile, count);
    }
    const bool known = std::find(profiles.begin(), profiles.end(), profile) != profiles.end();
    if (!known) profiles.push_back(profile);
  }
  return profiles;
}

std::vector<Shape> LargestShapesOf(const nvinfer1::ICudaEngine& engine, const std::vector<int32_t>& profiles,
                                   const std::vector<TensorInfo>& inputs) {
  std::vector<Shape> largest = MaximumShapes(engine, profiles.front(), inputs);
  for (const int32_t profile : profiles) {
    std::vector<Shape> shapes = MaximumShapes(engine, profile, inputs);
    if (RowsOf(shapes, inputs) > RowsOf(largest, inputs)) largest = std::move(shapes);
  }
  return largest;
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
