#include "tests/nvinfer_standin/tensor.h"

#include <algorithm>

#include "tessera/base/element.h"

namespace tessera::standin {

Result<ElementType> ToElement(DType type) {
  switch (type) {
    case DType::kFloat32:
      return ElementType::kFloat32;
    case DType::kFloat64:
      return ElementType::kFloat64;
    case DType::kFloat16:
      return ElementType::kFloat16;
    case DType::kBFloat16:
      return ElementType::kBFloat16;
    case DType::kInt8:
      return ElementType::kInt8;
    case DType::kInt32:
      return ElementType::kInt32;
    case DType::kInt64:
      return ElementType::kInt64;
    case DType::kUInt8:
      return ElementType::kUInt8;
    case DType::kBool:
      return ElementType::kBool;
    default:
      return Fail(Code::kUnsupported, "the stand-in has no {}", DTypeName(type));
  }
}

std::shared_ptr<void> Foreign(void* memory) {
  return {memory, [](void*) {}};
}

std::vector<int64_t> StridesOf(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

std::vector<int64_t> StridesOf(const Tensor& tensor) {
  return tensor.dense() ? StridesOf(tensor.shape) : tensor.strides;
}

Result<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {  // from the innermost dimension on
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      return Fail(Code::kInvalidArgument, "{} and {} do not broadcast", ToString(a), ToString(b));
    }
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& result) {
  return BroadcastStrides(Tensor{DType::kUndefined, shape, nullptr, std::nullopt, {}}, result);
}

std::vector<int64_t> BroadcastStrides(const Tensor& tensor, const Shape& result) {
  const std::vector<int64_t> own = StridesOf(tensor);
  std::vector<int64_t> strides(result.size(), 0);
  const size_t skip = result.size() - own.size();
  for (size_t d = 0; d < own.size(); ++d) strides[skip + d] = tensor.shape[d] == 1 ? 0 : own[d];
  return strides;
}

Result<Places> PlacesOf(const Shape& shape) {
  if (shape.size() > kMaxDims) return Fail(Code::kUnsupported, "{} dimensions", shape.size());
  Places places;
  places.dims = static_cast<int>(shape.size());
  std::ranges::copy(shape, places.sizes.begin());
  return places;
}

Strides KernelStrides(const std::vector<int64_t>& strides) {
  Strides padded{};
  std::ranges::copy(strides, padded.begin());
  return padded;
}

std::optional<std::vector<float>> FloatsOf(const graph::Constant& constant) {
  const auto access = AccessOf(constant.type);
  if (!access || !IsFloat(constant.type) || access->bytes > sizeof(float)) return std::nullopt;
  std::vector<float> values;
  for (size_t at = 0; at < constant.bytes.size(); at += access->bytes)
    values.push_back(static_cast<float>(access->read(constant.bytes.data() + at)));
  return values;
}

int64_t Product(const Shape& shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t d = begin; d < end; ++d) product *= shape[d];
  return product;
}

Result<size_t> Axis(int64_t axis, size_t dims) {
  const auto n = static_cast<int64_t>(dims);
  if (axis < -n || axis >= std::max<int64_t>(n, 1)) {
    return Fail(Code::kInvalidArgument, "axis {} of {} dimensions", axis, dims);
  }
  return static_cast<size_t>(axis < 0 ? axis + n : axis);
}

}  // namespace tessera::standin
