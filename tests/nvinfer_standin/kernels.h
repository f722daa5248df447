// The stand-in's own CUDA kernels behind plain functions; each issues to `stream` and returns.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace tessera::standin {

// The element types that the kernels know. (nvcc does not take this project's own headers: fmt stops it.)
enum class ElementType { kFloat32, kFloat64, kFloat16, kBFloat16, kInt8, kInt32, kInt64, kUInt8, kBool };

inline constexpr int kMaxDims = 8;

// In elements, outermost dimension first.
using Strides = std::array<int64_t, kMaxDims>;

// All places of a tensor, outermost dimension first.
struct Places {
  int dims = 0;
  std::array<int64_t, kMaxDims> sizes{};
};

// A tensor read at the places of a result: 0 along dimensions in which it is broadcast.
struct Operand {
  const void* data = nullptr;
  Strides strides{};
};

enum class Unary {
  kNeg,
  kAbs,
  kExp,
  kLog,
  kSqrt,
  kReciprocal,
  kErf,
  kTanh,
  kSigmoid,
  kRelu,
  kGelu,
  kGeluTanh,
  kSin,
  kCos,
  kNot,
  kIsNaN,
  kFloor,
  kCeil,
  kSoftplus
};
enum class Binary {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kPow,
  kMax,
  kMin,
  kMod,
  kAnd,
  kOr,
  kXor,
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual
};

// Comparisons and logic give bool whatever they take.
constexpr bool GivesBool(Binary op) {
  return op >= Binary::kAnd;
}

// False: the operation is not made for the type.
bool LaunchUnary(Unary op, ElementType type, const void* in, void* out, int64_t count, cudaStream_t stream);
bool LaunchBinary(Binary op, ElementType type, const Places& result, const Operand& a, const Operand& b,
                  void* out, cudaStream_t stream);
bool LaunchWhere(size_t element, const Places& result, const Operand& condition, const Operand& yes,
                 const Operand& no, void* out, cudaStream_t stream);
bool LaunchCast(ElementType from, ElementType to, const void* in, void* out, int64_t count,
                cudaStream_t stream);

// out[out_strides . place] = in[place] for every place.
bool LaunchStridedCopy(size_t element, const Places& places, const Operand& in, void* out,
                       const Strides& out_strides, cudaStream_t stream);

// ONNX Gather: data [outer, axis, inner], indices [count] -> [outer, count, inner].
bool LaunchGather(size_t element, const void* data, ElementType index_type, const void* indices, void* out,
                  int64_t outer, int64_t axis, int64_t count, int64_t inner, cudaStream_t stream);
// ONNX GatherElements along one axis: all tensors [outer, axis or count, inner].
bool LaunchGatherElements(size_t element, const void* data, const int64_t* indices, void* out, int64_t outer,
                          int64_t axis, int64_t count, int64_t inner, cudaStream_t stream);
// ONNX GatherND: indices [batch, count, depth] into data [batch, d0, d1, .., inner].
bool LaunchGatherNd(size_t element, const void* data, const int64_t* indices, void* out, int64_t batch,
                    int64_t count, int depth, const int64_t* dims, int64_t inner, cudaStream_t stream);

enum class Reduce { kSum, kMean, kMax, kMin, kProd };
// Rows of `columns` elements to one each.
bool LaunchReduce(Reduce op, ElementType type, const void* in, void* out, int64_t rows, int64_t columns,
                  cudaStream_t stream);
bool LaunchSoftmax(ElementType type, const void* in, void* out, int64_t rows, int64_t columns,
                   cudaStream_t stream);
// Layer, RMS and instance normalization of rows. scale and bias (which may be null) are of `type`: one number
// a column, or where `channels` is not 0, one a row, row r having that of channel r % channels.
struct Normalization {
  int64_t rows = 0, columns = 0, channels = 0;
  float epsilon = 0;
  bool center = true;  // RMS normalization does not
};
bool LaunchNormalize(const Normalization& how, ElementType type, const void* in, const void* scale,
                     const void* bias, void* out, cudaStream_t stream);
// The `count` largest of each row in falling order, equal ones by their place; `values` may be null.
bool LaunchTop(ElementType type, const void* in, void* values, int64_t* indices, int64_t rows,
               int64_t columns, int64_t count, cudaStream_t stream);
bool LaunchCumSum(ElementType type, const void* in, void* out, int64_t outer, int64_t axis, int64_t inner,
                  bool exclusive, bool reverse, cudaStream_t stream);

// Patches of an image for a convolution by matrix product: in [n,c,h,w] -> [n, oh*ow, c*kh*kw].
struct Patches {
  int64_t n, c, h, w, kh, kw, oh, ow, stride_h, stride_w, pad_h, pad_w;
};
bool LaunchPatches(size_t element, const Patches& p, const void* in, void* out, cudaStream_t stream);

// Adds one to *runs (mapped host memory), and where it was `at` stands still for `nanoseconds`: the fault
// "stall".
void LaunchStall(uint32_t* runs, uint32_t at, int64_t nanoseconds, cudaStream_t stream);

}  // namespace tessera::standin
