#include "tests/nvinfer_standin/dispatch.cuh"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

template <class T, class Index>
__global__ void GatherKernel(const T* data, const Index* indices, T* out, int64_t outer, int64_t axis, int64_t count,
                             int64_t inner) {
  const int64_t total = outer * count * inner;
  ForEachElement(total, [&](int64_t i) {
    const int64_t k = i % inner;
    const int64_t j = i / inner % count;
    const int64_t o = i / inner / count;
    int64_t index = static_cast<int64_t>(indices[j]);
    if (index < 0) index += axis;
    // An index outside gives 0, as a wrong request must not read other memory.
    out[i] = index >= 0 && index < axis ? data[(o * axis + index) * inner + k] : T(0);
  });
}

template <class T>
__global__ void GatherElementsKernel(const T* data, const int64_t* indices, T* out, int64_t outer, int64_t axis,
                                     int64_t count, int64_t inner) {
  const int64_t total = outer * count * inner;
  ForEachElement(total, [&](int64_t i) {
    const int64_t k = i % inner;
    const int64_t o = i / inner / count;
    int64_t index = indices[i];
    if (index < 0) index += axis;
    out[i] = index >= 0 && index < axis ? data[(o * axis + index) * inner + k] : T(0);
  });
}

struct NdShape {
  int depth;
  int64_t dims[kMaxDims];
};

template <class T>
__global__ void GatherNdKernel(const T* data, const int64_t* indices, T* out, int64_t batch, int64_t count, NdShape nd,
                               int64_t inner, int64_t batch_size) {
  const int64_t total = batch * count * inner;
  ForEachElement(total, [&](int64_t i) {
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
  });
}

}  // namespace

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

}  // namespace tessera::standin
