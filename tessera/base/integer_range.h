// Whether 64-bit integers fit where an engine keeps them in 32 bits.
#pragma once

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"

namespace tessera {

// kInvalidArgument, with the value in the line, when `data`, host memory that need not be aligned, has a
// number that does not fit into 32 bits, signed, and `input` is one whose integers are kept so. Looks at
// nothing of other inputs.
Result<void> CheckIn32Bits(const TensorSpec& input, const ConstRegion& data);

}  // namespace tessera
