// Values while a program is built.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/graph/graph.h"
#include "tests/nvinfer_standin/kernels.h"

namespace tessera::standin {

// The kernels' type; kUnsupported for one that they do not know.
Result<ElementType> ToElement(DType type);

struct Tensor {
  DType type = DType::kUndefined;
  Shape shape;
  std::shared_ptr<void> data;                // device memory; null: only `host` is there, or the build is dry
  std::optional<std::vector<int64_t>> host;  // an integer or bool tensor's values, known while building
  // How `data` is walked, in elements, where that is not dense: a part or a transposition of another tensor.
  std::vector<int64_t> strides;

  bool dense() const { return strides.empty(); }
  int64_t count() const { return ElementCount(shape); }
  size_t element() const { return static_cast<size_t>(BitsOf(type)) / 8; }
  size_t bytes() const { return static_cast<size_t>(count()) * element(); }
};

// Memory that somebody else owns, and that outlives the tensor.
std::shared_ptr<void> Foreign(void* memory);
// Dense strides in elements.
std::vector<int64_t> StridesOf(const Shape& shape);
// Of the tensor as it lies.
std::vector<int64_t> StridesOf(const Tensor& tensor);
// ONNX's multidirectional broadcasting. Errors: kInvalidArgument.
Result<Shape> BroadcastShapes(const Shape& a, const Shape& b);
// The same of the tensor as it lies.
std::vector<int64_t> BroadcastStrides(const Tensor& tensor, const Shape& result);
// Strides of a tensor of `shape` read at the places of the wider `result`: 0 where it is repeated.
std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& result);
// As the kernels take them. Errors: kUnsupported (more dimensions than they have room for).
Result<Places> PlacesOf(const Shape& shape);
// At most kMaxDims of them: PlacesOf has said so.
Strides KernelStrides(const std::vector<int64_t>& strides);
// The values of an fp32, fp16 or bf16 constant; nullopt for another type.
std::optional<std::vector<float>> FloatsOf(const graph::Constant& constant);
int64_t Product(const Shape& shape, size_t begin, size_t end);
// -1 counts from the end. Errors: kInvalidArgument.
Result<size_t> Axis(int64_t axis, size_t dims);

}  // namespace tessera::standin
