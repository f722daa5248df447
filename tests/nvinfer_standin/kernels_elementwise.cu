#include <initializer_list>

#include "tests/nvinfer_standin/broadcast.cuh"
#include "tests/nvinfer_standin/element_math.cuh"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

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
  ForEachElement(count, [&](int64_t i) {
    const Pack<T> x = in[i];
    Pack<T> y;
    for (int k = 0; k < Pack<T>::kCount; ++k) y.at[k] = static_cast<T>(ApplyUnary(op, Load(x.at[k])));
    out[i] = y;
  });
}

template <class T>
__global__ void UnaryKernel(Unary op, const T* in, T* out, int64_t count) {
  ForEachElement(count, [&](int64_t i) { out[i] = static_cast<T>(ApplyUnary(op, Load(in[i]))); });
}

template <class T>
__global__ void UnaryBoolKernel(Unary op, const T* in, uint8_t* out, int64_t count) {
  ForEachElement(count, [&](int64_t i) { out[i] = ApplyUnary(op, Load(in[i])) != 0 ? 1 : 0; });
}

template <class T>
__global__ void PackedBinaryKernel(Binary op, const Pack<T>* a, const Pack<T>* b, Pack<T>* out, int64_t count) {
  ForEachElement(count, [&](int64_t i) {
    const Pack<T> x = a[i];
    const Pack<T> y = b[i];
    Pack<T> z;
    for (int k = 0; k < Pack<T>::kCount; ++k) z.at[k] = static_cast<T>(ApplyBinary(op, Load(x.at[k]), Load(y.at[k])));
    out[i] = z;
  });
}

template <class T, class Out>
__global__ void BinaryKernel(Binary op, Geometry<2> g, const T* a, const T* b, Out* out) {
  ForEachElement(g.count, [&](int64_t i) {
    int64_t at[2];
    Offsets(g, i, at);
    out[i] = static_cast<Out>(ApplyBinary(op, Load(a[at[0]]), Load(b[at[1]])));
  });
}

template <class T>
void UnaryOf(Unary op, const void* in, void* out, int64_t count, cudaStream_t stream) {
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
}

template <class T>
void BinaryOf(Binary op, const Geometry<2>& g, const void* a, const void* b, void* out, cudaStream_t stream) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  const bool dense = g.dims == 0 || (g.dims == 1 && g.strides[0][0] == 1 && g.strides[1][0] == 1);
  if (GivesBool(op)) {
    BinaryKernel<<<Blocks(g.count), kThreads, 0, stream>>>(op, g, x, y, static_cast<uint8_t*>(out));
  } else if (dense && Packs<T>(g.count, {a, b, out})) {
    const int64_t packs = g.count / Pack<T>::kCount;
    PackedBinaryKernel<<<Blocks(packs), kThreads, 0, stream>>>(op, static_cast<const Pack<T>*>(a),
                                                               static_cast<const Pack<T>*>(b),
                                                               static_cast<Pack<T>*>(out), packs);
  } else {
    BinaryKernel<<<Blocks(g.count), kThreads, 0, stream>>>(op, g, x, y, static_cast<T*>(out));
  }
}

}  // namespace

bool LaunchUnary(Unary op, ElementType type, const void* in, void* out, int64_t count, cudaStream_t stream) {
  if (count == 0) return true;
  const auto launch = [&](auto* typed) {
    UnaryOf<std::remove_pointer_t<decltype(typed)>>(op, in, out, count, stream);
  };
  return ByNumber(type, launch) || ByBool(type, launch);
}

bool LaunchBinary(Binary op, ElementType type, const Places& result, const Operand& a, const Operand& b, void* out,
                  cudaStream_t stream) {
  const auto g = GeometryOf<2>(result, {&a.strides, &b.strides});
  if (g.count == 0) return true;
  const auto launch = [&](auto* typed) {
    BinaryOf<std::remove_pointer_t<decltype(typed)>>(op, g, a.data, b.data, out, stream);
  };
  return ByNumber(type, launch) || ByBool(type, launch) || ByDouble(type, launch);
}

}  // namespace tessera::standin
