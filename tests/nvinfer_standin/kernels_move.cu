#include "tests/nvinfer_standin/kernels.h"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

// Runs `launch` with a pointer of an unsigned type of `element` bytes.
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

struct Strided {
  int dims;
  int64_t count;
  int64_t sizes[kMaxDims];
  int64_t in[kMaxDims];
  int64_t out[kMaxDims];
};

// Two neighbours as one element of twice the size, where every place allows it.
bool Widen(Strided& s, size_t element, const void* in, const void* out) {
  const int last = s.dims - 1;
  if (element >= 16 || last < 0 || s.in[last] != 1 || s.out[last] != 1 || s.sizes[last] % 2 != 0) return false;
  if ((reinterpret_cast<uintptr_t>(in) | reinterpret_cast<uintptr_t>(out)) % (2 * element) != 0) return false;
  for (int d = 0; d < last; ++d) {
    if (s.in[d] % 2 != 0 || s.out[d] % 2 != 0) return false;
  }
  for (int d = 0; d < last; ++d) {
    s.in[d] /= 2;
    s.out[d] /= 2;
  }
  s.sizes[last] /= 2;
  s.count /= 2;
  return true;
}

template <class T>
__global__ void StridedKernel(Strided s, const T* in, T* out) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < s.count; i += int64_t(gridDim.x) * blockDim.x) {
    int64_t rest = i;
    int64_t from = 0;
    int64_t to = 0;
    for (int d = s.dims - 1; d >= 0; --d) {
      const int64_t index = s.count <= INT32_MAX
                                ? int64_t(static_cast<uint32_t>(rest) % static_cast<uint32_t>(s.sizes[d]))
                                : rest % s.sizes[d];
      rest = s.count <= INT32_MAX ? int64_t(static_cast<uint32_t>(rest) / static_cast<uint32_t>(s.sizes[d]))
                                  : rest / s.sizes[d];
      from += index * s.in[d];
      to += index * s.out[d];
    }
    out[to] = in[from];
  }
}

template <class T, class Index>
__global__ void GatherKernel(const T* data, const Index* indices, T* out, int64_t outer, int64_t axis, int64_t count,
                             int64_t inner) {
  const int64_t total = outer * count * inner;
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < total; i += int64_t(gridDim.x) * blockDim.x) {
    const int64_t k = i % inner;
    const int64_t j = i / inner % count;
    const int64_t o = i / inner / count;
    int64_t index = static_cast<int64_t>(indices[j]);
    if (index < 0) index += axis;
    // An index outside gives 0, as a wrong request must not read other memory.
    out[i] = index >= 0 && index < axis ? data[(o * axis + index) * inner + k] : T(0);
  }
}

template <class T>
__global__ void GatherElementsKernel(const T* data, const int64_t* indices, T* out, int64_t outer, int64_t axis,
                                     int64_t count, int64_t inner) {
  const int64_t total = outer * count * inner;
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < total; i += int64_t(gridDim.x) * blockDim.x) {
    const int64_t k = i % inner;
    const int64_t o = i / inner / count;
    int64_t index = indices[i];
    if (index < 0) index += axis;
    out[i] = index >= 0 && index < axis ? data[(o * axis + index) * inner + k] : T(0);
  }
}

struct NdShape {
  int depth;
  int64_t dims[kMaxDims];
};

template <class T>
__global__ void GatherNdKernel(const T* data, const int64_t* indices, T* out, int64_t batch, int64_t count, NdShape nd,
                               int64_t inner, int64_t batch_size) {
  const int64_t total = batch * count * inner;
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < total; i += int64_t(gridDim.x) * blockDim.x) {
    const int64_t k = i % inner;
    const int64_t tuple = i / inner;
    int64_t at = 0;
    bool inside = true;
    for (int d = 0; d < nd.depth; ++d) {
      int64_t index = indices[tuple * nd.depth + d];
      if (index < 0) index += nd.dims[d];
      inside = inside && index >= 0 && index < nd.dims[d];
      at = at * nd.dims[d] + index;
    }
    out[i] = inside ? data[tuple / count * batch_size + at * inner + k] : T(0);
  }
}

template <class T>
__global__ void PatchesKernel(Patches p, const T* in, T* out) {
  const int64_t depth = p.c * p.kh * p.kw;
  const int64_t total = p.n * p.oh * p.ow * depth;
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < total; i += int64_t(gridDim.x) * blockDim.x) {
    const int64_t x = i % p.kw;
    const int64_t y = i / p.kw % p.kh;
    const int64_t c = i / p.kw / p.kh % p.c;
    const int64_t ox = i / depth % p.ow;
    const int64_t oy = i / depth / p.ow % p.oh;
    const int64_t n = i / depth / p.ow / p.oh;
    const int64_t iy = oy * p.stride_h + y - p.pad_h;
    const int64_t ix = ox * p.stride_w + x - p.pad_w;
    const bool inside = iy >= 0 && iy < p.h && ix >= 0 && ix < p.w;
    out[i] = inside ? in[((n * p.c + c) * p.h + iy) * p.w + ix] : T(0);
  }
}

__device__ uint64_t Nanoseconds() {
  uint64_t now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

__global__ void StallKernel(volatile uint32_t* runs, uint32_t at, int64_t nanoseconds) {
  const uint32_t run = *runs;
  *runs = run + 1;
  if (run != at) return;
  const uint64_t start = Nanoseconds();
  while (Nanoseconds() - start < static_cast<uint64_t>(nanoseconds)) {
  }
}

}  // namespace

void LaunchStridedCopy(size_t element, int dims, const int64_t* sizes, const void* in, const int64_t* in_strides,
                       void* out, const int64_t* out_strides, cudaStream_t stream) {
  Strided s{};
  s.count = 1;
  for (int d = 0; d < dims; ++d) {
    s.count *= sizes[d];
    if (sizes[d] == 1) continue;
    const bool merges = s.dims > 0 && s.in[s.dims - 1] == in_strides[d] * sizes[d] &&
                        s.out[s.dims - 1] == out_strides[d] * sizes[d];
    const int to = merges ? s.dims - 1 : s.dims++;
    s.sizes[to] = merges ? s.sizes[to] * sizes[d] : sizes[d];
    s.in[to] = in_strides[d];
    s.out[to] = out_strides[d];
  }
  if (s.count == 0) return;
  while (Widen(s, element, in, out)) element *= 2;
  auto launch = [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    StridedKernel<<<Blocks(s.count), kThreads, 0, stream>>>(s, static_cast<const T*>(in), static_cast<T*>(out));
  };
  if (element == 16) {
    launch(static_cast<uint4*>(nullptr));
  } else {
    (void)BySize(element, launch);
  }
}

bool LaunchGather(size_t element, const void* data, ElementType index_type, const void* indices, void* out, int64_t outer,
                  int64_t axis, int64_t count, int64_t inner, cudaStream_t stream) {
  const int64_t total = outer * count * inner;
  if (total == 0) return true;
  if (index_type != ElementType::kInt64 && index_type != ElementType::kInt32) return false;
  return BySize(element, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    const T* from = static_cast<const T*>(data);
    T* to = static_cast<T*>(out);
    if (index_type == ElementType::kInt64) {
      GatherKernel<<<Blocks(total), kThreads, 0, stream>>>(from, static_cast<const int64_t*>(indices), to, outer, axis,
                                                           count, inner);
    } else {
      GatherKernel<<<Blocks(total), kThreads, 0, stream>>>(from, static_cast<const int32_t*>(indices), to, outer, axis,
                                                           count, inner);
    }
  });
}

bool LaunchGatherElements(size_t element, const void* data, const int64_t* indices, void* out, int64_t outer,
                          int64_t axis, int64_t count, int64_t inner, cudaStream_t stream) {
  const int64_t total = outer * count * inner;
  if (total == 0) return true;
  return BySize(element, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    GatherElementsKernel<<<Blocks(total), kThreads, 0, stream>>>(static_cast<const T*>(data), indices,
                                                                 static_cast<T*>(out), outer, axis, count, inner);
  });
}

bool LaunchGatherNd(size_t element, const void* data, const int64_t* indices, void* out, int64_t batch, int64_t count,
                    int depth, const int64_t* dims, int64_t inner, cudaStream_t stream) {
  NdShape nd{depth, {}};
  int64_t batch_size = inner;
  for (int d = 0; d < depth; ++d) {
    nd.dims[d] = dims[d];
    batch_size *= dims[d];
  }
  const int64_t total = batch * count * inner;
  if (total == 0) return true;
  return BySize(element, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    GatherNdKernel<<<Blocks(total), kThreads, 0, stream>>>(static_cast<const T*>(data), indices, static_cast<T*>(out),
                                                           batch, count, nd, inner, batch_size);
  });
}

void LaunchPatches(size_t element, const Patches& p, const void* in, void* out, cudaStream_t stream) {
  const int64_t total = p.n * p.oh * p.ow * p.c * p.kh * p.kw;
  if (total == 0) return;
  (void)BySize(element, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    PatchesKernel<<<Blocks(total), kThreads, 0, stream>>>(p, static_cast<const T*>(in), static_cast<T*>(out));
  });
}

void LaunchStall(uint32_t* runs, uint32_t at, int64_t nanoseconds, cudaStream_t stream) {
  StallKernel<<<1, 1, 0, stream>>>(runs, at, nanoseconds);
}

}  // namespace tessera::standin
