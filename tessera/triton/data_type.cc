#include "tessera/triton/data_type.h"

#include <algorithm>
#include <array>

namespace tessera::triton {
namespace {

struct Pair {
  DType ours;
  TRITONSERVER_DataType theirs;
};

constexpr std::array kPairs{
    Pair{DType::kBool, TRITONSERVER_TYPE_BOOL},     Pair{DType::kUInt8, TRITONSERVER_TYPE_UINT8},
    Pair{DType::kUInt16, TRITONSERVER_TYPE_UINT16}, Pair{DType::kUInt32, TRITONSERVER_TYPE_UINT32},
    Pair{DType::kUInt64, TRITONSERVER_TYPE_UINT64}, Pair{DType::kInt8, TRITONSERVER_TYPE_INT8},
    Pair{DType::kInt16, TRITONSERVER_TYPE_INT16},   Pair{DType::kInt32, TRITONSERVER_TYPE_INT32},
    Pair{DType::kInt64, TRITONSERVER_TYPE_INT64},   Pair{DType::kFloat16, TRITONSERVER_TYPE_FP16},
    Pair{DType::kFloat32, TRITONSERVER_TYPE_FP32},  Pair{DType::kFloat64, TRITONSERVER_TYPE_FP64},
    Pair{DType::kBFloat16, TRITONSERVER_TYPE_BF16}, Pair{DType::kString, TRITONSERVER_TYPE_BYTES},
};

constexpr std::string_view kPrefix = "TYPE_";
constexpr std::string_view kString = "STRING";

}  // namespace

TRITONSERVER_DataType ToTritonType(DType type) {
  const auto* found =
      std::find_if(kPairs.begin(), kPairs.end(), [&](const Pair& p) { return p.ours == type; });
  return found == kPairs.end() ? TRITONSERVER_TYPE_INVALID : found->theirs;
}

DType FromTritonType(TRITONSERVER_DataType type) {
  const auto* found =
      std::find_if(kPairs.begin(), kPairs.end(), [&](const Pair& p) { return p.theirs == type; });
  return found == kPairs.end() ? DType::kUndefined : found->ours;
}

std::string ConfigTypeName(DType type) {
  return std::string(kPrefix).append(type == DType::kString ? kString : DTypeName(type));
}

std::optional<DType> FromConfigTypeName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::optional<DType> type = name == kString ? DType::kString : DTypeFromName(name);
  if (type && ToTritonType(*type) == TRITONSERVER_TYPE_INVALID) return std::nullopt;
  return type;
}

bool IsServed(DType type) {
  return type != DType::kString && ToTritonType(type) != TRITONSERVER_TYPE_INVALID;
}

}  // namespace tessera::triton
