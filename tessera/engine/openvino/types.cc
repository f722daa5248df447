#include "tessera/engine/openvino/types.h"

namespace tessera::engine::openvino {

std::optional<DType> FromOv(const ov::element::Type& type) {
  switch (static_cast<ov::element::Type_t>(type)) {
    case ov::element::Type_t::f32:
      return DType::kFloat32;
    case ov::element::Type_t::f16:
      return DType::kFloat16;
    case ov::element::Type_t::bf16:
      return DType::kBFloat16;
    case ov::element::Type_t::f64:
      return DType::kFloat64;
    case ov::element::Type_t::i8:
      return DType::kInt8;
    case ov::element::Type_t::i16:
      return DType::kInt16;
    case ov::element::Type_t::i32:
      return DType::kInt32;
    case ov::element::Type_t::i64:
      return DType::kInt64;
    case ov::element::Type_t::u8:
      return DType::kUInt8;
    case ov::element::Type_t::u16:
      return DType::kUInt16;
    case ov::element::Type_t::u32:
      return DType::kUInt32;
    case ov::element::Type_t::u64:
      return DType::kUInt64;
    case ov::element::Type_t::boolean:
      return DType::kBool;
    default:
      return std::nullopt;
  }
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
