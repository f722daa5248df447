// How the elements of operands that are broadcast, or not dense, are found from a place of the result.
#pragma once

#include <array>

#include "tests/nvinfer_standin/kernels.h"

namespace tessera::standin {

// The places' sizes and `kOperands` operands' element strides, outermost first; passed to kernels by value.
template <int kOperands>
struct Geometry {
  int dims;
  int64_t count;
  int64_t sizes[kMaxDims];
  int64_t strides[kOperands][kMaxDims];
};

// Where each operand of the `i`-th place lies. 32-bit divisions, which are several times faster, where they are enough.
template <int kOperands>
__device__ void Offsets(const Geometry<kOperands>& g, int64_t i, int64_t (&at)[kOperands]) {
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

// Neighbouring dimensions over which every operand walks as over one become one: fewer divisions per element.
template <int kOperands>
void Merge(Geometry<kOperands>& g) {
  int kept = 0;
  for (int d = 0; d < g.dims; ++d) {
    if (g.sizes[d] == 1) continue;
    bool merges = kept > 0;
    for (int k = 0; k < kOperands && merges; ++k) {
      merges = g.strides[k][kept - 1] == g.strides[k][d] * g.sizes[d];
    }
    const int to = merges ? kept - 1 : kept++;
    g.sizes[to] = merges ? g.sizes[to] * g.sizes[d] : g.sizes[d];
    for (int k = 0; k < kOperands; ++k) g.strides[k][to] = g.strides[k][d];
  }
  g.dims = kept;
}

template <int kOperands>
Geometry<kOperands> GeometryOf(const Places& places, const std::array<const Strides*, kOperands>& strides) {
  Geometry<kOperands> g{};
  g.dims = places.dims;
  g.count = 1;
  for (int d = 0; d < places.dims; ++d) {
    g.sizes[d] = places.sizes[d];
    g.count *= places.sizes[d];
    for (int k = 0; k < kOperands; ++k) g.strides[k][d] = (*strides[k])[d];
  }
  if (g.count > 0) Merge(g);
  return g;
}

}  // namespace tessera::standin
