#include "tessera/base/openvino/element_types.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera {
namespace {

using ov::element::Type_t;

constexpr std::array kTypes{
    std::pair{Type_t::f32, DType::kFloat32},
    std::pair{Type_t::f16, DType::kFloat16},
    std::pair{Type_t::bf16, DType::kBFloat16},
    std::pair{Type_t::f64, DType::kFloat64},
    std::pair{Type_t::i8, DType::kInt8},
    std::pair{Type_t::i16, DType::kInt16},
    std::pair{Type_t::i32, DType::kInt32},
    std::pair{Type_t::i64, DType::kInt64},
    std::pair{Type_t::u8, DType::kUInt8},
    std::pair{Type_t::u16, DType::kUInt16},
    std::pair{Type_t::u32, DType::kUInt32},
    std::pair{Type_t::u64, DType::kUInt64},
    std::pair{Type_t::boolean, DType::kBool},
    std::pair{Type_t::string, DType::kString},
    std::pair{Type_t::f8e4m3, DType::kFloat8E4M3FN},
    std::pair{Type_t::f8e5m2, DType::kFloat8E5M2},
    std::pair{Type_t::f8e8m0, DType::kFloat8E8M0},
    std::pair{Type_t::f4e2m1, DType::kFloat4E2M1},
    std::pair{Type_t::i4, DType::kInt4},
    std::pair{Type_t::u4, DType::kUInt4},
    std::pair{Type_t::u2, DType::kUInt2},
};

}  // namespace

DType FromOpenVino(Type_t type) {
  const auto* found = std::ranges::find(kTypes, type, &std::pair<Type_t, DType>::first);
  return found == kTypes.end() ? DType::kUndefined : found->second;
}

}  // namespace tessera
