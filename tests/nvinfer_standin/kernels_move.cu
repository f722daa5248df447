#include "tests/nvinfer_standin/broadcast.cuh"
#include "tests/nvinfer_standin/dispatch.cuh"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

// Two neighbours as one element of twice the size, where every place allows it.
bool Widen(Geometry<2>& g, size_t element, const void* in, const void* out) {
  const int last = g.dims - 1;
  if (element >= 16 || last < 0 || g.strides[0][last] != 1 || g.strides[1][last] != 1 || g.sizes[last] % 2 != 0) {
    return false;
  }
  if ((reinterpret_cast<uintptr_t>(in) | reinterpret_cast<uintptr_t>(out)) % (2 * element) != 0) return false;
  for (auto& strides : g.strides) {
    for (int d = 0; d < last; ++d) {
      if (strides[d] % 2 != 0) return false;
    }
  }
  for (auto& strides : g.strides) {
    for (int d = 0; d < last; ++d) strides[d] /= 2;
  }
  g.sizes[last] /= 2;
  g.count /= 2;
  return true;
}

template <class T>
__global__ void StridedKernel(Geometry<2> g, const T* in, T* out) {
  ForEachElement(g.count, [&](int64_t i) {
    int64_t at[2];
    Offsets(g, i, at);
    out[at[1]] = in[at[0]];
  });
}

template <class T>
__global__ void PatchesKernel(Patches p, const T* in, T* out) {
  const int64_t depth = p.c * p.kh * p.kw;
  const int64_t total = p.n * p.oh * p.ow * depth;
  ForEachElement(total, [&](int64_t i) {
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
  });
}

}  // namespace

bool LaunchStridedCopy(size_t element, const Places& places, const Operand& in, void* out, const Strides& out_strides,
                       cudaStream_t stream) {
  auto g = GeometryOf<2>(places, {&in.strides, &out_strides});
  if (g.count == 0) return true;
  while (Widen(g, element, in.data, out)) element *= 2;
  const auto launch = [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    StridedKernel<<<Blocks(g.count), kThreads, 0, stream>>>(g, static_cast<const T*>(in.data), static_cast<T*>(out));
  };
  if (element != sizeof(uint4)) return BySize(element, launch);
  launch(static_cast<uint4*>(nullptr));
  return true;
}

bool LaunchPatches(size_t element, const Patches& p, const void* in, void* out, cudaStream_t stream) {
  const int64_t total = p.n * p.oh * p.ow * p.c * p.kh * p.kw;
  if (total == 0) return true;
  return BySize(element, [&](auto* typed) {
    using T = std::remove_pointer_t<decltype(typed)>;
    PatchesKernel<<<Blocks(total), kThreads, 0, stream>>>(p, static_cast<const T*>(in), static_cast<T*>(out));
  });
}

}  // namespace tessera::standin
