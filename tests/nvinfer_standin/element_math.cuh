// What the elementwise operators compute from one element of each operand.
#pragma once

#include <type_traits>

#include "tests/nvinfer_standin/dispatch.cuh"

namespace tessera::standin {

// What is computed with: 16-bit floats as fp32, everything else as it is.
template <class T>
__device__ auto Load(const T& value) {
  if constexpr (std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>) {
    return static_cast<float>(value);
  } else {
    return value;
  }
}

template <class T>
__device__ double Wide(T x) { return static_cast<double>(x); }

template <class T>
__device__ T ApplyUnary(Unary op, T x) {
  const float f = static_cast<float>(x);
  switch (op) {
    case Unary::kNeg: return static_cast<T>(-x);
    case Unary::kAbs: return x < T(0) ? static_cast<T>(-x) : x;
    case Unary::kExp: return static_cast<T>(expf(f));
    case Unary::kLog: return static_cast<T>(logf(f));
    case Unary::kSqrt: return static_cast<T>(sqrtf(f));
    case Unary::kReciprocal: return static_cast<T>(1.0f / f);
    case Unary::kErf: return static_cast<T>(erff(f));
    case Unary::kTanh: return static_cast<T>(tanhf(f));
    case Unary::kSigmoid: return static_cast<T>(1.0f / (1.0f + expf(-f)));
    case Unary::kRelu: return x > T(0) ? x : T(0);
    case Unary::kGelu: return static_cast<T>(0.5f * f * (1.0f + erff(f * 0.70710678118654752f)));
    case Unary::kGeluTanh:
      return static_cast<T>(0.5f * f * (1.0f + tanhf(0.7978845608028654f * (f + 0.044715f * f * f * f))));
    case Unary::kSin: return static_cast<T>(sinf(f));
    case Unary::kCos: return static_cast<T>(cosf(f));
    case Unary::kNot: return static_cast<T>(x == T(0));
    case Unary::kIsNaN: return static_cast<T>(isnan(f));
    case Unary::kFloor: return static_cast<T>(floorf(f));
    case Unary::kCeil: return static_cast<T>(ceilf(f));
    case Unary::kSoftplus: return static_cast<T>(log1pf(expf(f)));
  }
  return x;
}

template <class T>
__device__ T Power(T a, T b) {
  if constexpr (sizeof(T) == 8) return static_cast<T>(pow(Wide(a), Wide(b)));
  const float e = static_cast<float>(b);
  const float x = static_cast<float>(a);
  if (e == 2.0f) return static_cast<T>(x * x);
  if (e == 3.0f) return static_cast<T>(x * x * x);
  return static_cast<T>(powf(x, e));
}

template <class T>
__device__ T ApplyBinary(Binary op, T a, T b) {
  switch (op) {
    case Binary::kAdd: return static_cast<T>(a + b);
    case Binary::kSub: return static_cast<T>(a - b);
    case Binary::kMul: return static_cast<T>(a * b);
    case Binary::kDiv: return static_cast<T>(a / b);
    case Binary::kPow: return Power(a, b);
    case Binary::kMax: return a > b ? a : b;
    case Binary::kMin: return a < b ? a : b;
    case Binary::kMod: return static_cast<T>(Wide(a) - floor(Wide(a) / Wide(b)) * Wide(b));
    case Binary::kAnd: return static_cast<T>(a != T(0) && b != T(0));
    case Binary::kOr: return static_cast<T>(a != T(0) || b != T(0));
    case Binary::kXor: return static_cast<T>((a != T(0)) != (b != T(0)));
    case Binary::kEqual: return static_cast<T>(a == b);
    case Binary::kLess: return static_cast<T>(a < b);
    case Binary::kLessOrEqual: return static_cast<T>(a <= b);
    case Binary::kGreater: return static_cast<T>(a > b);
    case Binary::kGreaterOrEqual: return static_cast<T>(a >= b);
  }
  return a;
}

}  // namespace tessera::standin
