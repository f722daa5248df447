#include "tests/nvinfer_standin/element_math.cuh"
#include "tests/nvinfer_standin/launch.cuh"

namespace tessera::standin {
namespace {

template <class From, class To>
__global__ void CastKernel(const From* in, To* out, int64_t count, bool to_bool) {
  ForEachElement(count, [&](int64_t i) {
    const auto value = Load(in[i]);
    if constexpr (sizeof(To) == 1) {
      out[i] = to_bool ? static_cast<To>(value != 0) : static_cast<To>(value);
    } else {
      out[i] = static_cast<To>(value);
    }
  });
}

}  // namespace

bool LaunchCast(ElementType from, ElementType to, const void* in, void* out, int64_t count, cudaStream_t stream) {
  if (count == 0) return true;
  return ByElement(from, [&](auto* typed_from) {
    using From = std::remove_pointer_t<decltype(typed_from)>;
    ByElement(to, [&](auto* typed_to) {
      using To = std::remove_pointer_t<decltype(typed_to)>;
      CastKernel<<<Blocks(count), kThreads, 0, stream>>>(static_cast<const From*>(in), static_cast<To*>(out), count,
                                                         to == ElementType::kBool);
    });
  });
}

}  // namespace tessera::standin
