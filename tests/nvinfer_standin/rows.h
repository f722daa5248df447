// Work along rows for other operators to be made of.
#pragma once

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

// Along the last dimension; `in` and `out` may be the same memory.
Result<void> EmitSoftmax(Builder& builder, const Tensor& in, const Tensor& out);

}  // namespace tessera::standin
