// Shape tensors: inputs whose values TensorRT reads on the host, because shapes depend on them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"

namespace tessera::engine {

// Memory as TensorRT wants it of every tensor. Source: NvInferRuntime.h, "setTensorAddress".
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{256};
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlignment)); }
  void deallocate(T* at, size_t) noexcept { ::operator delete(at, kAlignment); }
  bool operator==(const AlignedAllocator&) const = default;
};

// Values as the engine's type has them in memory: [input]; empty: not a shape tensor.
using HostBytes = std::vector<std::byte, AlignedAllocator<std::byte>>;
using HostValues = std::vector<HostBytes>;

// Every rank is given the same values of each shape tensor, in host memory. Errors: kInvalidArgument.
Result<void> CheckShapeValues(const Step& step, const std::vector<TensorSpec>& inputs);

// Of a step that passed the check.
HostValues ValuesOf(const Step& step, const std::vector<TensorSpec>& inputs);
// Whether ValuesOf would give `values`; makes nothing.
bool HasValues(const Step& step, const HostValues& values);

}  // namespace tessera::engine
