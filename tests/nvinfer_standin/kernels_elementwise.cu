#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <initializer_list>

#include "tests/nvinfer_standin/kernels.h"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

template <class T>
struct Compute {
  using Type = T;
};
template <>
struct Compute<__half> {
  using Type = float;
};
template <>
struct Compute<__nv_bfloat16> {
  using Type = float;
};

template <class T>
__device__ typename Compute<T>::Type Load(const T& value) {
  if constexpr (sizeof(T) == 2) {
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
    case Unary::kCopy: return x;
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

__host__ __device__ bool GivesBool(Binary op) { return op >= Binary::kAnd; }

// What one thread reads and writes at once.
template <class T>
struct alignas(16) Pack {
  static constexpr int kCount = 16 / sizeof(T);
  T at[kCount];
};

template <class T>
bool Packs(int64_t count, std::initializer_list<const void*> all) {
  uintptr_t bits = 0;
  for (const void* data : all) bits |= reinterpret_cast<uintptr_t>(data);
  return bits % sizeof(Pack<T>) == 0 && count % Pack<T>::kCount == 0;
}

template <class T>
__global__ void PackedUnaryKernel(Unary op, const Pack<T>* in, Pack<T>* out, int64_t count) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < count; i += int64_t(gridDim.x) * blockDim.x) {
    const Pack<T> x = in[i];
    Pack<T> y;
    for (int k = 0; k < Pack<T>::kCount; ++k) y.at[k] = static_cast<T>(ApplyUnary(op, Load(x.at[k])));
    out[i] = y;
  }
}

template <class T>
__global__ void PackedBinaryKernel(Binary op, const Pack<T>* a, const Pack<T>* b, Pack<T>* out, int64_t count) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < count; i += int64_t(gridDim.x) * blockDim.x) {
    const Pack<T> x = a[i];
    const Pack<T> y = b[i];
    Pack<T> z;
    for (int k = 0; k < Pack<T>::kCount; ++k) z.at[k] = static_cast<T>(ApplyBinary(op, Load(x.at[k]), Load(y.at[k])));
    out[i] = z;
  }
}

template <class T>
__global__ void UnaryKernel(Unary op, const T* in, T* out, int64_t count) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < count; i += int64_t(gridDim.x) * blockDim.x) {
    out[i] = static_cast<T>(ApplyUnary(op, Load(in[i])));
  }
}

template <class T>
__global__ void UnaryBoolKernel(Unary op, const T* in, uint8_t* out, int64_t count) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < count; i += int64_t(gridDim.x) * blockDim.x) {
    out[i] = ApplyUnary(op, Load(in[i])) != 0 ? 1 : 0;
  }
}

struct Geometry {
  int dims;
  int64_t count;
  int64_t sizes[kMaxDims];
  int64_t strides[3][kMaxDims];
};

// Where operand `which` of a result's `i`-th element lies.
template <int kOperands>
__device__ void Offsets(const Geometry& g, int64_t i, int64_t (&at)[kOperands]) {
  for (int k = 0; k < kOperands; ++k) at[k] = 0;
  if (g.count <= INT32_MAX) {
    auto rest = static_cast<uint32_t>(i);
    for (int d = g.dims - 1; d >= 0; --d) {
      const auto size = static_cast<uint32_t>(g.sizes[d]);
      const uint32_t index = rest % size;
      rest /= size;
      for (int k = 0; k < kOperands; ++k) at[k] += index * g.strides[k][d];
    }
    return;
  }
  for (int d = g.dims - 1; d >= 0; --d) {
    const int64_t index = i % g.sizes[d];
    i /= g.sizes[d];
    for (int k = 0; k < kOperands; ++k) at[k] += index * g.strides[k][d];
  }
}

template <class T, class Out>
__global__ void BinaryKernel(Binary op, Geometry g, const T* a, const T* b, Out* out) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < g.count; i += int64_t(gridDim.x) * blockDim.x) {
    int64_t at[2];
    Offsets(g, i, at);
    out[i] = static_cast<Out>(ApplyBinary(op, Load(a[at[0]]), Load(b[at[1]])));
  }
}

template <class T>
__global__ void WhereKernel(Geometry g, const uint8_t* condition, const T* yes, const T* no, T* out) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < g.count; i += int64_t(gridDim.x) * blockDim.x) {
    int64_t at[3];
    Offsets(g, i, at);
    out[i] = condition[at[0]] != 0 ? yes[at[1]] : no[at[2]];
  }
}

template <class From, class To>
__global__ void CastKernel(const From* in, To* out, int64_t count, bool to_bool) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < count; i += int64_t(gridDim.x) * blockDim.x) {
    const auto value = Load(in[i]);
    if constexpr (sizeof(To) == 1) {
      out[i] = to_bool ? static_cast<To>(value != 0) : static_cast<To>(value);
    } else {
      out[i] = static_cast<To>(value);
    }
  }
}

Geometry MakeGeometry(const Walk& result) {
  Geometry g{};
  g.dims = result.dims;
  g.count = 1;
  for (int d = 0; d < result.dims; ++d) {
    g.sizes[d] = result.sizes[d];
    g.count *= result.sizes[d];
  }
  return g;
}

// Neighbouring dimensions over which every operand walks as over one: fewer divisions per element.
void Merge(Geometry& g, int operands) {
  int kept = 0;
  for (int d = 0; d < g.dims; ++d) {
    if (g.sizes[d] == 1) continue;
    bool merges = kept > 0;
    for (int k = 0; k < operands && merges; ++k) {
      merges = g.strides[k][kept - 1] == g.strides[k][d] * g.sizes[d];
    }
    const int to = merges ? kept - 1 : kept++;
    g.sizes[to] = merges ? g.sizes[to] * g.sizes[d] : g.sizes[d];
    for (int k = 0; k < operands; ++k) g.strides[k][to] = g.strides[k][d];
  }
  g.dims = kept;
}

void SetStrides(Geometry& g, int which, const Operand& operand) {
  for (int d = 0; d < g.dims; ++d) g.strides[which][d] = operand.strides[d];
}

template <class T>
bool BinaryOf(Binary op, const Geometry& g, const Operand& a, const Operand& b, void* out, cudaStream_t stream) {
  const T* x = static_cast<const T*>(a.data);
  const T* y = static_cast<const T*>(b.data);
  const bool dense = g.dims == 0 || (g.dims == 1 && g.strides[0][0] == 1 && g.strides[1][0] == 1);
  if (!GivesBool(op) && dense && Packs<T>(g.count, {x, y, out})) {
    const int64_t packs = g.count / Pack<T>::kCount;
    PackedBinaryKernel<<<Blocks(packs), kThreads, 0, stream>>>(op, reinterpret_cast<const Pack<T>*>(x),
                                                               reinterpret_cast<const Pack<T>*>(y),
                                                               static_cast<Pack<T>*>(out), packs);
  } else if (GivesBool(op)) {
    BinaryKernel<<<Blocks(g.count), kThreads, 0, stream>>>(op, g, x, y, static_cast<uint8_t*>(out));
  } else {
    BinaryKernel<<<Blocks(g.count), kThreads, 0, stream>>>(op, g, x, y, static_cast<T*>(out));
  }
  return true;
}

template <class T>
bool UnaryOf(Unary op, const void* in, void* out, int64_t count, cudaStream_t stream) {
  if (op == Unary::kIsNaN) {
    UnaryBoolKernel<<<Blocks(count), kThreads, 0, stream>>>(op, static_cast<const T*>(in), static_cast<uint8_t*>(out),
                                                            count);
  } else if (Packs<T>(count, {in, out})) {
    const int64_t packs = count / Pack<T>::kCount;
    PackedUnaryKernel<<<Blocks(packs), kThreads, 0, stream>>>(op, static_cast<const Pack<T>*>(in),
                                                              static_cast<Pack<T>*>(out), packs);
  } else {
    UnaryKernel<<<Blocks(count), kThreads, 0, stream>>>(op, static_cast<const T*>(in), static_cast<T*>(out), count);
  }
  return true;
}

template <class From>
bool CastFrom(ElementType to, const void* in, void* out, int64_t count, cudaStream_t stream) {
  const From* x = static_cast<const From*>(in);
  const dim3 blocks = Blocks(count);
  switch (to) {
    case ElementType::kFloat32: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<float*>(out), count, false); break;
    case ElementType::kFloat64: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<double*>(out), count, false); break;
    case ElementType::kFloat16: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<__half*>(out), count, false); break;
    case ElementType::kBFloat16:
      CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<__nv_bfloat16*>(out), count, false);
      break;
    case ElementType::kInt32: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<int32_t*>(out), count, false); break;
    case ElementType::kInt64: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<int64_t*>(out), count, false); break;
    case ElementType::kInt8: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<int8_t*>(out), count, false); break;
    case ElementType::kUInt8: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<uint8_t*>(out), count, false); break;
    case ElementType::kBool: CastKernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<uint8_t*>(out), count, true); break;
    default: return false;
  }
  return true;
}

}  // namespace

bool LaunchUnary(Unary op, ElementType type, const void* in, void* out, int64_t count, cudaStream_t stream) {
  if (count == 0) return true;
  switch (type) {
    case ElementType::kFloat32: return UnaryOf<float>(op, in, out, count, stream);
    case ElementType::kFloat16: return UnaryOf<__half>(op, in, out, count, stream);
    case ElementType::kBFloat16: return UnaryOf<__nv_bfloat16>(op, in, out, count, stream);
    case ElementType::kInt32: return UnaryOf<int32_t>(op, in, out, count, stream);
    case ElementType::kInt64: return UnaryOf<int64_t>(op, in, out, count, stream);
    case ElementType::kBool: return UnaryOf<uint8_t>(op, in, out, count, stream);
    default: return false;
  }
}

bool LaunchBinary(Binary op, ElementType type, const Walk& result, const Operand& a, const Operand& b, void* out,
                  cudaStream_t stream) {
  Geometry g = MakeGeometry(result);
  if (g.count == 0) return true;
  SetStrides(g, 0, a);
  SetStrides(g, 1, b);
  Merge(g, 2);
  switch (type) {
    case ElementType::kFloat32: return BinaryOf<float>(op, g, a, b, out, stream);
    case ElementType::kFloat64: return BinaryOf<double>(op, g, a, b, out, stream);
    case ElementType::kFloat16: return BinaryOf<__half>(op, g, a, b, out, stream);
    case ElementType::kBFloat16: return BinaryOf<__nv_bfloat16>(op, g, a, b, out, stream);
    case ElementType::kInt32: return BinaryOf<int32_t>(op, g, a, b, out, stream);
    case ElementType::kInt64: return BinaryOf<int64_t>(op, g, a, b, out, stream);
    case ElementType::kBool: return BinaryOf<uint8_t>(op, g, a, b, out, stream);
    default: return false;
  }
}

bool LaunchWhere(size_t element, const Walk& result, const Operand& condition, const Operand& yes, const Operand& no,
                 void* out, cudaStream_t stream) {
  Geometry g = MakeGeometry(result);
  if (g.count == 0) return true;
  SetStrides(g, 0, condition);
  SetStrides(g, 1, yes);
  SetStrides(g, 2, no);
  Merge(g, 3);
  const auto* c = static_cast<const uint8_t*>(condition.data);
  const dim3 blocks = Blocks(g.count);
  auto launch = [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    WhereKernel<<<blocks, kThreads, 0, stream>>>(g, c, static_cast<const T*>(yes.data), static_cast<const T*>(no.data),
                                                 static_cast<T*>(out));
    return true;
  };
  switch (element) {
    case 1: return launch(static_cast<uint8_t*>(nullptr));
    case 2: return launch(static_cast<uint16_t*>(nullptr));
    case 4: return launch(static_cast<uint32_t*>(nullptr));
    case 8: return launch(static_cast<uint64_t*>(nullptr));
    default: return false;
  }
}

bool LaunchCast(ElementType from, ElementType to, const void* in, void* out, int64_t count, cudaStream_t stream) {
  if (count == 0) return true;
  switch (from) {
    case ElementType::kFloat32: return CastFrom<float>(to, in, out, count, stream);
    case ElementType::kFloat64: return CastFrom<double>(to, in, out, count, stream);
    case ElementType::kFloat16: return CastFrom<__half>(to, in, out, count, stream);
    case ElementType::kBFloat16: return CastFrom<__nv_bfloat16>(to, in, out, count, stream);
    case ElementType::kInt32: return CastFrom<int32_t>(to, in, out, count, stream);
    case ElementType::kInt64: return CastFrom<int64_t>(to, in, out, count, stream);
    case ElementType::kInt8: return CastFrom<int8_t>(to, in, out, count, stream);
    case ElementType::kUInt8:
    case ElementType::kBool: return CastFrom<uint8_t>(to, in, out, count, stream);
    default: return false;
  }
}

}  // namespace tessera::standin
