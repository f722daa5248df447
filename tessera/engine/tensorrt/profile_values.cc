#include "tessera/engine/tensorrt/profile_values.h"

#include <cstdlib>
#include <cstring>
#include <span>

namespace tessera::engine {
namespace {

using nvinfer1::OptProfileSelector;

template <class Number>
std::vector<int64_t> Decode(const HostBytes& bytes) {
  std::vector<Number> numbers(bytes.size() / sizeof(Number));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(Number));
  return {numbers.begin(), numbers.end()};
}

std::vector<int64_t> Decode(DType type, const HostBytes& bytes) {
  return type == DType::kInt32 ? Decode<int32_t>(bytes) : Decode<int64_t>(bytes);
}

template <class Number>
HostBytes Encode(const int64_t* values, size_t count) {
  const std::vector<Number> numbers(values, values + count);
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

// Null: the engine says nothing of it.
const int64_t* Range(const nvinfer1::ICudaEngine& engine, int profile, const TensorSpec& input,
                     OptProfileSelector which) {
  return engine.getProfileTensorValuesV2(input.name.c_str(), profile, which);
}

Result<void> CheckRange(const TensorSpec& input, const std::vector<int64_t>& got, const int64_t* least,
                        const int64_t* most) {
  for (size_t i = 0; least != nullptr && most != nullptr && i < got.size(); ++i) {
    if (got[i] >= least[i] && got[i] <= most[i]) continue;
    return Fail(Code::kInvalidArgument,
                "input '{}': The shape value at index {} is expected to be in range from {} to {}, Got: {}",
                input.name, i, least[i], most[i], got[i]);
  }
  return {};
}

}  // namespace

HostValues ProfileValues(const nvinfer1::ICudaEngine& engine, int profile,
                         const std::vector<TensorSpec>& inputs, OptProfileSelector which) {
  HostValues values(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].on_host) continue;
    const int64_t* range = Range(engine, profile, inputs[i], which);
    const auto count = static_cast<size_t>(ElementCount(inputs[i].shape));
    if (range == nullptr) continue;
    values[i] =
        inputs[i].type == DType::kInt32 ? Encode<int32_t>(range, count) : Encode<int64_t>(range, count);
  }
  return values;
}

Result<void> ProfileTakesValues(const nvinfer1::ICudaEngine& engine, int profile,
                                const std::vector<TensorSpec>& inputs, const HostValues& values) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].on_host) continue;
    TRY(CheckRange(inputs[i], Decode(inputs[i].type, values[i]),
                   Range(engine, profile, inputs[i], OptProfileSelector::kMIN),
                   Range(engine, profile, inputs[i], OptProfileSelector::kMAX)));
  }
  return {};
}

int64_t ValuesToOptimum(const nvinfer1::ICudaEngine& engine, int profile,
                        const std::vector<TensorSpec>& inputs, const HostValues& values) {
  int64_t distance = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int64_t* best =
        inputs[i].on_host ? Range(engine, profile, inputs[i], OptProfileSelector::kOPT) : nullptr;
    if (best == nullptr) continue;
    const std::vector<int64_t> got = Decode(inputs[i].type, values[i]);
    for (size_t v = 0; v < got.size(); ++v) distance += std::abs(best[v] - got[v]);
  }
  return distance;
}

}  // namespace tessera::engine
