// From an element type known at run time to one known to the compiler.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

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

template <class Launch>
bool ByDouble(ElementType type, Launch launch) {
  if (type != ElementType::kFloat64) return false;
  launch(static_cast<double*>(nullptr));
  return true;
}

template <class Launch>
bool ByBool(ElementType type, Launch launch) {
  if (type != ElementType::kBool) return false;
  launch(static_cast<uint8_t*>(nullptr));
  return true;
}

// All element types.
template <class Launch>
bool ByElement(ElementType type, Launch launch) {
  switch (type) {
    case ElementType::kInt8: launch(static_cast<int8_t*>(nullptr)); return true;
    case ElementType::kUInt8: launch(static_cast<uint8_t*>(nullptr)); return true;
    default: return ByNumber(type, launch) || ByBool(type, launch) || ByDouble(type, launch);
  }
}

// With a pointer of an unsigned type of `element` bytes, for what only moves elements.
template <class Launch>
bool BySize(size_t element, Launch launch) {
  switch (element) {
    case 1: launch(static_cast<uint8_t*>(nullptr)); return true;
    case 2: launch(static_cast<uint16_t*>(nullptr)); return true;
    case 4: launch(static_cast<uint32_t*>(nullptr)); return true;
    case 8: launch(static_cast<uint64_t*>(nullptr)); return true;
    default: return false;
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
