#include "tessera/base/types.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

namespace tessera {
namespace {

struct DTypeInfo {
  DType type;
  std::string_view name;
  int bits;
};

constexpr std::array kDTypes{
    DTypeInfo{DType::kUndefined, "UNDEFINED", 0},     DTypeInfo{DType::kFloat32, "FP32", 32},
    DTypeInfo{DType::kFloat16, "FP16", 16},           DTypeInfo{DType::kBFloat16, "BF16", 16},
    DTypeInfo{DType::kFloat64, "FP64", 64},           DTypeInfo{DType::kInt8, "INT8", 8},
    DTypeInfo{DType::kInt16, "INT16", 16},            DTypeInfo{DType::kInt32, "INT32", 32},
    DTypeInfo{DType::kInt64, "INT64", 64},            DTypeInfo{DType::kUInt8, "UINT8", 8},
    DTypeInfo{DType::kUInt16, "UINT16", 16},          DTypeInfo{DType::kUInt32, "UINT32", 32},
    DTypeInfo{DType::kUInt64, "UINT64", 64},          DTypeInfo{DType::kBool, "BOOL", 8},
    DTypeInfo{DType::kString, "BYTES", 0},            DTypeInfo{DType::kFloat8E4M3FN, "FLOAT8E4M3FN", 8},
    DTypeInfo{DType::kFloat8E4M3FNUZ, "FLOAT8E4M3FNUZ", 8}, DTypeInfo{DType::kFloat8E5M2, "FLOAT8E5M2", 8},
    DTypeInfo{DType::kFloat8E5M2FNUZ, "FLOAT8E5M2FNUZ", 8}, DTypeInfo{DType::kFloat8E8M0, "FLOAT8E8M0", 8},
    DTypeInfo{DType::kFloat4E2M1, "FLOAT4E2M1", 4},   DTypeInfo{DType::kInt4, "INT4", 4},
    DTypeInfo{DType::kUInt4, "UINT4", 4},             DTypeInfo{DType::kInt2, "INT2", 2},
    DTypeInfo{DType::kUInt2, "UINT2", 2},             DTypeInfo{DType::kComplex64, "COMPLEX64", 64},
    DTypeInfo{DType::kComplex128, "COMPLEX128", 128},
};

const DTypeInfo& Info(DType type) { return kDTypes.at(static_cast<size_t>(type)); }

}  // namespace

std::string_view DTypeName(DType type) { return Info(type).name; }

std::optional<DType> DTypeFromName(std::string_view name) {
  const auto* found = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const auto& i) { return i.name == name; });
  if (found == kDTypes.end()) return std::nullopt;
  return found->type;
}

int BitsOf(DType type) { return Info(type).bits; }

bool IsFloat(DType type) {
  switch (type) {
    case DType::kFloat32: case DType::kFloat16: case DType::kBFloat16: case DType::kFloat64:
    case DType::kFloat8E4M3FN: case DType::kFloat8E4M3FNUZ: case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ: case DType::kFloat8E8M0: case DType::kFloat4E2M1:
      return true;
    default:
      return false;
  }
}

bool IsInteger(DType type) {
  switch (type) {
    case DType::kInt8: case DType::kInt16: case DType::kInt32: case DType::kInt64:
    case DType::kUInt8: case DType::kUInt16: case DType::kUInt32: case DType::kUInt64:
    case DType::kInt4: case DType::kUInt4: case DType::kInt2: case DType::kUInt2:
      return true;
    default:
      return false;
  }
}

bool IsStatic(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](int64_t d) { return d >= 0; });
}

int64_t ElementCount(const Shape& shape) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  int64_t count = 1;
  for (int64_t d : shape) {
    if (__builtin_mul_overflow(count, d, &count)) return std::numeric_limits<int64_t>::max();
  }
  return count;
}

ByteCount BytesOf(DType type, const Shape& shape) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const auto elements = static_cast<uint64_t>(ElementCount(shape));
  const auto bits = static_cast<uint64_t>(BitsOf(type));
  if (bits > 0 && elements > (kMost - 7) / bits) return ByteCount{kMost};
  return ByteCount{(elements * bits + 7) / 8};
}

std::string ToString(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

}  // namespace tessera
