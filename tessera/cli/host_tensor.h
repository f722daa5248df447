// Tensors that the program itself holds, and their elements as numbers whatever the type.
#pragma once

#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/tensor.h"

namespace tessera::cli {

struct HostTensor {
  TensorSpec spec;               // static shape
  std::vector<std::byte> bytes;  // dense

  TensorView View() const { return {spec.type, spec.shape, HostRegion(Bytes(bytes))}; }
  size_t count() const { return static_cast<size_t>(ElementCount(spec.shape)); }
};

// Zeros. Errors: kUnsupported (strings, sub-byte and 8-bit float types).
Result<HostTensor> MakeTensor(TensorSpec spec);

// Reads or writes one element at `at`. Exact for floats up to 64 bits, bool and integers up to 2^53.
using ElementReader = double (*)(const std::byte* at);
using ElementWriter = void (*)(std::byte* at, double value);  // rounds to the nearest; the value must fit

struct ElementAccess {
  size_t bytes = 0;
  ElementReader read = nullptr;
  ElementWriter write = nullptr;
};
// Errors: kUnsupported (as MakeTensor).
Result<ElementAccess> AccessOf(DType type);

}  // namespace tessera::cli
