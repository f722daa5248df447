#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "tests/nvinfer_standin/kernels.h"

namespace tessera::standin {
namespace {

constexpr int kThreads = 256;

// A block's threads agree on one value. `scratch` has kThreads / 32 elements.
template <class Combine>
__device__ float BlockReduce(float value, Combine combine, float* scratch) {
  for (int step = 16; step > 0; step /= 2) value = combine(value, __shfl_xor_sync(0xffffffffU, value, step));
  __syncthreads();
  if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;
  __syncthreads();
  value = scratch[0];
  for (int warp = 1; warp < kThreads / 32; ++warp) value = combine(value, scratch[warp]);
  return value;
}

struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Max {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

template <class T>
__global__ void SoftmaxKernel(const T* in, T* out, int64_t columns) {
  __shared__ float scratch[kThreads / 32];
  const T* row = in + blockIdx.x * columns;
  T* result = out + blockIdx.x * columns;
  float top = -INFINITY;
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) top = fmaxf(top, static_cast<float>(row[i]));
  top = BlockReduce(top, Max(), scratch);
  float sum = 0;
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) sum += expf(static_cast<float>(row[i]) - top);
  sum = BlockReduce(sum, Sum(), scratch);
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    result[i] = static_cast<T>(expf(static_cast<float>(row[i]) - top) / sum);
  }
}

template <class T>
__global__ void NormalizeKernel(const T* in, const T* scale, const T* bias, T* out, int64_t columns, float epsilon,
                                bool center) {
  __shared__ float scratch[kThreads / 32];
  const T* row = in + blockIdx.x * columns;
  T* result = out + blockIdx.x * columns;
  float mean = 0;
  if (center) {
    for (int64_t i = threadIdx.x; i < columns; i += kThreads) mean += static_cast<float>(row[i]);
    mean = BlockReduce(mean, Sum(), scratch) / static_cast<float>(columns);
  }
  float square = 0;
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    const float x = static_cast<float>(row[i]) - mean;
    square += x * x;
  }
  square = BlockReduce(square, Sum(), scratch) / static_cast<float>(columns);
  const float factor = 1.0f / sqrtf(square + epsilon);
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    float x = (static_cast<float>(row[i]) - mean) * factor * static_cast<float>(scale[i]);
    if (bias != nullptr) x += static_cast<float>(bias[i]);
    result[i] = static_cast<T>(x);
  }
}

template <class T, class Wide>
__device__ Wide Combine(Reduce op, Wide a, Wide b) {
  switch (op) {
    case Reduce::kSum:
    case Reduce::kMean: return a + b;
    case Reduce::kMax: return a > b ? a : b;
    case Reduce::kMin: return a < b ? a : b;
    case Reduce::kProd: return a * b;
  }
  return a;
}

// One thread combines what a block's threads found: rows are long enough for that not to matter, and integers fit.
template <class T, class Wide>
__global__ void ReduceKernel(Reduce op, const T* in, T* out, int64_t columns) {
  __shared__ Wide parts[kThreads];
  const T* row = in + blockIdx.x * columns;
  const auto used = static_cast<int>(columns < kThreads ? columns : kThreads);
  if (threadIdx.x < used) {
    Wide part = static_cast<Wide>(row[threadIdx.x]);
    for (int64_t i = threadIdx.x + kThreads; i < columns; i += kThreads) {
      part = Combine<T, Wide>(op, part, static_cast<Wide>(row[i]));
    }
    parts[threadIdx.x] = part;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  Wide all = columns > 0 ? parts[0] : Wide(0);
  for (int i = 1; i < used; ++i) all = Combine<T, Wide>(op, all, parts[i]);
  if (op == Reduce::kMean) all = all / static_cast<Wide>(columns);
  out[blockIdx.x] = static_cast<T>(all);
}

template <class T>
__global__ void ArgMaxKernel(const T* in, int64_t* out, int64_t rows, int64_t columns) {
  const int64_t row = blockIdx.x * int64_t(blockDim.x) + threadIdx.x;
  if (row >= rows) return;
  int64_t best = 0;
  for (int64_t i = 1; i < columns; ++i) {
    if (in[row * columns + i] > in[row * columns + best]) best = i;
  }
  out[row] = best;
}

template <class T>
__global__ void CumSumKernel(const T* in, T* out, int64_t outer, int64_t axis, int64_t inner, bool exclusive,
                             bool reverse) {
  const int64_t lane = blockIdx.x * int64_t(blockDim.x) + threadIdx.x;
  if (lane >= outer * inner) return;
  const int64_t start = lane / inner * axis * inner + lane % inner;
  T sum = T(0);
  for (int64_t step = 0; step < axis; ++step) {
    const int64_t at = start + (reverse ? axis - 1 - step : step) * inner;
    const T value = in[at];
    out[at] = exclusive ? sum : static_cast<T>(sum + value);
    sum = static_cast<T>(sum + value);
  }
}

dim3 Rows(int64_t rows) { return dim3(static_cast<unsigned>(rows)); }

}  // namespace

bool LaunchSoftmax(ElementType type, const void* in, void* out, int64_t rows, int64_t columns, cudaStream_t stream) {
  if (rows == 0 || columns == 0) return true;
  auto launch = [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    SoftmaxKernel<<<Rows(rows), kThreads, 0, stream>>>(static_cast<const T*>(in), static_cast<T*>(out), columns);
    return true;
  };
  switch (type) {
    case ElementType::kFloat32: return launch(static_cast<float*>(nullptr));
    case ElementType::kFloat16: return launch(static_cast<__half*>(nullptr));
    case ElementType::kBFloat16: return launch(static_cast<__nv_bfloat16*>(nullptr));
    default: return false;
  }
}

bool LaunchNormalize(ElementType type, const void* in, const void* scale, const void* bias, void* out, int64_t rows,
                     int64_t columns, float epsilon, bool center, cudaStream_t stream) {
  if (rows == 0 || columns == 0) return true;
  auto launch = [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    NormalizeKernel<<<Rows(rows), kThreads, 0, stream>>>(static_cast<const T*>(in), static_cast<const T*>(scale),
                                                         static_cast<const T*>(bias), static_cast<T*>(out), columns,
                                                         epsilon, center);
    return true;
  };
  switch (type) {
    case ElementType::kFloat32: return launch(static_cast<float*>(nullptr));
    case ElementType::kFloat16: return launch(static_cast<__half*>(nullptr));
    case ElementType::kBFloat16: return launch(static_cast<__nv_bfloat16*>(nullptr));
    default: return false;
  }
}

bool LaunchReduce(Reduce op, ElementType type, const void* in, void* out, int64_t rows, int64_t columns,
                  cudaStream_t stream) {
  if (rows == 0) return true;
  auto launch = [&](auto* typed, auto wide) {
    using T = std::remove_pointer_t<decltype(typed)>;
    ReduceKernel<T, decltype(wide)>
        <<<Rows(rows), kThreads, 0, stream>>>(op, static_cast<const T*>(in), static_cast<T*>(out), columns);
    return true;
  };
  switch (type) {
    case ElementType::kFloat32: return launch(static_cast<float*>(nullptr), 0.0f);
    case ElementType::kFloat16: return launch(static_cast<__half*>(nullptr), 0.0f);
    case ElementType::kBFloat16: return launch(static_cast<__nv_bfloat16*>(nullptr), 0.0f);
    case ElementType::kInt32: return launch(static_cast<int32_t*>(nullptr), int64_t{0});
    case ElementType::kInt64: return launch(static_cast<int64_t*>(nullptr), int64_t{0});
    default: return false;
  }
}

bool LaunchArgMax(ElementType type, const void* in, int64_t* out, int64_t rows, int64_t columns, cudaStream_t stream) {
  const dim3 blocks(static_cast<unsigned>((rows + kThreads - 1) / kThreads));
  if (rows == 0) return true;
  switch (type) {
    case ElementType::kFloat32:
      ArgMaxKernel<<<blocks, kThreads, 0, stream>>>(static_cast<const float*>(in), out, rows, columns);
      return true;
    case ElementType::kInt32:
      ArgMaxKernel<<<blocks, kThreads, 0, stream>>>(static_cast<const int32_t*>(in), out, rows, columns);
      return true;
    case ElementType::kInt64:
      ArgMaxKernel<<<blocks, kThreads, 0, stream>>>(static_cast<const int64_t*>(in), out, rows, columns);
      return true;
    default: return false;
  }
}

bool LaunchCumSum(ElementType type, const void* in, void* out, int64_t outer, int64_t axis, int64_t inner, bool exclusive,
                  bool reverse, cudaStream_t stream) {
  const dim3 blocks(static_cast<unsigned>((outer * inner + kThreads - 1) / kThreads));
  if (outer * inner == 0) return true;
  auto launch = [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    CumSumKernel<<<blocks, kThreads, 0, stream>>>(static_cast<const T*>(in), static_cast<T*>(out), outer, axis, inner,
                                                  exclusive, reverse);
    return true;
  };
  switch (type) {
    case ElementType::kFloat32: return launch(static_cast<float*>(nullptr));
    case ElementType::kInt32: return launch(static_cast<int32_t*>(nullptr));
    case ElementType::kInt64: return launch(static_cast<int64_t*>(nullptr));
    default: return false;
  }
}

}  // namespace tessera::standin
