#include "tessera/engine/openvino/types.h"

#include <algorithm>
#include <array>

#include "tessera/base/openvino/element_types.h"

namespace tessera::engine::openvino {
namespace {

constexpr std::array kTaken{DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kFloat64,
                            DType::kInt8,    DType::kInt16,   DType::kInt32,    DType::kInt64,
                            DType::kUInt8,   DType::kUInt16,  DType::kUInt32,   DType::kUInt64,
                            DType::kBool};

}  // namespace

std::optional<DType> FromOv(const ov::element::Type& type) {
  const DType found = FromOpenVino(type);
  return std::ranges::find(kTaken, found) == kTaken.end() ? std::nullopt : std::optional(found);
}

std::optional<Shape> FromOv(const ov::PartialShape& shape) {
  if (shape.rank().is_dynamic()) return std::nullopt;
  Shape result;
  for (const ov::Dimension& d : shape) result.push_back(d.is_static() ? d.get_length() : kDynamic);
  return result;
}

Shape FromOv(const ov::Shape& shape) {
  return Shape(shape.begin(), shape.end());
}

ov::Shape ToOv(const Shape& shape) {
  ov::Shape result;
  for (int64_t d : shape) result.push_back(static_cast<size_t>(d));
  return result;
}

}  // namespace tessera::engine::openvino
