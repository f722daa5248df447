// From an element type known at run time to one known to the compiler.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "tests/nvinfer_standin/kernels.h"

namespace tessera::standin {

// Calls `launch` with a null pointer of the type. False: not a float of at most 32 bits.
template <class Launch>
bool ByFloat(ElementType type, Launch launch) {
  switch (type) {
    case ElementType::kFloat32: launch(static_cast<float*>(nullptr)); return true;
    case ElementType::kFloat16: launch(static_cast<__half*>(nullptr)); return true;
    case ElementType::kBFloat16: launch(static_cast<__nv_bfloat16*>(nullptr)); return true;
    default: return false;
  }
}

// The same with the integers that models compute with.
template <class Launch>
bool ByNumber(ElementType type, Launch launch) {
  switch (type) {
    case ElementType::kInt32: launch(static_cast<int32_t*>(nullptr)); return true;
    case ElementType::kInt64: launch(static_cast<int64_t*>(nullptr)); return true;
    default: return ByFloat(type, launch);
  }
}

// With what sums and comparisons are made: integers as int64, floats as fp32.
template <class T>
struct Wider {
  using Type = float;
};
template <>
struct Wider<int32_t> {
  using Type = int64_t;
};
template <>
struct Wider<int64_t> {
  using Type = int64_t;
};

}  // namespace tessera::standin
