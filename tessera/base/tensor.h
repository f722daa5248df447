// A named dense tensor in host memory that somebody else owns.
#pragma once

#include <string>

#include "tessera/base/memory.h"
#include "tessera/base/types.h"

namespace tessera {

// Name, element type and shape of a model's input or output; kDynamic dimensions are free.
struct TensorSpec {
  std::string name;
  DType type = DType::kUndefined;
  Shape shape;
  bool on_host =
      false;  // a shape tensor: the engine reads its values on the host, since shapes depend on them
  bool in_32_bits = false;  // an input of 64-bit integers that the engine keeps in 32: others must be refused
  bool operator==(const TensorSpec&) const = default;
};

// A tensor's value, wherever it lies. Not owned; `shape` is static.
struct TensorView {
  DType type = DType::kUndefined;
  Shape shape;
  ConstRegion data;
};

}  // namespace tessera
