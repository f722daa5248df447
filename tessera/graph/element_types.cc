#include "tessera/graph/element_types.h"

#include <algorithm>
#include <array>

namespace tessera::graph {
namespace {

// By ONNX's number.
constexpr std::array kByNumber{
    DType::kUndefined,      DType::kFloat32,      DType::kUInt8,          DType::kInt8,
    DType::kUInt16,         DType::kInt16,        DType::kInt32,          DType::kInt64,
    DType::kString,         DType::kBool,         DType::kFloat16,        DType::kFloat64,
    DType::kUInt32,         DType::kUInt64,       DType::kComplex64,      DType::kComplex128,
    DType::kBFloat16,       DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2,
    DType::kFloat8E5M2FNUZ, DType::kUInt4,        DType::kInt4,           DType::kFloat4E2M1,
    DType::kFloat8E8M0,     DType::kUInt2,        DType::kInt2,
};

}  // namespace

DType FromOnnxType(int32_t number) {
  if (number < 0 || number >= static_cast<int32_t>(kByNumber.size())) return DType::kUndefined;
  return kByNumber[static_cast<size_t>(number)];
}

int32_t ToOnnxType(DType type) {
  return static_cast<int32_t>(std::find(kByNumber.begin(), kByNumber.end(), type) - kByNumber.begin());
}

}  // namespace tessera::graph
