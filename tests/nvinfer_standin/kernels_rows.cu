#include "tests/nvinfer_standin/dispatch.cuh"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

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
__global__ void NormalizeKernel(Normalization n, const T* in, const T* scale, const T* bias, T* out) {
  __shared__ float scratch[kThreads / 32];
  const T* row = in + blockIdx.x * n.columns;
  T* result = out + blockIdx.x * n.columns;
  const auto columns = static_cast<float>(n.columns);
  float mean = 0;
  if (n.center) {
    for (int64_t i = threadIdx.x; i < n.columns; i += kThreads) mean += static_cast<float>(row[i]);
    mean = BlockReduce(mean, Sum(), scratch) / columns;
  }
  float square = 0;
  for (int64_t i = threadIdx.x; i < n.columns; i += kThreads) {
    const float x = static_cast<float>(row[i]) - mean;
    square += x * x;
  }
  square = BlockReduce(square, Sum(), scratch) / columns;
  const float factor = 1.0f / sqrtf(square + n.epsilon);
  for (int64_t i = threadIdx.x; i < n.columns; i += kThreads) {
    const int64_t at = n.channels > 0 ? blockIdx.x % n.channels : i;
    float x = (static_cast<float>(row[i]) - mean) * factor * static_cast<float>(scale[at]);
    if (bias != nullptr) x += static_cast<float>(bias[at]);
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

// Whether `value` at `at` comes after the chosen `last` in falling order; equal ones by their place.
template <class Wide>
__device__ bool IsAfter(Wide value, int64_t at, Wide last, int64_t last_at) {
  return value < last || (value == last && at > last_at);
}

// A thread a row, `count` rounds: each takes the largest that comes after the one before.
template <class T>
__global__ void TopKernel(const T* in, T* values, int64_t* indices, int64_t rows, int64_t columns, int64_t count) {
  using Wide = typename Wider<T>::Type;
  ForEachElement(rows, [&](int64_t row) {
    const T* from = in + row * columns;
    int64_t last = -1;
    for (int64_t k = 0; k < count; ++k) {
      int64_t best = -1;
      for (int64_t i = 0; i < columns; ++i) {
        const Wide value = static_cast<Wide>(from[i]);
        if (last >= 0 && !IsAfter(value, i, static_cast<Wide>(from[last]), last)) continue;
        if (best < 0 || value > static_cast<Wide>(from[best])) best = i;
      }
      last = best < 0 ? 0 : best;  // not a number is nowhere
      indices[row * count + k] = last;
      if (values != nullptr) values[row * count + k] = from[last];
    }
  });
}

template <class T>
__global__ void CumSumKernel(const T* in, T* out, int64_t outer, int64_t axis, int64_t inner, bool exclusive,
                             bool reverse) {
  ForEachElement(outer * inner, [&](int64_t lane) {
    const int64_t start = lane / inner * axis * inner + lane % inner;
    typename Wider<T>::Type sum = 0;
    for (int64_t step = 0; step < axis; ++step) {
      const int64_t at = start + (reverse ? axis - 1 - step : step) * inner;
      const auto next = sum + static_cast<typename Wider<T>::Type>(in[at]);
      out[at] = static_cast<T>(exclusive ? sum : next);
      sum = next;
    }
  });
}

dim3 Rows(int64_t rows) { return dim3(static_cast<unsigned>(rows)); }

}  // namespace

bool LaunchSoftmax(ElementType type, const void* in, void* out, int64_t rows, int64_t columns, cudaStream_t stream) {
  if (rows == 0 || columns == 0) return true;
  return ByFloat(type, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    SoftmaxKernel<<<Rows(rows), kThreads, 0, stream>>>(static_cast<const T*>(in), static_cast<T*>(out), columns);
  });
}

bool LaunchNormalize(const Normalization& how, ElementType type, const void* in, const void* scale, const void* bias,
                     void* out, cudaStream_t stream) {
  if (how.rows == 0 || how.columns == 0) return true;
  return ByFloat(type, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    NormalizeKernel<<<Rows(how.rows), kThreads, 0, stream>>>(how, static_cast<const T*>(in),
                                                             static_cast<const T*>(scale),
                                                             static_cast<const T*>(bias), static_cast<T*>(out));
  });
}

bool LaunchReduce(Reduce op, ElementType type, const void* in, void* out, int64_t rows, int64_t columns,
                  cudaStream_t stream) {
  if (rows == 0) return true;
  return ByNumber(type, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    ReduceKernel<T, typename Wider<T>::Type>
        <<<Rows(rows), kThreads, 0, stream>>>(op, static_cast<const T*>(in), static_cast<T*>(out), columns);
  });
}

bool LaunchTop(ElementType type, const void* in, void* values, int64_t* indices, int64_t rows, int64_t columns,
               int64_t count, cudaStream_t stream) {
  if (rows == 0 || count == 0) return true;
  return ByNumber(type, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    TopKernel<<<Blocks(rows), kThreads, 0, stream>>>(static_cast<const T*>(in), static_cast<T*>(values), indices, rows,
                                                     columns, count);
  });
}

bool LaunchCumSum(ElementType type, const void* in, void* out, int64_t outer, int64_t axis, int64_t inner, bool exclusive,
                  bool reverse, cudaStream_t stream) {
  if (outer * inner == 0) return true;
  return ByNumber(type, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    CumSumKernel<<<Blocks(outer * inner), kThreads, 0, stream>>>(static_cast<const T*>(in), static_cast<T*>(out), outer,
                                                                 axis, inner, exclusive, reverse);
  });
}

}  // namespace tessera::standin
