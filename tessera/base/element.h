// A tensor's elements as numbers, whatever their type.
#pragma once

#include <cstddef>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera {

// Reads or writes one element at `at`. Exact for floats up to 64 bits, bool and integers up to 2^53.
using ElementReader = double (*)(const std::byte* at);
using ElementWriter = void (*)(std::byte* at, double value);  // rounds to the nearest; the value must fit

struct ElementAccess {
  size_t bytes = 0;
  ElementReader read = nullptr;
  ElementWriter write = nullptr;
};
// Errors: kUnsupported (strings, sub-byte and 8-bit float types).
Result<ElementAccess> AccessOf(DType type);

}  // namespace tessera
