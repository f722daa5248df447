// OpenVINO's element types and shapes as ours. Private to the adapter.
#pragma once

#include <openvino/core/partial_shape.hpp>
#include <openvino/core/type/element_type.hpp>
#include <optional>

#include "tessera/base/types.h"

namespace tessera::engine::openvino {

// nullopt: a type whose tensors this adapter does not take (strings, 8-bit floats, packed and sub-byte types).
std::optional<DType> FromOv(const ov::element::Type& type);

// kDynamic where free; nullopt when not even the rank is known.
std::optional<Shape> FromOv(const ov::PartialShape& shape);
Shape FromOv(const ov::Shape& shape);
ov::Shape ToOv(const Shape& shape);

}  // namespace tessera::engine::openvino
