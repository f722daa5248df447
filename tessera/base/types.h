// Strong names for the numbers that could be swapped, element types and shapes.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/result.h"

namespace tessera {

// A number with a name of its own: Rank and DeviceId do not convert into each other.
template <class Tag, class Number>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(Number value) : value_(value) {}
  constexpr Number value() const { return value_; }
  auto operator<=>(const Strong&) const = default;

 private:
  Number value_{};
};

using Rank = Strong<struct RankTag, int>;            // one device's part of a model: 0 .. world size - 1
using DeviceId = Strong<struct DeviceIdTag, int>;    // a GPU's ordinal
using ByteCount = Strong<struct ByteCountTag, uint64_t>;

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// ONNX's element types (TensorProto.DataType).
enum class DType {
  kUndefined,
  kFloat32, kFloat16, kBFloat16, kFloat64,
  kInt8, kInt16, kInt32, kInt64,
  kUInt8, kUInt16, kUInt32, kUInt64,
  kBool, kString,
  kFloat8E4M3FN, kFloat8E4M3FNUZ, kFloat8E5M2, kFloat8E5M2FNUZ, kFloat8E8M0, kFloat4E2M1,
  kInt4, kUInt4, kInt2, kUInt2,
  kComplex64, kComplex128,
};

// Triton's name of the type ("FP32", "INT64", "BOOL", "BYTES"); ONNX's in capitals where Triton has none.
std::string_view DTypeName(DType type);
std::optional<DType> DTypeFromName(std::string_view name);

// Bits of one element; 0 for kString and kUndefined.
int BitsOf(DType type);
bool IsFloat(DType type);
bool IsInteger(DType type);

// Dimensions, outermost first. kDynamic = known at run time only.
using Shape = std::vector<int64_t>;
inline constexpr int64_t kDynamic = -1;

bool IsStatic(const Shape& shape);

// Product of the dimensions; 1 for a scalar, the largest number where it is larger. Requires IsStatic(shape).
int64_t ElementCount(const Shape& shape);

// Bytes of a dense tensor, sub-byte types packed, the largest number where there are more. Requires IsStatic(shape) and BitsOf(type) > 0.
ByteCount BytesOf(DType type, const Shape& shape);

// "[4,-1,384]"
std::string ToString(const Shape& shape);

}  // namespace tessera
