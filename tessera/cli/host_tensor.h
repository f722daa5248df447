// Tensors that the program itself holds.
#pragma once

#include <vector>

#include "tessera/base/element.h"
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

}  // namespace tessera::cli
