#include "tessera/engine/step_check.h"

#include "tessera/base/integer_range.h"

namespace tessera::engine {
namespace {

Result<void> CheckTensor(const TensorView& tensor, const TensorSpec& wanted, size_t rank) {
  if (tensor.type != wanted.type) {
    return Fail(Code::kInvalidArgument, "rank {}: input '{}' is {}, the engine wants {}", rank, wanted.name,
                DTypeName(tensor.type), DTypeName(wanted.type));
  }
  if (!Fits(tensor.shape, wanted.shape)) {
    return Fail(Code::kInvalidArgument, "rank {}: input '{}' is {}, the engine wants {}", rank, wanted.name,
                ToString(tensor.shape), ToString(wanted.shape));
  }
  const uint64_t bytes = BytesOf(tensor.type, tensor.shape).value();
  if (tensor.data.bytes() != bytes || (tensor.data.data == nullptr && bytes > 0)) {
    return Fail(Code::kInvalidArgument, "rank {}: input '{}' {} has {} bytes of data, wanted {}", rank,
                wanted.name, ToString(tensor.shape), tensor.data.data == nullptr ? 0 : tensor.data.bytes(),
                bytes);
  }
  return {};
}

// What goes whole to every rank is looked at once.
Result<void> CheckValues(const Step& step, const std::vector<TensorSpec>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].in_32_bits) continue;
    const std::byte* seen = nullptr;
    for (const RankInputs& rank : step.ranks) {
      const ConstRegion& data = rank.tensors[i].data;
      if (data.data == seen || data.kind == MemoryKind::kDevice) continue;
      TRY(CheckIn32Bits(inputs[i], data));
      seen = data.data;
    }
  }
  return {};
}

}  // namespace

bool Fits(const Shape& shape, const Shape& wanted) {
  if (shape.size() != wanted.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0 || (wanted[i] != kDynamic && shape[i] != wanted[i])) return false;
  }
  return true;
}

Result<void> CheckStep(const Step& step, int world_size, const std::vector<TensorSpec>& inputs) {
  if (step.sink == nullptr) return Fail(Code::kInvalidArgument, "the step has no sink for its outputs");
  if (step.ranks.size() != static_cast<size_t>(world_size)) {
    return Fail(Code::kInvalidArgument, "the step has inputs for {} ranks, wanted {}", step.ranks.size(),
                world_size);
  }
  for (size_t r = 0; r < step.ranks.size(); ++r) {
    const std::vector<TensorView>& tensors = step.ranks[r].tensors;
    if (tensors.size() != inputs.size()) {
      return Fail(Code::kInvalidArgument, "rank {}: {} inputs, the engine wants {}", r, tensors.size(),
                  inputs.size());
    }
    for (size_t i = 0; i < tensors.size(); ++i) TRY(CheckTensor(tensors[i], inputs[i], r));
  }
  return CheckValues(step, inputs);
}

Result<void> CheckPlace(const Region& place, const TensorSpec& output, DType type, const Shape& shape) {
  if (place.data == nullptr) return {};
  const uint64_t bytes = BytesOf(type, shape).value();
  if (place.bytes() == bytes) return {};
  return Fail(Code::kInvalidArgument, "output '{}' {} got a place of {} bytes, wanted {}", output.name,
              ToString(shape), place.bytes(), bytes);
}

}  // namespace tessera::engine
