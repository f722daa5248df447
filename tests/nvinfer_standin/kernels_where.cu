#include "tests/nvinfer_standin/broadcast.cuh"
#include "tests/nvinfer_standin/dispatch.cuh"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

template <class T>
__global__ void WhereKernel(Geometry<3> g, const uint8_t* condition, const T* yes, const T* no, T* out) {
  ForEachElement(g.count, [&](int64_t i) {
    int64_t at[3];
    Offsets(g, i, at);
    out[i] = condition[at[0]] != 0 ? yes[at[1]] : no[at[2]];
  });
}

}  // namespace

bool LaunchWhere(size_t element, const Places& result, const Operand& condition, const Operand& yes, const Operand& no,
                 void* out, cudaStream_t stream) {
  const auto g = GeometryOf<3>(result, {&condition.strides, &yes.strides, &no.strides});
  if (g.count == 0) return true;
  return BySize(element, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    WhereKernel<<<Blocks(g.count), kThreads, 0, stream>>>(g, static_cast<const uint8_t*>(condition.data),
                                                          static_cast<const T*>(yes.data),
                                                          static_cast<const T*>(no.data), static_cast<T*>(out));
  });
}

}  // namespace tessera::standin
